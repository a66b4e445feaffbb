"""Ollama's own protocol: how large a window is asked for, at which address, and what a real server's answers mean."""

import json
from typing import Any

import pytest
from listing import Listener, Says, listening

from aix.errors import AixError
from aix.llm.client import Client
from aix.llm.exchange import Attempt, Exchange
from aix.llm.probe import probe
from aix.llm.protocols import protocol
from aix.llm.protocols.ollama import window
from aix.llm.providers import Dialect, Provider, Providers
from aix.messages import (
    File,
    Finish,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Response,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    Usage,
    collect,
)

LINES = (
    '{"message": {"content": "Good "}, "done": false}\n'
    '{"message": {"content": "day."}, "done": false}\n'
    '{"model": "llama3.2", "done": true, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 7}\n'
)
NDJSON = Says(LINES, kind="application/x-ndjson")


def text(tokens: int) -> Text:
    """A text of about so many tokens."""
    return Text("abcd" * tokens)


@pytest.mark.parametrize(
    ("parts", "max_tokens", "num_ctx"),
    [
        ([], None, 4096),
        ([text(10)], None, 4096),
        ([text(1638)], None, 4096),  # 2,047 with a quarter more, and 2,048 for the answer
        ([text(1639)], None, 4096),
        ([text(1640)], None, 8192),
        ([text(10)], 4000, 4096),
        ([text(10)], 4096, 8192),
        ([text(4915)], 2048, 8192),
        ([text(4916)], 2048, 16384),
        ([text(3000), text(3000)], None, 16384),
        ([text(100_000)], None, 131_072),
        ([Image(b"x", "image/png")], None, 4096),
        ([Image(b"x" * 1_000_000, "image/png")] * 2, None, 8192),
        ([Text("漢" * 1640)], None, 8192),
        ([Text("я" * 1640)], None, 8192),
        ([Text("0f3;" * 410)], None, 4096),
        ([Text("0f3;" * 700)], None, 8192),
        ([ToolResult("1", "abcd" * 1640)], None, 8192),
        ([ToolCall("1", "f", "abcd" * 1640)], None, 8192),
        ([File(b"abcd" * 1640, "text/plain", "a.txt")], None, 8192),
        ([File(b"abcd" * 1640, "application/pdf", "a.pdf")], None, 4096),  # it is not said at all
        ([Reasoning("abcd" * 1640)], None, 4096),
    ],
)
def test_the_window_is_the_smallest_that_holds_prompt_and_answer(
    parts: list[Part], max_tokens: int | None, num_ctx: int
) -> None:
    assert window(Request("m", (Message("user", tuple(parts)),), max_tokens), Dialect()) == num_ctx


def test_all_messages_are_in_the_window() -> None:
    conversation = tuple(Message(role, (text(600),)) for role in ("system", "user", "assistant", "user"))
    assert window(Request("m", conversation), Dialect()) == 8192


@pytest.mark.parametrize("num_ctx", [512, 4096, 5000, 262_144])
def test_the_users_own_window_wins(num_ctx: int) -> None:
    request = Request("m", (Message("user", (text(3000),)),), max_tokens=100)
    call = protocol("ollama").encode(request, Dialect(num_ctx=num_ctx), stream=True)
    assert call.body["options"] == {"num_predict": 100, "num_ctx": num_ctx}


def built_in(url: str) -> Provider:
    return Providers({}, {"OLLAMA_HOST": url}).get("ollama")


def own(url: str) -> Provider:
    return Providers({"box": {"base_url": url, "protocol": "ollama"}}, {}).get("box")


def asked(provider: Provider, *, stream: bool = True, model: str = "qwen3:4b") -> Response:
    module = protocol("ollama")
    call = module.encode(Request(model, (Message("user", (Text("Hi"),)),)), provider.dialect, stream=stream)
    attempts: list[Attempt] = []
    exchange = Exchange(provider, model, module, call, None, stream, 20.0)
    return collect(Client({}).events(exchange, attempts))


def first_line(listener: Listener) -> str:
    return listener.asked[0].splitlines()[0]


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "/api"])
@pytest.mark.parametrize("row", [built_in, own])
def test_it_is_asked_natively_however_its_address_ends(row: Any, base: str) -> None:
    with listening(NDJSON) as listener:
        provider = row(f"http://127.0.0.1:{listener.port}{base}")
        response = asked(provider)
        models = probe(Client({}), provider, None)
    assert (response.text, response.finish) == ("Good day.", Finish("stop", Usage(11, 7), "llama3.2"))
    assert first_line(listener) == "POST /api/chat HTTP/1.1"
    assert listener.asked[1].startswith("GET /api/tags HTTP/1.1")
    assert models.status == 200


def test_a_prefix_before_it_stays() -> None:
    with listening(NDJSON) as listener:
        asked(own(f"http://127.0.0.1:{listener.port}/gpu/v1"))
    assert first_line(listener) == "POST /gpu/api/chat HTTP/1.1"


def test_a_plain_answer_is_one_object() -> None:
    whole = {"model": "m", "message": {"content": "Good day."}, "done": True, "done_reason": "stop"}
    with listening(Says(json.dumps(whole), kind="application/json; charset=utf-8")) as listener:
        assert asked(built_in(f"127.0.0.1:{listener.port}"), stream=False).text == "Good day."


def test_its_models_are_listed_by_name() -> None:
    tags = {"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 7}, {"name": "qwen3:4b"}]}
    with listening(Says(json.dumps(tags))) as listener:
        found = probe(Client({}), built_in(f"127.0.0.1:{listener.port}"), None)
    assert found.models == ("llama3.2:latest", "qwen3:4b")


@pytest.mark.parametrize("row", [built_in, own])
def test_a_model_that_is_not_there_is_to_be_pulled(row: Any) -> None:
    missing = Says(json.dumps({"error": "model 'qwen3:4b' not found"}), status="404 Not Found")
    with listening(missing) as listener, pytest.raises(AixError) as caught:
        asked(row(f"http://127.0.0.1:{listener.port}"))
    assert (caught.value.name, caught.value.cause) == ("NOT_FOUND", "model 'qwen3:4b' not found")
    assert caught.value.hint == "ollama pull qwen3:4b"
    assert len(listener.asked) == 1


def test_an_error_after_some_text_keeps_the_text_and_is_told() -> None:
    broken = Says(LINES.partition("\n")[0] + '\n{"error": "out of memory"}\n', kind="application/x-ndjson")
    module = protocol("ollama")
    with listening(broken) as listener:
        provider = built_in(f"127.0.0.1:{listener.port}")
        call = module.encode(Request("m", ()), provider.dialect, stream=True)
        events = Client({}).events(Exchange(provider, "m", module, call, None, True, 20.0), [])
        assert next(events) == TextDelta("Good ")
        with pytest.raises(AixError) as caught:
            next(events)
    assert caught.value.cause == "out of memory"
    assert len(listener.asked) == 1
