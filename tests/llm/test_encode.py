"""Any request becomes one JSON body that its protocol allows, whatever stands in it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aix.llm.protocols import protocol
from aix.llm.providers import Dialect
from aix.messages import File, Image, Message, Part, Reasoning, Request, Text, ToolCall, ToolResult

PROTOCOLS = ("openai-chat", "anthropic-messages", "echo")

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
    effort=st.none() | st.sampled_from(["none", "low", "high"]),
    extra=st.dictionaries(
        ANY_TEXT | st.sampled_from(["model", "messages", "max_tokens", "stream"]), JSON_VALUE, max_size=2
    ),
)
OPTIONS = ("temperature", "top_p", "stop", "seed", "schema", "effort")

any_request = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def body_of(name: str, request: Request, *, stream: bool = False, dialect: Dialect | None = None) -> dict[str, Any]:
    """The body as a server reads it: strictly."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    call = protocol(name).encode(request, dialect or Dialect(), stream=stream)
    body: dict[str, Any] = json.loads(call.content.decode("utf-8"), parse_constant=refuse)
    return body


def sent(text: str) -> str:
    """What UTF-8 can say of a text."""
    return text.encode("utf-8", "replace").decode()


def as_sent(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


@any_request
@pytest.mark.parametrize("name", PROTOCOLS)
@given(request_=REQUESTS, stream=st.booleans())
def test_any_request_is_valid_json_with_what_was_added_last(name: str, request_: Request, stream: bool) -> None:
    body = body_of(name, request_, stream=stream)
    for key, value in as_sent(dict(request_.extra)).items():
        if name != "echo" or key != "stream":
            assert body[key] == value
    if "stream" not in request_.extra:
        assert body["stream"] is stream
    if "model" not in request_.extra:
        assert body["model"] == sent(request_.model)


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


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_nobody_gave_is_not_sent(name: str, option: str) -> None:
    body = json.dumps(body_of(name, Request("m", (Message("user", (Text("Hi"),)),))))
    names = {"effort": "reasoning", "schema": "format", "stop": "stop"}
    assert names.get(option, option) not in body
    assert "null" not in body


@pytest.mark.parametrize("name", ["openai-chat", "anthropic-messages"])
def test_an_empty_schema_asks_for_nothing(name: str) -> None:
    assert set(body_of(name, Request("m", (), schema={}))) <= {"model", "messages", "max_tokens", "stream"}


@pytest.mark.parametrize(
    ("effort", "sent_as"),
    [
        ("high", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("none", {}),
        (None, {}),
    ],
)
def test_anthropic_is_asked_to_think_or_not(effort: str | None, sent_as: dict[str, Any]) -> None:
    body = body_of("anthropic-messages", Request("m", (), effort=effort))
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == sent_as
