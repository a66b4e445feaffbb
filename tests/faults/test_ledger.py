"""No hidden charge: what providers accepted, counted by themselves, stands in the run log attempt by attempt."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from answers import Answer, answer, chat, error, plain_chat
from conftest import Aix
from server import Server, nobody_listens
from steps import Close, Reset, Script, Stall

NOW = {"Retry_After": "0"}
SCHEMA = '{"type": "object", "required": ["a"]}'

FAULTS: Mapping[str, Sequence[Answer | Script]] = {
    "none": (),
    "429, then well": (error(429, **NOW),),
    "503 twice, then well": (error(503, **NOW), error(503, **NOW)),
    "500 that was billed, for ever": (error(500, **NOW),) * 9,
    "529, then no quota": (error(529, **NOW), error(429, "insufficient_quota")),
    "408, then a wrong key": (error(408, **NOW), error(401)),
    "a bad request": (error(400),),
    "closed before a word": ([Close()],) * 9,
    "reset before a word": ([Reset()],) * 9,
    "silent": ([Stall()],) * 9,
    "cut in its head": (chat("half").cut_at(20),) * 9,
    "cut after a word": (chat("half", "way").cut_at(chat("half", "way").after(1)),) * 9,
    "silent after a word": (chat("half", "way").stalled_at(chat("half", "way").after(1)),) * 9,
    "no JSON": (answer(b"<html>", Content_Type="text/html"),) * 9,
    "nothing in it": (answer(b"", Content_Type="application/json"),) * 9,
    "another place": (error(307, Location="http://127.0.0.1:9/"),),
}

WAYS: Mapping[str, tuple[str, ...]] = {
    "alone": (),
    "in one piece": ("--no-stream",),
    "with a second who answers": ("--fallback", "two"),
    "with an answer that is asked for again": ("--schema", SCHEMA, "--fallback", "two"),
}


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with Server() as first, Server() as second:
        yield first, second


def provide(library: Path, *urls: str) -> None:
    names = ("one", "two", "three")
    short = {"default_model": "m", "first_byte_timeout": 0.3, "silence_timeout": 0.3}
    rows = {name: {"base_url": url, **short} for name, url in zip(names, urls, strict=False)}
    said = {"custom_providers": rows, "default_provider": "one"}
    (library / "config.json").write_text(json.dumps(said))
    (library / "config.json").chmod(0o600)
    (library / "ask.md").write_text("Say hello.")


def sent(home: Path) -> Counter[str]:
    """How often each provider was sent something, by the log; an attempt that began nothing is no run."""
    with closing(sqlite3.connect(home / ".local/share/aix/runs.db")) as base:
        assert base.execute("SELECT count(*) FROM runs WHERE ended IS NOT NULL").fetchone() == (1,)
        return Counter(provider for (provider,) in base.execute("SELECT provider FROM attempts WHERE sent"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_that_was_accepted_is_an_attempt_in_the_log(
    fault: str, way: str, servers: tuple[Server, Server], home: Path, library: Path, aix: Aix
) -> None:
    well = plain_chat("no JSON") if way == "in one piece" else chat("no JSON")
    for server, before in zip(servers, (FAULTS[fault], ()), strict=True):
        server.answers(*before, *[well] * 6)
    provide(library, *(server.url for server in servers))
    aix("run", "ask", "-x", *WAYS[way])
    accepted = {name: len(server.requests) for name, server in zip(("one", "two"), servers, strict=True)}
    assert sent(home) == Counter(accepted)
    assert accepted["one"] >= 1


def test_what_reached_nobody_is_in_the_log_as_not_sent(
    servers: tuple[Server, Server], home: Path, library: Path, aix: Aix
) -> None:
    servers[0].answers(chat("well"))
    with nobody_listens() as nowhere:
        provide(library, nowhere, servers[0].url)
        assert aix("run", "ask", "-x", "--fallback", "two").stdout == "well"
    assert sent(home) == Counter(two=1)
