"""What the log keeps of a run: how much of it, which figures, and never a secret."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote_plus

import pytest

from aix.config.secrets import Secret
from aix.errors import AixError, IncompleteError, NetworkError, ProviderError, RefusedError, StorageError
from aix.llm.catalogue import Price, Rates
from aix.llm.clock import Clock
from aix.llm.exchange import Attempt
from aix.llm.providers import Providers
from aix.llm.routing import Target
from aix.messages import Event, File, Finish, Message, Text, TextDelta, ToolCallDelta, Usage
from aix.runs.logged import Choice, Estimate, Logged
from aix.runs.recorder import MAX_DATA, MAX_VALUE, Recorder
from aix.runs.run import Run
from aix.runs.runlog import RunLog

KEY = "sk-acme-0123456789abcdef"
NOW = 1_760_000_000.0
DAY = 24 * 60 * 60
TARGET = Target(Providers({}, {}).get("openai"), "m-1")
EXPECTED = Estimate(100, 2000, Decimal("0.0041"))
PRICE = Price("own", "2026-11-21", Rates(Decimal(1), Decimal(2)))
TOLD = Finish("stop", Usage(10, 20, reported_cost=None))


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "data" / "runs.db")


def run_of(*events: Event, aside: Sequence[Event] = (), attempts: Sequence[Attempt] = (), **more: Any) -> Run:
    """A run as it is once it was sent: `events` came of its answer, `aside` of the one before."""
    run = Run("greet", "sha256:0", "user", messages=(Message("user", (Text("Hello there"),)),), target=TARGET)
    run.price = PRICE
    run.attempts += attempts
    for name, value in more.items():
        setattr(run, name, value)
    for event in aside:
        run.collector.note(event)
    if aside:
        run.begin_again()
    for event in events:
        run.collector.note(event)
    return run


def recorder(log: RunLog, level: str = "full", now: float = NOW, **more: Any) -> tuple[Recorder, list[str]]:
    said: list[str] = []
    return Recorder(log, level, said.append, Clock(now=lambda: now), secrets=lambda: [Secret(KEY)], **more), said


def record(log: RunLog, run: Run, error: BaseException | None = None, level: str = "full") -> Logged:
    keeper, said = recorder(log, level)
    keeper.begin(run, EXPECTED)
    keeper.end(run, error)
    assert said == []
    return log.get(run.number)


def sent(status: int = 200, error: str = "", *, first: float | None = None, reached: bool = True) -> Attempt:
    first = 0.1 if status == 200 and first is None else first
    return Attempt("openai", "m-1", status, error, 0.5, first, "OPENAI_API_KEY", reached)


def figures(run: Logged) -> tuple[int | None, int | None, Decimal | None, int]:
    return run.input_tokens, run.output_tokens, run.dollars, run.estimated


RESERVED = (100, 2000, Decimal("0.0041"), 1)
NOTHING = (0, 0, Decimal(0), 0)


@pytest.mark.parametrize(
    ("run", "error", "found"),
    [
        (run_of(TextDelta("Hi"), TOLD, attempts=[sent()]), None, (10, 20, Decimal("0.00005"), 0)),
        (
            run_of(Finish("stop", Usage(10, 20, reported_cost=Decimal("0.7"))), attempts=[sent()]),
            None,
            (10, 20, Decimal("0.7"), 0),
        ),
        (run_of(TextDelta("x" * 400), Finish("stop"), attempts=[sent()]), None, (100, 100, Decimal("0.0003"), 1)),
        (
            run_of(TextDelta("x" * 400), attempts=[sent(error="INCOMPLETE")]),
            IncompleteError("cut"),
            (100, 100, Decimal("0.0003"), 1),
        ),
        (
            run_of(TextDelta("x" * 400), attempts=[sent(error="INTERRUPTED")]),
            KeyboardInterrupt(),
            (100, 100, Decimal("0.0003"), 1),
        ),
        (run_of(TextDelta("x" * 400)), BrokenPipeError(), (100, 100, Decimal("0.0003"), 1)),
        (run_of(attempts=[sent(0, "INTERRUPTED")]), KeyboardInterrupt(), RESERVED),
        (run_of(attempts=[sent(0, "TIMEOUT")]), AixError("late"), RESERVED),
        (run_of(attempts=[sent(503, "PROVIDER")] * 3), ProviderError("down"), RESERVED),
        (run_of(attempts=[sent(0, "NETWORK")]), NetworkError("broken off"), RESERVED),
        (run_of(attempts=[sent(0, "NETWORK", reached=False)]), NetworkError("refused"), NOTHING),
        (run_of(attempts=[sent(401, "AUTH")]), AixError("no"), NOTHING),
        (run_of(attempts=[sent(429, "RATE_LIMIT")] * 3), AixError("later"), NOTHING),
        (
            run_of(TextDelta("Hi"), TOLD, attempts=[sent(503, "PROVIDER"), sent()]),
            None,
            (10, 20, Decimal("0.00005"), 1),
        ),
        (
            run_of(TextDelta("Hi"), TOLD, attempts=[sent(429, "RATE_LIMIT"), sent()]),
            None,
            (10, 20, Decimal("0.00005"), 0),
        ),
        (
            run_of(TextDelta("{}"), TOLD, aside=[TextDelta("{"), TOLD], attempts=[sent(), sent()]),
            None,
            (20, 40, Decimal("0.0001"), 0),
        ),
        (
            run_of(TextDelta("x" * 400), aside=[TextDelta("{"), TOLD], attempts=[sent(), sent(error="INTERRUPTED")]),
            KeyboardInterrupt(),
            (110, 120, Decimal("0.00035"), 1),
        ),
        (run_of(TextDelta("Hi"), TOLD, attempts=[sent()], price=None), None, (10, 20, None, 0)),
        (run_of(Finish("stop", Usage(10**30, -5)), attempts=[sent()], price=None), None, (2**63 - 1, 0, None, 0)),
    ],
    ids=[
        *("told", "reported", "no usage", "cut", "interrupted", "reader left", "interrupted before a word", "deadline"),
        *("server down", "broken off", "refused", "no key", "limited", "down, then told", "limited, then told"),
        *("corrected", "interrupted while correcting", "unpriced", "impossible figures"),
    ],
)
def test_what_may_have_been_paid_for_is_never_nothing(
    log: RunLog, run: Run, error: BaseException | None, found: tuple[int, int, Decimal | None, int]
) -> None:
    assert figures(record(log, run, error)) == found


def test_a_run_stands_in_the_log_before_it_is_sent(log: RunLog) -> None:
    run = run_of()
    recorder(log)[0].begin(run, EXPECTED)
    logged = log.get(None)
    assert figures(logged) == RESERVED
    assert (logged.started, logged.ended, logged.asked, logged.model) == (int(NOW * 1000), None, "openai:m-1", "m-1")


def test_a_correction_is_reserved_besides_what_was_answered(log: RunLog) -> None:
    keeper, _ = recorder(log)
    run = run_of(TextDelta("{"), TOLD, attempts=[sent()])
    keeper.begin(run, EXPECTED)
    run.begin_again()
    keeper.begin(run, EXPECTED)
    assert figures(log.get(None)) == (110, 2020, Decimal("0.00415"), 1)
    assert len(log.list(Choice())) == 1


def test_what_was_never_sent_is_not_in_the_log(log: RunLog) -> None:
    keeper, _ = recorder(log)
    run = run_of()
    keeper.begin(run, EXPECTED)
    keeper.end(run, KeyboardInterrupt())
    assert log.list(Choice()) == []


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (None, None),
        (ProviderError("down"), "PROVIDER"),
        (KeyboardInterrupt(), "INTERRUPTED"),
        (BrokenPipeError(), "INTERRUPTED"),
        (ValueError("a bug"), "ERROR"),
    ],
)
def test_how_a_run_ended_is_a_word(log: RunLog, error: BaseException | None, name: str | None) -> None:
    assert record(log, run_of(TextDelta("Hi"), TOLD, attempts=[sent()]), error).error == name


@pytest.mark.parametrize(("level", "texts"), [("full", True), ("figures", False)])
def test_the_level_says_whether_texts_are_kept(log: RunLog, level: str, texts: bool) -> None:
    run = run_of(TextDelta("Hi"), TOLD, attempts=[sent()], arguments={"name": "Ada"})
    logged = record(log, run, ProviderError("it said: Hello there"), level)
    assert (logged.arguments, logged.message) == (
        ('{"name": "Ada"}', "it said: Hello there") if texts else (None, None)
    )
    assert [part.text for part in log.said(logged.id)] == (["Hello there", "Hi"] if texts else [])
    assert (logged.output_tokens, len(log.attempts(logged.id))) == (20, 1)
    assert (b"Hello" in log.path.read_bytes()) is texts


def test_nothing_is_written_where_the_log_is_off_but_where_limits_need_it(log: RunLog) -> None:
    keeper, _ = recorder(log, "off")
    keeper.begin(run_of(), EXPECTED)
    assert not log.path.exists()
    keeper, _ = recorder(log, "off", check=lambda *_: lambda _: None)
    run = run_of(TextDelta("Hi"), TOLD, attempts=[sent()])
    keeper.begin(run, EXPECTED)
    keeper.end(run, None)
    assert (log.get(None).output_tokens, log.said(1)) == (20, [])


def test_a_run_that_is_refused_leaves_no_row(log: RunLog) -> None:
    def refuse(_: object) -> None:
        raise RefusedError("too much")

    run = run_of()
    with pytest.raises(RefusedError):
        recorder(log, check=lambda *_: refuse)[0].begin(run, EXPECTED)
    assert (run.number, log.list(Choice())) == (None, [])


def test_no_secret_stands_in_the_log(log: RunLog) -> None:
    said = f"use {KEY} for it"
    run = run_of(
        TextDelta(said),
        ToolCallDelta(0, json.dumps({"key": KEY}), "1", f"tool-{KEY}"),
        TOLD,
        attempts=[sent()],
        arguments=MappingProxyType({"text": said, "list": [said], "map": {"a": said}}),
        options={"extra": {"header": said}},
        messages=(Message("user", (Text(said), File(said.encode(), "text/x", f"{KEY}.txt"))),),
    )
    logged = record(log, run, ProviderError(f"{said}, or sk-another-0123456789abcdef"))
    assert KEY.encode() not in log.path.read_bytes()
    assert logged.message == "use sk-a***cdef for it, or sk-a***cdef"
    assert next(part.text for part in log.said(logged.id) if part.text) == "use sk-a***cdef for it"
    assert [part.data for part in log.said(logged.id)] == [None] * 4


@pytest.mark.parametrize(
    "written",
    [
        *(str, lambda key: json.dumps({"key": key}), lambda key: json.dumps(key).replace("/", "\\/"), quote_plus),
        *(lambda key, user=user: b64encode(f"{user}:{key}".encode()).decode() for user in ("a", "ab", "abc")),
    ],
    ids=["raw", "JSON", "JSON with escaped slashes", "URL", *(f"Base64 {shift}" for shift in range(3))],
)
def test_no_secret_stands_in_the_log_however_it_is_written(log: RunLog, written: Callable[[str], str]) -> None:
    key = 'acme/0123+456"789abcdef'
    said = written(key)
    keeper = replace(recorder(log)[0], secrets=lambda: [Secret(key)])
    call, file = ToolCallDelta(0, said, "1", "tool"), File(said.encode(), "text/x", "a.txt")
    run = run_of(
        TextDelta(said), call, TOLD, attempts=[sent()], arguments={"x": said}, messages=(Message("user", (file,)),)
    )
    keeper.begin(run, EXPECTED)
    keeper.end(run, ProviderError(said))
    middle = said[len(said) // 2 - 4 : len(said) // 2 + 4]
    assert middle.encode() not in log.path.read_bytes()


def test_what_is_very_long_is_kept_once(log: RunLog) -> None:
    long, large = "x" * (MAX_VALUE + 1), b"\0" * (MAX_DATA + 1)
    parts = (Text(long), File(large, "application/pdf", "a.pdf"), File(b"small", "application/pdf", "b.pdf"))
    logged = record(log, run_of(TOLD, attempts=[sent()], arguments={"x": long}, messages=(Message("user", parts),)))
    assert len(logged.arguments or "") < MAX_VALUE + 100
    assert [(part.kind, len(part.text or ""), part.data) for part in log.said(logged.id)] == [
        ("text", len(long), None),
        ("file", 0, None),
        ("file", 0, b"small"),
    ]


def test_half_a_letter_costs_no_row(log: RunLog) -> None:
    run = run_of(TextDelta("a \ud83d b"), TOLD, attempts=[sent()], arguments={"x": "\ud83d"})
    assert log.said(record(log, run).id)[1].text == "a ? b"


def test_tool_calls_are_an_answer(log: RunLog) -> None:
    run = run_of(ToolCallDelta(0, '{"city": "Rome"}', "1", "weather"), Finish("tool_call"), attempts=[sent()])
    logged = record(log, run)
    answer = log.said(logged.id)[-1]
    assert (answer.role, answer.kind, answer.name, answer.text) == (
        "answer",
        "tool_call",
        "weather",
        '{"city": "Rome"}',
    )
    assert logged.output_tokens


def test_texts_go_after_so_many_days(log: RunLog) -> None:
    for days in (0, 1, 3):
        keeper, _ = recorder(log, now=NOW + days * DAY, keep=2)
        run = run_of(TextDelta("Hi"), TOLD, attempts=[sent()])
        keeper.begin(run, EXPECTED)
        keeper.end(run, None)
    assert [len(log.said(number)) for number in (1, 2, 3)] == [0, 2, 2]
    assert log.get(1).output_tokens == 20


def test_a_log_that_cannot_be_written_costs_one_warning(log: RunLog) -> None:
    log.path.mkdir(parents=True)
    keeper, said = recorder(log)
    run = run_of(TextDelta("Hi"), TOLD, attempts=[sent()])
    for _ in range(3):
        keeper.begin(run, EXPECTED)
    keeper.end(run, None)
    assert said == [f"this run might not be logged: the run log {log.path} is a directory, not a file"]


def test_where_limits_need_it_nothing_is_sent_without_it(log: RunLog) -> None:
    log.path.mkdir(parents=True)
    with pytest.raises(StorageError):
        recorder(log, check=lambda *_: lambda _: None)[0].begin(run_of(), EXPECTED)


def test_damage_that_is_met_at_the_end_does_not_free_who_has_limits(log: RunLog) -> None:
    keeper, said = recorder(log, check=lambda *_: lambda _: None)
    run = run_of(TextDelta("Hi"), TOLD, attempts=[sent()])
    keeper.begin(run, EXPECTED)
    log.path.write_bytes(b"broken" * 1000)
    keeper.end(run, None)
    assert said == [f"what came of this run might not be logged: the run log {log.path} is another kind of file"]
    assert list(log.path.parent.glob("*.broken-*")) == []
