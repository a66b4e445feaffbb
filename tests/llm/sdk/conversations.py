"""The same conversations, as a user of each official SDK would write them.

A conversation is said once as the fields of our Request, in `REQUESTS`, and once in the own words of each SDK.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

KEY = "key-of-nobody"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjcKJeLjz9MK"
PIXEL_URL, PDF_URL = f"data:image/png;base64,{PIXEL}", f"data:application/pdf;base64,{PDF}"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
    "required": ["colour", "sure"],
    "additionalProperties": False,
}
OSLO, ROME = {"city": "Oslo"}, {"city": "Rome"}
OSLO_TEXT, ROME_TEXT = '{"city":"Oslo"}', '{"city":"Rome"}'

Json = dict[str, Any]
Send = Callable[[], Any]


def said(role: str, *parts: Json | str) -> Json:
    return {"role": role, "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


REQUESTS: Mapping[str, Json] = {
    "options": {
        "messages": [said("system", "Be brief."), said("user", "Good day, 日本!")],
        "max_tokens": 300,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END", "STOP"],
        "seed": 7,
    },
    "turns": {
        "messages": [
            said("system", "Be brief."),
            said("user", "Name a colour."),
            said("assistant", "Red."),
            said("user", "Another?"),
        ],
        "max_tokens": 300,
    },
    "image": {
        "messages": [said("user", "Which colour?", {"image": PIXEL, "media_type": "image/png"})],
        "max_tokens": 300,
    },
    "file": {
        "messages": [
            said("user", "Sum it up.", {"file": PDF, "media_type": "application/pdf", "name": "plan.pdf"}),
        ],
        "max_tokens": 300,
    },
    "schema": {"messages": [said("user", "Which colour?")], "max_tokens": 300, "schema": SCHEMA},
    "effort": {"messages": [said("user", "Which colour?")], "max_tokens": 9000, "effort": "low"},
    "tools": {
        "messages": [
            said("user", "Weather in Oslo and Rome?"),
            said(
                "assistant",
                "Looking.",
                {"tool_call": {"id": "callOslo1", "name": "get_weather", "arguments": OSLO_TEXT}},
                {"tool_call": {"id": "callRome2", "name": "get_weather", "arguments": ROME_TEXT}},
            ),
            said(
                "tool",
                {"tool_result": {"id": "callOslo1", "content": "-3 °C"}},
                {"tool_result": {"id": "callRome2", "content": "14 °C"}},
            ),
        ],
        "max_tokens": 300,
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One conversation with one SDK: how it is sent in each mode. `home` is where the SDK asks unless it is told."""

    case: str
    provider: str
    protocol: str
    model: str
    sends: Mapping[str, Send]
    home: str


def send(call: Callable[..., Any], words: Json) -> Send:
    """The call, to be made later, with its answer read to its end, as SDKs send a stream only when it is read."""
    return lambda: list(call(**words))


# --- the words of each SDK --------------------------------------------------------------------------------------------


def text(*said: tuple[str, Any]) -> list[Json]:
    return [{"role": role, "content": content} for role, content in said]


OPTIONS = {"temperature": 0.5, "top_p": 0.9}
TURNS = (("system", "Be brief."), ("user", "Name a colour."), ("assistant", "Red."), ("user", "Another?"))
WHICH = text(("user", "Which colour?"))
CALLS = [
    {"id": id_, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    for id_, arguments in (("callOslo1", OSLO_TEXT), ("callRome2", ROME_TEXT))
]
TOOLS = [
    *text(("user", "Weather in Oslo and Rome?")),
    {"role": "assistant", "content": "Looking.", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "callOslo1", "content": "-3 °C"},
    {"role": "tool", "tool_call_id": "callRome2", "content": "14 °C"},
]
BRIEF = text(("system", "Be brief."), ("user", "Good day, 日本!"))
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
PICTURE = [{"type": "text", "text": "Which colour?"}, {"type": "image_url", "image_url": {"url": PIXEL_URL}}]
PLAN = [{"type": "text", "text": "Sum it up."}]


def openai(url: str) -> Iterator[Asked]:
    sdk = import_module("openai")
    client, home = sdk.OpenAI(api_key=KEY, base_url=f"{url}/v1"), str(sdk.OpenAI(api_key=KEY).base_url)
    create, model, limit = client.chat.completions.create, "gpt-5.4-mini", {"max_completion_tokens": 300}
    file = {"type": "file", "file": {"filename": "plan.pdf", "file_data": PDF_URL}}
    chats: Mapping[str, Json] = {
        "options": {"messages": BRIEF, **limit, **OPTIONS, "stop": ["END", "STOP"], "seed": 7},
        "turns": {"messages": text(*TURNS), **limit},
        "image": {"messages": text(("user", PICTURE)), **limit},
        "file": {"messages": text(("user", [*PLAN, file])), **limit},
        "schema": {"messages": WHICH, **limit, "response_format": FORMAT},
        "effort": {"messages": WHICH, "max_completion_tokens": 9000, "reasoning_effort": "low"},
        "tools": {"messages": TOOLS, **limit},
    }
    for case, words in chats.items():
        plain = {"model": model, **words}
        sends = {
            "plain": send(create, plain),
            "stream": send(create, {**plain, "stream": True, "stream_options": {"include_usage": True}}),
        }
        yield Asked(case, "openai", "openai-chat", model, sends, home)
    yield from openai_responses(client.responses, model, home)


def openai_responses(responses: Any, model: str, home: str) -> Iterator[Asked]:
    limit = {"max_output_tokens": 300}
    look: Json = {"type": "input_text", "text": "Which colour?"}
    image = {"type": "input_image", "image_url": PIXEL_URL, "detail": "auto"}
    file = {"type": "input_file", "filename": "plan.pdf", "file_data": PDF_URL}
    calls = [
        {"type": "function_call", "call_id": id_, "name": "get_weather", "arguments": arguments}
        for id_, arguments in (("callOslo1", OSLO_TEXT), ("callRome2", ROME_TEXT))
    ]
    results = [
        {"type": "function_call_output", "call_id": id_, "output": output}
        for id_, output in (("callOslo1", "-3 °C"), ("callRome2", "14 °C"))
    ]
    shape = {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA}
    cases: Mapping[str, tuple[Json, Json]] = {  # what is counted too, and what only an answer has
        "options": ({"instructions": "Be brief.", "input": BRIEF[1:]}, {**limit, **OPTIONS}),
        "turns": ({"instructions": "Be brief.", "input": text(*TURNS[1:])}, limit),
        "image": ({"input": text(("user", [look, image]))}, limit),
        "file": ({"input": text(("user", [{"type": "input_text", "text": "Sum it up."}, file]))}, limit),
        "schema": ({"input": WHICH, "text": {"format": shape}}, limit),
        "effort": ({"input": WHICH, "reasoning": {"effort": "low", "summary": "auto"}}, {"max_output_tokens": 9000}),
        "tools": ({"input": [*text(*TOOLS_SAID), *calls, *results]}, limit),
    }
    for case, (counted, more) in cases.items():
        words = {"model": model, **counted}
        sends = {
            "plain": send(responses.create, {**words, **more, "store": False}),
            "stream": send(responses.create, {**words, **more, "store": False, "stream": True}),
            "count": send(responses.input_tokens.count, words),
        }
        yield Asked(case, "openai", "openai-responses", model, sends, home)


TOOLS_SAID = (("user", "Weather in Oslo and Rome?"), ("assistant", "Looking."))


def anthropic(url: str) -> Iterator[Asked]:
    sdk = import_module("anthropic")
    messages, home = sdk.Anthropic(api_key=KEY, base_url=url).messages, str(sdk.Anthropic(api_key=KEY).base_url)
    model, limit = "claude-haiku-4-5", {"max_tokens": 300}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    file = {"type": "document", "source": source, "title": "plan.pdf"}
    uses = [
        {"type": "tool_use", "id": id_, "name": "get_weather", "input": input_}
        for id_, input_ in (("callOslo1", OSLO), ("callRome2", ROME))
    ]
    results = [
        {"type": "tool_result", "tool_use_id": id_, "content": content}
        for id_, content in (("callOslo1", "-3 °C"), ("callRome2", "14 °C"))
    ]
    looking = [{"type": "text", "text": "Looking."}, *uses]
    think = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}
    shape = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    cases: Mapping[str, tuple[Json, Json]] = {  # what is counted too, and what only an answer has
        "options": (
            {"system": "Be brief.", "messages": BRIEF[1:]},
            {**limit, "stop_sequences": ["END", "STOP"]},
        ),
        "turns": ({"system": "Be brief.", "messages": text(*TURNS[1:])}, limit),
        "image": ({"messages": text(("user", [PICTURE[0], image]))}, limit),
        "file": ({"messages": text(("user", [*PLAN, file]))}, limit),
        "schema": ({"messages": WHICH, **shape}, limit),
        "effort": ({"messages": WHICH, **think}, {"max_tokens": 9000}),
        "tools": ({"messages": text(TOOLS_SAID[0], ("assistant", looking), ("user", results))}, limit),
    }
    for case, (counted, more) in cases.items():
        words = {"model": model, **counted}
        sends = {
            "plain": send(messages.create, {**words, **more}),
            "stream": send(messages.create, {**words, **more, "stream": True}),
            "count": send(messages.count_tokens, words),
        }
        yield Asked(case, "anthropic", "anthropic-messages", model, sends, home)


def google_genai(url: str) -> Iterator[Asked]:
    genai, types = import_module("google.genai"), import_module("google.genai.types")
    options = types.HttpOptions(base_url=url, api_version="v1beta")
    client, part = genai.Client(api_key=KEY, http_options=options), types.Part
    home = genai.Client(api_key=KEY)._api_client._http_options.base_url
    image = part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png")
    file = part.from_bytes(data=base64.b64decode(PDF), mime_type="application/pdf")
    calls = [
        part(function_call=types.FunctionCall(id=id_, name="get_weather", args=arguments))
        for id_, arguments in (("callOslo1", OSLO), ("callRome2", ROME))
    ]
    results = [
        part(function_response=types.FunctionResponse(id=id_, name="get_weather", response={"output": result}))
        for id_, result in (("callOslo1", "-3 °C"), ("callRome2", "14 °C"))
    ]

    def spoken(*turns: tuple[str, list[Any]]) -> list[Any]:
        return [
            types.Content(role=role, parts=[part(text=said) if isinstance(said, str) else said for said in parts])
            for role, parts in turns
        ]

    def level(**thinking: Any) -> Json:
        return {"thinking_config": types.ThinkingConfig(include_thoughts=True, **thinking), "max_output_tokens": 9000}

    model, which, limit = "gemini-2.5-flash", spoken(("user", ["Which colour?"])), {"max_output_tokens": 300}
    turns = spoken(("user", ["Name a colour."]), ("model", ["Red."]), ("user", ["Another?"]))
    weather = spoken(("user", ["Weather in Oslo and Rome?"]), ("model", ["Looking.", *calls]), ("user", results))
    told = {"system_instruction": "Be brief.", **limit}
    shape = {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    good_day: Json = {**told, **OPTIONS, "stop_sequences": ["END", "STOP"], "seed": 7}
    cases: Mapping[str, tuple[str, Any, Json]] = {
        "options": (model, "Good day, 日本!", good_day),
        "turns": (model, turns, told),
        "image": (model, spoken(("user", ["Which colour?", image])), limit),
        "file": (model, spoken(("user", ["Sum it up.", file])), limit),
        "schema": (model, which, {**limit, **shape}),
        "effort": ("gemini-3-pro-preview", which, level(thinking_level="LOW")),
        "effort-budget": (model, which, level(thinking_budget=4096)),
        "tools": (model, weather, limit),
    }
    for case, (model_, contents, config) in cases.items():
        asked = {"model": model_, "contents": contents}
        sends = {
            "plain": send(client.models.generate_content, {**asked, "config": config}),
            "stream": send(client.models.generate_content_stream, {**asked, "config": config}),
            "count": send(client.models.count_tokens, asked),
        }
        yield Asked(case, "gemini", "gemini", model_, sends, home)


def cohere(url: str) -> Iterator[Asked]:
    sdk = import_module("cohere")
    client, model, limit = sdk.ClientV2(api_key=KEY, base_url=url), "command-a-03-2025", {"max_tokens": 300}

    def user(content: Any) -> Any:
        return sdk.UserChatMessageV2(content=content)

    home = import_module("cohere.environment").ClientEnvironment.PRODUCTION.value
    calls = [
        sdk.ToolCallV2(id=id_, function=sdk.ToolCallV2Function(name="get_weather", arguments=arguments))
        for id_, arguments in (("callOslo1", OSLO_TEXT), ("callRome2", ROME_TEXT))
    ]
    results = [
        sdk.ToolChatMessageV2(tool_call_id=id_, content=content)
        for id_, content in (("callOslo1", "-3 °C"), ("callRome2", "14 °C"))
    ]
    looking = sdk.AssistantChatMessageV2(content="Looking.", tool_calls=calls)
    system, red = sdk.SystemChatMessageV2(content="Be brief."), sdk.AssistantChatMessageV2(content="Red.")
    image = sdk.ImageUrlContent(image_url=sdk.ImageUrl(url=PIXEL_URL))
    which = user("Which colour?")
    shape = sdk.JsonObjectResponseFormatV2(json_schema=SCHEMA)
    think = sdk.Thinking(type="enabled", token_budget=4096)
    options = {"temperature": 0.5, "p": 0.9, "stop_sequences": ["END", "STOP"], "seed": 7}
    cases: Mapping[str, Json] = {
        "options": {"messages": [system, user("Good day, 日本!")], **limit, **options},
        "turns": {"messages": [system, user("Name a colour."), red, user("Another?")], **limit},
        "image": {"messages": [user([sdk.TextContent(text="Which colour?"), image])], **limit},
        "schema": {"messages": [which], **limit, "response_format": shape},
        "effort": {"messages": [which], "max_tokens": 9000, "thinking": think},
        "tools": {"messages": [user("Weather in Oslo and Rome?"), looking, *results], **limit},
    }
    counted = {"text": "Which colour?", "model": model, "offline": False}
    for case, words in cases.items():
        asked = {"model": model, **words}
        sends = {"plain": send(client.chat, asked), "stream": send(client.chat_stream, asked)}
        if case == "schema":
            sends["count"] = send(client.tokenize, counted)
        yield Asked(case, "cohere", "cohere", model, sends, home)


def mistralai(url: str) -> Iterator[Asked]:
    sdk = import_module("mistralai.client").Mistral
    chat, home = sdk(api_key=KEY, server_url=url).chat, sdk().sdk_configuration.get_server_details()[0]
    model, limit = "mistral-small-latest", {"max_tokens": 300}
    cases: Mapping[str, Json] = {
        "options": {"messages": BRIEF, **limit, **OPTIONS, "stop": ["END", "STOP"], "random_seed": 7},
        "turns": {"messages": text(*TURNS), **limit},
        "image": {"messages": text(("user", PICTURE)), **limit},
        "schema": {"messages": WHICH, **limit, "response_format": FORMAT},
        "effort": {"messages": WHICH, "max_tokens": 9000, "reasoning_effort": "low"},
        "tools": {"messages": TOOLS, **limit},
    }
    for case, words in cases.items():
        asked = {"model": model, **words}
        sends = {"plain": send(chat.complete, asked), "stream": send(chat.stream, asked)}
        yield Asked(case, "mistral", "openai-chat", model, sends, home)


def ollama(url: str) -> Iterator[Asked]:
    sdk, model, limit = import_module("ollama"), "llama3.2", {"num_predict": 300, "num_ctx": 4096}
    client, home = sdk.Client(host=url), str(sdk.Client()._client.base_url)
    calls = [{"function": {"name": "get_weather", "arguments": arguments}} for arguments in (OSLO, ROME)]
    results = [{"role": "tool", "tool_name": "get_weather", "content": content} for content in ("-3 °C", "14 °C")]
    weather = [*text(TOOLS_SAID[0]), {"role": "assistant", "content": "Looking.", "tool_calls": calls}, *results]
    options = {**limit, **OPTIONS, "stop": ["END", "STOP"], "seed": 7}
    look = [{"role": "user", "content": "Which colour?", "images": [sdk.Image(value=base64.b64decode(PIXEL))]}]
    cases: Mapping[str, Json] = {
        "options": {"messages": BRIEF, "options": options},
        "turns": {"messages": text(*TURNS), "options": limit},
        "image": {"messages": look, "options": limit},
        "schema": {"messages": WHICH, "options": limit, "format": SCHEMA},
        "effort": {"messages": WHICH, "options": {"num_predict": 9000, "num_ctx": 16384}, "think": "low"},
        "tools": {"messages": weather, "options": limit},
    }
    for case, words in cases.items():
        asked = {"model": model, **words}
        sends = {"plain": send(client.chat, asked), "stream": send(client.chat, {**asked, "stream": True})}
        yield Asked(case, "ollama", "ollama", model, sends, home)


SDKS: Mapping[str, Callable[[str], Iterator[Asked]]] = {
    "openai": openai,
    "anthropic": anthropic,
    "google-genai": google_genai,
    "cohere": cohere,
    "mistralai": mistralai,
    "ollama": ollama,
}
