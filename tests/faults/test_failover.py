"""Who is asked when a provider fails, counted at the providers themselves: each fault, at each place, in chains of
one to four. The log says what the ledger says, and the answer is from one provider."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from answers import Answer, Part, answer, chat, error
from conftest import Aix, Result
from server import Server, nobody_listens
from steps import Close, Script

ONCE = {"x_should_retry": "false"}  # what is sent again to the same one is told in test_retries.py
TOO_LONG = "This model's maximum context length is 4096 tokens"
FILTERED = "content_filter"


@dataclass(frozen=True, slots=True)
class Fault:
    """A way in which a provider fails: the HTTP status, the word for it, and whether another one is asked then."""

    status: int
    word: str
    hands_on: bool
    message: str = "it said no"


FAULTS: Mapping[str, Fault] = {
    "no key": Fault(401, "invalid_api_key", True),
    "nothing paid": Fault(402, "insufficient_quota", True),
    "not allowed": Fault(403, "permission_error", True),
    "too many": Fault(429, "rate_limit_error", True),
    "overloaded": Fault(503, "server_error", True),
    "too long": Fault(400, "context_length_exceeded", True, TOO_LONG),
    "a bad request": Fault(400, "invalid_request_error", False),
    "a filter": Fault(403, FILTERED, False, "flagged"),  # a 403 that is none would hand on
}

PLACES = ("a status", "inside the stream", "after a word")
CHAINS = (1, 2, 3, 4)
NAMES = ("one", "two", "three", "four")


def faulty(fault: Fault, place: str) -> Answer:
    """An answer with a fault in a place."""
    if place == "a status":
        return error(fault.status, fault.word, fault.message, **ONCE)
    said = {"error": {"code": fault.word, "type": fault.word, "message": fault.message}}
    part = Part(b"data: " + json.dumps(said).encode() + b"\n\n")
    before = chat("half").parts[:1] if place == "after a word" else ()
    return replace(chat("half"), parts=(*before, part)).with_headers(**ONCE)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    with ExitStack() as open_:
        yield [open_.enter_context(Server()) for _ in NAMES]


def provide(library: Path, urls: Sequence[str], **settings: Any) -> None:
    """A provider for each address, the first of them the default one; each takes more than the one before it."""
    rows = {name: {"base_url": url, "default_model": "m"} for name, url in zip(NAMES, urls, strict=False)}
    models = {f"m{place}": {"provider": name, "context": place * 10_000} for place, name in enumerate(rows, 1)}
    for place, row in enumerate(rows.values(), 1):
        row["default_model"] = f"m{place}"
    keys = {name: f"sk-canary-{name}-0123456789abcdef" for name in rows}
    said = {"custom_providers": rows, "api_keys": keys, "models": models, "default_provider": NAMES[0], **settings}
    path = library / "config.json"
    path.write_text(json.dumps(said))
    path.chmod(0o600)
    (library / "ask.md").write_text("Say hello.")


def asked(aix: Aix, *flags: str) -> tuple[Result, dict[str, Any]]:
    result = aix("run", "ask", "-x", "--json", *flags)
    return result, json.loads(result.stdout)


def logged(home: Path) -> list[tuple[str, int]]:
    """The provider and the status of each attempt in the log, in their order."""
    with sqlite3.connect(home / ".local/share/aix/runs.db") as base:
        return list(base.execute("SELECT provider, status FROM attempts ORDER BY run, number"))


@pytest.mark.parametrize("length", CHAINS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_the_answer_is_from_one_and_everybody_who_was_asked_is_in_the_log(
    name: str, place: str, length: int, servers: list[Server], home: Path, library: Path, aix: Aix
) -> None:
    fault = FAULTS[name]
    for server in servers[: length - 1] or servers[:1]:
        server.answers(faulty(fault, place))
    if length > 1:
        servers[length - 1].answers(chat("whole"))
    provide(library, [server.url for server in servers])
    result, said = asked(aix, *(flag for name in NAMES[1:length] for flag in ("--fallback", name)))

    goes_on = fault.hands_on and place != "after a word"
    expected = length if goes_on else 1
    assert [len(server.requests) for server in servers] == [1] * expected + [0] * (len(servers) - expected)
    answers = goes_on and length > 1
    assert (said["text"], said["provider"]) == (
        "whole" if answers else "half" if place == "after a word" else "",
        NAMES[expected - 1],
    )
    assert (result.status == 0) is answers
    if place == "after a word":
        assert result.status == 3
    log = logged(home)
    assert [provider for provider, _ in log] == list(NAMES[:expected])
    if place == "a status":
        assert [status for _, status in log] == [fault.status] * (expected - answers) + [200] * answers
    assert [row["provider"] for row in said["attempts"]] == list(NAMES[:expected])
    assert result.stderr.count("instead") == (expected - 1 if answers or expected > 1 else 0)


def test_nobody_who_listens_and_no_answer_in_time_are_reasons_to_ask_another(
    servers: list[Server], library: Path, aix: Aix
) -> None:
    silent, well = servers[:2]
    silent.answers(chat("late").stalled_at(0))
    well.answers(chat("whole"))
    with nobody_listens() as nowhere:
        provide(library, [nowhere, silent.url, well.url], first_byte_timeout=0.3)
        result, said = asked(aix, "--fallback", "two", "--fallback", "three")
    assert (result.status, said["text"], said["provider"]) == (0, "whole", "three")
    assert [row["error"] for row in said["attempts"]][-2:] == ["TIMEOUT", None]


def test_a_request_that_is_too_long_goes_only_to_a_model_that_takes_more(
    servers: list[Server], library: Path, aix: Aix
) -> None:
    for server in servers[:3]:
        server.answers(faulty(FAULTS["too long"], "a status"))
    servers[3].answers(chat("whole"))
    provide(library, [server.url for server in servers])
    result, said = asked(aix, "--model", "three", "--fallback", "one", "--fallback", "two", "--fallback", "four")
    assert (result.status, said["provider"]) == (0, "four")
    assert [len(server.requests) for server in servers] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("settings", "flags", "requests"),
    [
        ({"fallback": ["two"]}, (), [1, 1]),
        ({"fallback": {"targets": ["two"]}}, (), [1, 1]),
        ({"fallback": {"targets": ["two"], "on": ["5xx"]}}, (), [1, 0]),
        ({"fallback": {"targets": ["two"], "on": [429]}}, (), [1, 1]),
        ({"fallback": ["two"]}, ("--no-fallback",), [1, 0]),
        ({"fallback": ["two"]}, ("--model", "one"), [1, 0]),
        ({"fallback": ["two"]}, ("--provider", "one"), [1, 0]),
        ({"fallback": ["three"]}, ("--fallback", "two"), [1, 1]),
        ({"fallback": ["one", "two", "two"]}, (), [1, 1]),
        ({"fallback": ["two"], "deny": ["two"]}, (), [1, 0]),
        ({"fallback": ["two"], "allow": ["one"]}, (), [1, 0]),
    ],
    ids=str,
)
def test_the_settings_say_who_is_asked_and_after_what(
    settings: dict[str, Any],
    flags: tuple[str, ...],
    requests: list[int],
    servers: list[Server],
    library: Path,
    aix: Aix,
) -> None:
    servers[0].answers(faulty(FAULTS["too many"], "a status"))
    servers[1].answers(chat("whole"))
    provide(library, [server.url for server in servers], **settings)
    result, _ = asked(aix, *flags)
    assert [len(server.requests) for server in servers[:2]] == requests
    assert result.status == (0 if requests[1] else 8)


def test_each_key_is_tried_before_the_next_provider_and_none_twice(
    servers: list[Server], home: Path, library: Path, aix: Aix
) -> None:
    servers[0].answers(error(401, "invalid_api_key", **ONCE))
    servers[1].answers(chat("whole"))
    keys = [f"sk-canary-{word}-0123456789abcdef" for word in ("red", "blue", "red")]
    provide(library, [server.url for server in servers], api_keys={"one": keys, "two": keys[0]})
    result, said = asked(aix, "--fallback", "one", "--fallback", "two")
    shown = [request.headers["authorization"].removeprefix("Bearer ") for request in servers[0].requests]
    assert shown == keys[:2]
    assert (result.status, said["provider"]) == (0, "two")
    assert [provider for provider, _ in logged(home)] == ["one", "one", "two"]
    assert all(key not in result.stdout + result.stderr for key in keys)


def test_without_failover_not_even_another_key_is_tried(servers: list[Server], library: Path, aix: Aix) -> None:
    servers[0].answers(error(401, "invalid_api_key", **ONCE))
    keys = [f"sk-canary-{word}-0123456789abcdef" for word in ("red", "blue")]
    provide(library, [server.url for server in servers], api_keys={"one": keys})
    result, _ = asked(aix, "--no-fallback")
    assert (result.status, len(servers[0].requests)) == (4, 1)


def test_when_all_fail_the_last_error_says_who_was_asked(servers: list[Server], library: Path, aix: Aix) -> None:
    servers[0].answers(error(503, **ONCE))
    servers[1].answers(error(429, **ONCE))
    provide(library, [server.url for server in servers])
    result, said = asked(aix, "--fallback", "two")
    assert result.status == 8
    assert said["error"]["hint"].splitlines()[0] == "asked in turn: one:m1, two:m2"
    assert result.stderr.splitlines()[0] == "aix: warning: one failed (HTTP 503); asking two:m2 instead"


def test_what_is_in_the_prompt_counts_where_no_flag_does(servers: list[Server], library: Path, aix: Aix) -> None:
    servers[0].answers(error(503, **ONCE))
    servers[1].answers(chat("whole"))
    provide(library, [server.url for server in servers])
    (library / "ask.md").write_text("---\nmodel: one:m1\nfallback: [two]\n---\nSay hello.")
    result, said = asked(aix)
    assert (result.status, said["provider"]) == (0, "two")


def test_an_answer_that_has_begun_is_never_joined_to_another(servers: list[Server], library: Path, aix: Aix) -> None:
    servers[0].answers(chat("o", "k").cut_at(chat("o", "k").after(1)))
    servers[1].answers(answer(b"", "200 OK"))
    provide(library, [server.url for server in servers])
    result, said = asked(aix, "--fallback", "two")
    assert (result.status, said["text"], len(servers[1].requests)) == (3, "o", 0)


NO_ANSWERS: Mapping[str, Answer | Script] = {
    "a web page": answer(b"<p>Sign in", Content_Type="text/html"),
    "an empty stream": answer(b"", Content_Type="text/event-stream"),
    "a cut before any text": chat("half").cut_at(chat("half").after(1) - 1),
    "what is not JSON": answer(b"data: hello\n\n", Content_Type="text/event-stream"),
    "an error without a status": answer({"error": "it said no"}),
    "the end before the beginning": [Close()],
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_an_answer_that_is_none_hands_on_where_the_settings_say_so(
    name: str, servers: list[Server], library: Path, aix: Aix
) -> None:
    servers[0].answers(NO_ANSWERS[name])
    servers[1].answers(chat("whole"))
    urls = [server.url for server in servers]
    provide(library, urls, fallback=["two"])
    result, said = asked(aix)
    assert (result.status, said["provider"], len(servers[1].requests)) == (9, "one", 0)
    provide(library, urls, fallback={"targets": ["two"], "on": ["unanswered"]})
    result, said = asked(aix)
    assert (result.status, said["text"], [row["provider"] for row in said["attempts"]]) == (0, "whole", ["one", "two"])


@pytest.mark.parametrize(
    ("status", "requests"), [(503, [3, 3, 1, 1]), (429, [6, 2, 2, 2])], ids=["no other key helps", "each key may help"]
)
def test_a_run_sends_four_requests_again_and_no_more(
    status: int, requests: list[int], servers: list[Server], home: Path, library: Path, aix: Aix
) -> None:
    for server in servers:
        server.answers(error(status, Retry_After="0"))
    keys = {name: [f"sk-canary-{name}-{word}-0123456789" for word in ("red", "blue")] for name in NAMES}
    provide(library, [server.url for server in servers], api_keys=keys)
    asked(aix, *(flag for name in NAMES[1:] for flag in ("--fallback", name)))
    assert [len(server.requests) for server in servers] == requests
    assert len(logged(home)) == sum(requests)


def test_who_had_only_what_was_left_of_the_time_is_not_to_blame(
    servers: list[Server], home: Path, library: Path, aix: Aix
) -> None:
    for server in servers[:2]:
        server.answers(chat("late").stalled_at(0))
    provide(library, [server.url for server in servers], first_byte_timeout=0.5)
    started = time.monotonic()
    result, said = asked(aix, "--fallback", "two", "--fallback", "three", "--timeout", "0.8")
    assert time.monotonic() - started < 0.8 + 2
    assert (result.status, said["error"]["message"]) == (10, "two did not answer within what was left of 0.8 s")
    assert [len(server.requests) for server in servers[:3]] == [1, 1, 0]
    assert list(json.loads((home / ".local/state/aix/cooldown.json").read_text())) == ["one"]


def test_a_key_that_cannot_be_had_is_a_reason_to_ask_another(servers: list[Server], library: Path, aix: Aix) -> None:
    servers[1].answers(chat("whole"))
    provide(library, [server.url for server in servers], api_keys={})
    rows = json.loads((library / "config.json").read_text())
    rows["custom_providers"]["one"]["api_key_command"] = "false"
    (library / "config.json").write_text(json.dumps(rows))
    result, said = asked(aix, "--fallback", "two")
    assert (result.status, said["provider"], len(servers[0].requests)) == (0, "two", 0)
