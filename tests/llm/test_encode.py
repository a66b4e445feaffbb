"""Any request becomes one JSON body that its protocol allows, whatever stands in it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aix.llm.effort import BUDGET, LEVELS, nearest
from aix.llm.protocols import MODULES, protocol
from aix.llm.providers import Dialect
from aix.llm.strict import is_strict
from aix.messages import File, Image, Message, Part, Reasoning, Request, Text, ToolCall, ToolResult

PROTOCOLS = tuple(MODULES)

LEAST: Mapping[str, set[str]] = {
    "openai-chat": {"model", "messages", "stream"},
    "openai-responses": {"model", "input", "store", "stream"},
    "anthropic-messages": {"model", "messages", "max_tokens", "stream"},
    "gemini": {"contents"},
    "cohere": {"model", "messages", "stream"},
    "ollama": {"model", "messages", "options", "stream"},
    "replicate": {"input"},
    "echo": {"model", "messages", "stream"},
}
"""What stands in the body when no option was given."""

MODEL_IN_PATH = ("gemini", "replicate")
STREAM_IN_PATH = ("gemini",)

ANY_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["", "\ud83d", "\udc00x", "\ud83d\ude00", "😀\u2028", "\x00", '"\\', "e\u0301"]
)
"""Lone surrogates too: a file name or an argument that is not UTF-8 brings them."""

JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
JSON_OBJECT = st.dictionaries(ANY_TEXT, JSON_VALUE, max_size=3)
ARGUMENTS = st.one_of(
    JSON_OBJECT.map(json.dumps),
    JSON_VALUE.map(json.dumps),
    ANY_TEXT,
    st.sampled_from(["", "{", "NaN", '{"a": NaN}', '{"a": 1e999}', '{"a": 1}{"b": 2}', "[" * 5000, "1" * 5000]),
)
MEDIA_TYPES = st.sampled_from(["image/png", "image/svg+xml", "application/pdf", "text/plain", ""])
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, ANY_TEXT),
    st.builds(Image, st.binary(max_size=8), MEDIA_TYPES),
    st.builds(File, st.binary(max_size=8), MEDIA_TYPES, ANY_TEXT),
    st.builds(Reasoning, ANY_TEXT),
    st.builds(ToolCall, ANY_TEXT, ANY_TEXT, ARGUMENTS),
    st.builds(ToolResult, ANY_TEXT, ANY_TEXT),
)
MESSAGES = st.builds(
    Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(PARTS, max_size=4).map(tuple)
)
FRACTION = st.none() | st.floats(0, 2)
REQUESTS = st.builds(
    Request,
    model=ANY_TEXT,
    messages=st.lists(MESSAGES, max_size=4).map(tuple),
    max_tokens=st.none() | st.integers(1, 10**9),
    temperature=FRACTION,
    top_p=FRACTION,
    stop=st.lists(ANY_TEXT, max_size=3).map(tuple),
    seed=st.none() | st.integers(-(2**63), 2**63),
    schema=st.none() | JSON_OBJECT,
    effort=st.none() | st.sampled_from(LEVELS),
    extra=st.dictionaries(
        ANY_TEXT | st.sampled_from(["model", "messages", "max_tokens", "stream"]), JSON_VALUE, max_size=2
    ),
)
OPTIONS: Mapping[str, Any] = {
    "max_tokens": 77,
    "temperature": 0.25,
    "top_p": 0.5,
    "stop": ("END",),
    "seed": 7,
    "schema": {"type": "object", "properties": {"a": {"type": "string"}}},
    "effort": "high",
}
HI = (Message("user", (Text("Hi"),)),)

any_request = settings(max_examples=60, deadline=None)


def body_of(name: str, request: Request, *, stream: bool = False, dialect: Dialect | None = None) -> dict[str, Any]:
    """The body as a server reads it: strictly."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    module = protocol(name)
    said = replace(request, **{field: getattr(Request("", ()), field) for field in module.UNSAID})
    call = module.encode(said, dialect or Dialect(), stream=stream)
    body: dict[str, Any] = json.loads(call.content.decode("utf-8"), parse_constant=refuse)
    return body


def sent(text: str) -> str:
    """What UTF-8 can say of a text."""
    return text.encode("utf-8", "replace").decode()


def as_sent(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


@any_request
@given(request_=REQUESTS, stream=st.booleans())
def test_any_request_is_valid_json_with_what_was_added_last(request_: Request, stream: bool) -> None:
    for name in PROTOCOLS:
        body = body_of(name, request_, stream=stream)
        for key, value in as_sent(dict(request_.extra)).items():
            if name != "echo" or key != "stream":
                assert body[key] == value, name
        if "stream" not in request_.extra and name not in STREAM_IN_PATH:
            assert body.get("stream", False) is stream, name
        if "model" not in request_.extra and name not in MODEL_IN_PATH:
            assert body["model"] == sent(request_.model), name


@any_request
@given(model=ANY_TEXT | st.sampled_from(["models/m", "tunedModels/m", "models/../m", "a/b?c#d", "models", "../.."]))
def test_a_model_of_gemini_is_one_step_of_the_path_whatever_it_is_called(model: str) -> None:
    paths = {protocol("gemini").encode(Request(model, ()), Dialect(), stream=stream).path for stream in (True, False)}
    ends = {path.rpartition(":")[2] for path in paths}
    assert ends == {"streamGenerateContent?alt=sse", "generateContent"}
    (path,) = {path.rpartition(":")[0] for path in paths}
    assert not set(path) & set("?#: ") and path.isascii() and path.isprintable()
    first, version, collection, id_ = path.split("/")
    assert (first, version) == ("", "v1beta") and collection in ("models", "tunedModels")
    assert f"{collection}/{unquote(id_)}".endswith(model.encode("utf-8", "replace").decode())


@any_request
@given(request_=REQUESTS, fallback=st.integers(1, 10_000))
@example(Request("m", (), extra={}), 5)
def test_anthropic_always_gets_max_tokens_and_never_a_system_message(request_: Request, fallback: int) -> None:
    body = body_of("anthropic-messages", request_, dialect=Dialect(default_max_tokens=fallback))
    if "max_tokens" not in request_.extra:
        assert body["max_tokens"] == (request_.max_tokens or fallback)
    if "messages" not in request_.extra:
        assert {message["role"] for message in body["messages"]} <= {"user", "assistant"}
        assert len(body["messages"]) == sum(message.role != "system" for message in request_.messages)
    told = "\n\n".join(message.text for message in request_.messages if message.role == "system")
    if "system" not in request_.extra:
        assert body.get("system", "") == sent(told)


@any_request
@given(request_=REQUESTS, field=st.sampled_from(["max_tokens", "max_completion_tokens"]), known=st.booleans())
def test_openai_gets_each_option_only_when_it_was_asked_for(request_: Request, field: str, known: bool) -> None:
    plain = Request(request_.model, request_.messages, request_.max_tokens, extra={})
    body = body_of("openai-chat", plain, stream=True, dialect=Dialect(field, stream_options=known))
    given_ = {"model", "messages", "stream"}
    given_ |= {field} if request_.max_tokens else set()
    given_ |= {"stream_options"} if known else set()
    assert set(body) == given_
    assert body.get(field) == request_.max_tokens


@any_request
@given(messages=st.lists(MESSAGES, max_size=4).map(tuple))
def test_openai_gets_every_text_call_and_result(messages: tuple[Message, ...]) -> None:
    said = body_of("openai-chat", Request("m", messages))["messages"]
    parts = [part for message in messages for part in message.parts]
    calls = [call["function"] for message in said for call in message.get("tool_calls", ())]
    assert calls == [
        {"name": sent(part.name), "arguments": sent(part.arguments)} for part in parts if isinstance(part, ToolCall)
    ]
    results = [(message["tool_call_id"], message["content"]) for message in said if message["role"] == "tool"]
    assert results == [(sent(part.id), sent(part.content)) for part in parts if isinstance(part, ToolResult)]
    contents = [message["content"] for message in said if message["role"] != "tool"]
    texts = [_text(content) for content in contents]
    assert "".join(texts) == "".join(sent(part.text) for part in parts if isinstance(part, Text))


@any_request
@given(messages=st.lists(MESSAGES.filter(lambda message: message.role != "system"), max_size=4).map(tuple))
def test_anthropic_gets_every_text_picture_call_and_result(messages: tuple[Message, ...]) -> None:
    said = body_of("anthropic-messages", Request("m", messages))["messages"]
    for message, body in zip(messages, said, strict=True):
        assert _text(body["content"]) == "".join(sent(part.text) for part in message.parts if isinstance(part, Text))
        blocks = [] if isinstance(body["content"], str) else body["content"]
        parts = [part for part in message.parts if not isinstance(part, Reasoning)]
        if blocks:
            assert len(blocks) == len(parts)
        for block, part in zip(blocks, parts, strict=False):
            match part:
                case File(data, "text/plain"):
                    told = {"type": "text", "media_type": "text/plain", "data": data.decode("utf-8", "replace")}
                    assert block["source"] == told
                case Image(data, media_type) | File(data, media_type):
                    assert base64.b64decode(block["source"]["data"]) == data
                    assert block["source"]["media_type"] == media_type
                case ToolCall(id_, _, arguments):
                    assert block["id"] == sent(id_)
                    assert isinstance(block["input"], dict)
                    assert block["input"] in (_object(arguments), {"arguments": sent(arguments)})
                case ToolResult(id_, content):
                    assert (block["tool_use_id"], block["content"]) == (sent(id_), sent(content))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(piece["text"] for piece in content if piece["type"] == "text")


def _object(arguments: str) -> Any:
    try:
        return as_sent(json.loads(arguments or "{}"))
    except (ValueError, RecursionError):
        return None


@any_request
@given(messages=st.lists(MESSAGES.filter(lambda message: message.role != "system"), max_size=4).map(tuple))
def test_responses_gets_every_text_call_and_result(messages: tuple[Message, ...]) -> None:
    items = body_of("openai-responses", Request("m", messages))["input"]
    parts = [part for message in messages for part in message.parts]
    assert [(item["name"], item["arguments"]) for item in items if item.get("type") == "function_call"] == [
        (sent(part.name), sent(part.arguments)) for part in parts if isinstance(part, ToolCall)
    ]
    assert [(item["call_id"], item["output"]) for item in items if item.get("type") == "function_call_output"] == [
        (sent(part.id), sent(part.content)) for part in parts if isinstance(part, ToolResult)
    ]
    said = [item for item in items if "role" in item]
    assert {item["role"] for item in said} <= {"user", "assistant"}
    pieces = [piece for item in said if isinstance(item["content"], list) for piece in item["content"]]
    assert len([piece for piece in pieces if "text" not in piece]) == sum(isinstance(p, Image | File) for p in parts)
    texts = "".join(sent(part.text) for part in parts if isinstance(part, Text))
    assert "".join(_responses_text(item["content"]) for item in said) == texts


def _responses_text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(piece.get("text", "") for piece in content)


@any_request
@given(messages=st.lists(MESSAGES.filter(lambda message: message.role != "system"), max_size=4).map(tuple))
def test_gemini_gets_every_text_picture_call_and_result(messages: tuple[Message, ...]) -> None:
    contents = body_of("gemini", Request("m", messages))["contents"]
    for message, content in zip(messages, contents, strict=True):
        assert content["role"] == ("model" if message.role == "assistant" else "user")
        parts = [part for part in message.parts if not isinstance(part, Reasoning)]
        for part, piece in zip(parts or [Text("")], content["parts"], strict=True):
            match part:
                case Text(text):
                    assert piece == {"text": sent(text)}
                case Image(data, media_type) | File(data, media_type):
                    assert piece["inlineData"] == {"mimeType": media_type, "data": base64.b64encode(data).decode()}
                case ToolCall(id_, name, arguments):
                    call = piece["functionCall"]
                    assert (call.get("id", ""), call["name"]) == (sent(id_), sent(name))
                    assert call["args"] in (_object(arguments), {"arguments": sent(arguments)})
                case ToolResult(id_, result):
                    answer = piece["functionResponse"]
                    assert answer.get("id", "") == sent(id_)
                    assert answer["response"] in (_object(result), {"output": sent(result)})


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_option_that_nobody_gave_is_not_sent(name: str) -> None:
    body = body_of(name, Request("owner/name", HI))
    assert set(body) == LEAST[name]
    assert "null" not in json.dumps(body)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_option_that_was_given_is_sent_where_the_protocol_has_a_word_for_it(name: str, option: str) -> None:
    request = Request("owner/name", HI, **{option: OPTIONS[option]})
    changed = body_of(name, request) != body_of(name, Request("owner/name", HI))
    assert changed == (option not in protocol(name).UNSAID)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_empty_schema_asks_for_nothing(name: str) -> None:
    if name != "echo":
        assert body_of(name, Request("owner/name", HI, schema={})) == body_of(name, Request("owner/name", HI))


SCHEMA = OPTIONS["schema"]
STRICT_SCHEMA = {**SCHEMA, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("name", "way", "sent_as"),
    [
        (
            "openai-chat",
            "native",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": False, "schema": SCHEMA},
                }
            },
        ),
        ("openai-chat", "json_object", {"response_format": {"type": "json_object"}}),
        ("openai-chat", "words", {}),
        (
            "openai-responses",
            "native",
            {"text": {"format": {"type": "json_schema", "name": "answer", "strict": False, "schema": SCHEMA}}},
        ),
        ("openai-responses", "json_object", {"text": {"format": {"type": "json_object"}}}),
        ("openai-responses", "words", {}),
        ("anthropic-messages", "native", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("anthropic-messages", "json_object", {}),
        ("anthropic-messages", "words", {}),
        (
            "gemini",
            "native",
            {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
        ),
        ("gemini", "json_object", {"generationConfig": {"responseMimeType": "application/json"}}),
        ("gemini", "words", {}),
    ],
)
def test_a_schema_is_asked_for_in_the_way_of_the_dialect(name: str, way: str, sent_as: dict[str, Any]) -> None:
    body = body_of(name, Request("m", HI, schema=SCHEMA), dialect=Dialect(schema=way))
    assert {key: value for key, value in body.items() if key not in LEAST[name]} == sent_as


def _holding(inner: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (STRICT_SCHEMA, True),
        ({"type": "object", "additionalProperties": False}, True),
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False}, True),
        (_holding({"type": "array", "items": STRICT_SCHEMA}), True),
        (_holding({"anyOf": [STRICT_SCHEMA, {"type": "null"}]}), True),
        ({**_holding({"$ref": "#/$defs/b"}), "$defs": {"b": STRICT_SCHEMA}}, True),
        (_holding({"type": ["string", "null"], "enum": ["x", None], "description": "d"}), True),
        (_holding({"const": {"type": "object"}}), True),
        ({}, False),
        (None, False),
        ([STRICT_SCHEMA], False),
        (SCHEMA, False),
        ({**STRICT_SCHEMA, "required": []}, False),
        ({**STRICT_SCHEMA, "required": ["a", "b"]}, False),
        ({**STRICT_SCHEMA, "required": "a"}, False),
        ({**STRICT_SCHEMA, "additionalProperties": True}, False),
        ({**STRICT_SCHEMA, "additionalProperties": {}}, False),
        ({"type": "object"}, False),
        ({"type": "array", "items": STRICT_SCHEMA}, False),
        ({"anyOf": [STRICT_SCHEMA]}, False),
        (_holding(SCHEMA), False),
        (_holding({"properties": {"b": {}}}), False),
        (_holding({"type": ["object", "null"]}), False),
        (_holding({"type": "array", "items": SCHEMA}), False),
        (_holding({"type": "array", "items": [SCHEMA]}), False),
        (_holding({"anyOf": [{"type": "null"}, SCHEMA]}), False),
        (_holding({"allOf": [STRICT_SCHEMA]}), False),
        (_holding({"type": "string", "minLength": 3}), False),
        (_holding(True), False),
        ({**STRICT_SCHEMA, "$defs": {"b": SCHEMA}}, False),
        ({**STRICT_SCHEMA, "patternProperties": {"^x": {}}}, False),
    ],
)
def test_a_schema_is_strict_when_each_object_names_and_requires_all_that_it_holds(schema: Any, strict: bool) -> None:
    assert is_strict(schema) is strict


@any_request
@given(schema=JSON_VALUE | st.dictionaries(st.sampled_from(["type", "properties", "required", "anyOf"]), JSON_VALUE))
def test_no_schema_at_all_breaks_the_question_whether_it_is_strict(schema: Any) -> None:
    assert is_strict(schema) in (True, False)


@pytest.mark.parametrize(
    ("name", "way", "effort", "sent_as"),
    [
        ("openai-chat", "", "high", {"reasoning_effort": "high"}),
        ("openai-chat", "", "none", {"reasoning_effort": "none"}),
        ("openai-chat", "object", "low", {"reasoning": {"effort": "low"}}),
        ("openai-chat", "object", "none", {"reasoning": {"enabled": False}}),
        ("openai-chat", "enabled", "low", {"reasoning": {"enabled": True}}),
        ("openai-chat", "enabled", "none", {"reasoning": {"enabled": False}}),
        ("openai-chat", "thinking", "low", {"thinking": {"type": "enabled"}}),
        ("openai-chat", "thinking", "none", {"thinking": {"type": "disabled"}}),
        ("openai-chat", "thinking_and_effort", "low", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        ("openai-chat", "thinking_and_effort", "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
        ("openai-chat", "thinking_and_effort", "none", {"thinking": {"type": "disabled"}}),
        ("openai-responses", "", "high", {"reasoning": {"effort": "high", "summary": "auto"}}),
        ("openai-responses", "", "none", {"reasoning": {"effort": "none"}}),
        ("anthropic-messages", "", "high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("anthropic-messages", "", "minimal", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ("anthropic-messages", "", "none", {}),
        ("anthropic-messages", "budget", "low", {"thinking": {"type": "enabled", "budget_tokens": BUDGET["low"]}}),
        ("anthropic-messages", "budget", "none", {"thinking": {"type": "disabled"}}),
        *(
            ("gemini", way, "max", {"generationConfig": {"thinkingConfig": {**sent_as, "includeThoughts": True}}})
            for way, sent_as in (
                ("", {"thinkingLevel": "XHIGH"}),
                ("level", {"thinkingLevel": "XHIGH"}),
                ("budget", {"thinkingBudget": BUDGET["max"]}),
            )
        ),
        *(
            ("gemini", way, "none", {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}})
            for way in ("", "level", "budget")
        ),
    ],
)
def test_how_hard_to_think_is_said_in_the_way_of_the_dialect(
    name: str, way: str, effort: str, sent_as: dict[str, Any]
) -> None:
    body = body_of(name, Request("m", HI, effort=effort), dialect=Dialect(effort=way))
    assert {key: value for key, value in body.items() if key not in LEAST[name]} == sent_as


@any_request
@given(effort=st.sampled_from(LEVELS), asked=st.none() | st.integers(1, 100_000), usual=st.integers(1, 100_000))
def test_what_anthropic_may_think_is_always_less_than_what_it_may_say(
    effort: str, asked: int | None, usual: int
) -> None:
    dialect = Dialect(effort="budget", default_max_tokens=usual)
    body = body_of("anthropic-messages", Request("m", HI, max_tokens=asked, effort=effort), dialect=dialect)
    budget = body["thinking"].get("budget_tokens", 0)
    assert budget == 0 if effort == "none" else budget >= 1024
    assert budget < body["max_tokens"]
    assert body["max_tokens"] in ((asked or usual), (asked or usual) + budget)


@pytest.mark.parametrize(
    ("level", "accepted", "found"),
    [
        ("max", ("low", "high"), "high"),
        ("none", ("low", "high"), "low"),
        ("medium", ("low", "high"), "low"),
        ("medium", ("high", "low"), "low"),
        ("high", ("low", "high"), "high"),
        ("high", (), "high"),
        ("high", ("unheard-of",), "high"),
        ("unheard-of", ("low",), "unheard-of"),
    ],
)
def test_the_nearest_level_is_the_lower_one_of_two(level: str, accepted: tuple[str, ...], found: str) -> None:
    assert nearest(level, accepted) == found


def test_a_higher_level_may_spend_more() -> None:
    assert LEVELS == ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    assert list(BUDGET) == list(LEVELS) and sorted(set(BUDGET.values())) == list(BUDGET.values())


def test_the_accent_of_a_provider_is_in_its_dialect() -> None:
    messages = (Message("system", (Text("Be short."),)), *HI)
    dialect = Dialect(seed_field="random_seed", system_role="developer")
    body = body_of("openai-chat", Request("m", messages, seed=7), dialect=dialect)
    assert body["random_seed"] == 7 and "seed" not in body
    assert [message["role"] for message in body["messages"]] == ["developer", "user"]
    body = body_of("replicate", Request("a/b", HI, 7), dialect=Dialect(max_tokens_field="max_new_tokens"))
    assert body["input"] == {"prompt": "Hi", "max_new_tokens": 7}
