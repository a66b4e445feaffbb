"""What is sent again and what is not, counted at the provider: a request that was accepted may cost money."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from answers import STREAMS, Answer, answer, chat, error
from conftest import Aix
from scene import KEY, PROMPT, ask, provide
from server import Server
from steps import Reset, Script

QUOTA = error(429, "insufficient_quota", "You exceeded your current quota")
OVERLOADED = answer(
    b'data: {"error": {"type": "overloaded_error", "message": "later"}}\n\n', Content_Type="text/event-stream"
)
OVERLOADED_LATER = replace(chat("o"), parts=(*chat("o").parts[:1], *OVERLOADED.parts))
NOW = {"Retry_After": "0"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


LEDGER: Mapping[str, tuple[Sequence[Answer | Script], int, int]] = {
    "429 that says when": ([error(429, **NOW), chat("ok")], 2, 0),
    "429 that says when in milliseconds": ([error(429, retry_after_ms="5", Retry_After="60"), chat("ok")], 2, 0),
    "503 twice": ([error(503), error(503), chat("ok")], 3, 0),
    "408 and 409": ([error(408, **NOW), error(409, **NOW), chat("ok")], 3, 0),
    "498 and 529": ([error(498, **NOW), error(529, **NOW), chat("ok")], 3, 0),
    "an overload inside a stream": ([OVERLOADED.with_headers(Retry_After="0"), chat("ok")], 2, 0),
    "500 for ever": ([error(500)], 3, 9),
    "429 for ever": ([error(429, **NOW)], 3, 8),
    "408 for ever": ([error(408, **NOW)], 3, 10),
    "no quota": ([QUOTA], 1, 8),
    "no quota, though it says when": ([QUOTA.with_headers(**NOW)], 1, 8),
    "429 for an hour": ([error(429, Retry_After="3600")], 1, 8),
    "503 for an hour": ([error(503, Retry_After="3600")], 1, 9),
    "500 that should not be": ([error(500, x_should_retry="false")], 1, 9),
    "424 that should be": ([error(424, x_should_retry="true", Retry_After="0"), chat("ok")], 2, 0),
    "400 that should be": ([error(400, x_should_retry="true")], 1, 9),
    "a cut before any text": ([chat("ok").cut_at(chat("ok").after(1) - 1)], 1, 9),
    "a cut after the end mark": ([chat("ok").cut_at(-20)], 1, 0),
    "a cut after text": ([chat("o", "k").cut_at(chat("o", "k").after(1))], 1, 3),
    "a reset": ([[Reset()]], 1, 7),
    "an overload after text": ([OVERLOADED_LATER], 1, 3),
}


@pytest.mark.parametrize("name", LEDGER)
def test_the_provider_is_asked_exactly_so_often(name: str, server: Server, library: Path, aix: Aix) -> None:
    scripts, requests, status = LEDGER[name]
    server.answers(*scripts)
    provide(library, server.url)
    result = ask(aix, "--json")
    assert (result.status, len(server.requests)) == (status, requests)
    assert len(json.loads(result.stdout)["attempts"]) == requests
    assert len({request.body for request in server.requests}) == 1


def test_a_wait_that_is_too_long_is_said(server: Server, library: Path, aix: Aix) -> None:
    server.answers(error(429, message="Rate limit reached", Retry_After="3600"))
    provide(library, server.url)
    assert ask(aix).stderr == (
        "aix: error: fake is limiting requests; it asks to wait 60 min\n"
        "  cause: Rate limit reached\n"
        "  hint: wait a little\n"
        "  hint: aix rerun last\n"
    )


REFUSALS: Mapping[int, tuple[int, str, str]] = {
    400: (9, "fake rejects the request (HTTP 400)", ""),
    401: (4, "fake does not accept the key", "aix api-key fake"),
    402: (8, "fake wants to be paid before it answers", "add credit: PAGE\n  hint: aix rerun last"),
    403: (4, "fake does not allow this to the key", "check what the key may do: PAGE"),
    404: (
        5,
        "fake has no model 'm', or nothing at this address",
        "name a model that it has: --model fake:MODEL\n  hint: aix model list --provider fake --live",
    ),
    413: (9, "the request is too large for fake", "send less text"),
    422: (9, "fake rejects the request (HTTP 422)", ""),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_is_final_and_tells_what_to_do(status: int, server: Server, library: Path, aix: Aix) -> None:
    exit_status, said, hint = REFUSALS[status]
    server.answers(error(status, message="it said\n\x1b[31mno", X_Request_Id="req-42", **NOW))
    provide(library, server.url)
    result = ask(aix)
    told = f"  hint: {hint}\n".replace("PAGE", f"{server.url}/chat/completions") if hint else ""
    expected = f"aix: error: {said}\n  cause: it said \\x1b[31mno\n{told}  request-id: req-42\n"
    assert (result.status, result.stdout, result.stderr) == (exit_status, "", expected)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("protocol", "header", "path"),
    [
        ("openai-chat", "authorization", "/v1/chat/completions"),
        ("anthropic-messages", "x-api-key", "/v1/messages"),
    ],
)
def test_what_is_sent_is_what_was_asked(
    protocol: str, header: str, path: str, server: Server, library: Path, aix: Aix
) -> None:
    server.answers(STREAMS[protocol]("ok"))
    provide(library, f"{server.url}/v1/", protocol, headers={"X-Team": "blue"})
    assert ask(aix).stdout == "ok"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", path)
    assert request.headers[header].removeprefix("Bearer ") == KEY
    assert sum(KEY in value for value in request.headers.values()) == 1
    assert request.headers["x-team"] == "blue"
    assert request.headers["content-type"] == "application/json"
    assert request.json["messages"] == [{"role": "user", "content": PROMPT}]
    assert request.json["stream"] is True
