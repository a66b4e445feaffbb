"""Writes a run into the log: before it is sent, with what it is expected to take, and after it, with what came."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aix.config.secrets import Secret, forms, hidden, hidden_with_likes
from aix.errors import AixError, StorageError
from aix.llm.clock import Clock
from aix.messages import File, Image, Message, Text
from aix.runs.logfile import DAMAGED
from aix.runs.logged import Columns, Estimate, Said
from aix.runs.run import Run
from aix.runs.runlog import Check, RunLog
from aix.runs.spent import Spent, came, spent

MAX_DATA = 4 * 1024 * 1024
"""The largest image or file, in bytes, of which the log keeps more than its name."""

MAX_VALUE = 64 * 1024
"""Of an argument that is longer than so many letters its beginning is kept: all of it stands in the messages."""

DAY = 24 * 60 * 60
KEEP_DAYS = 90

Result = TypeVar("Result")


def _unchecked(_: Any) -> None:
    pass


def _no_secrets() -> Sequence[Secret]:
    return ()


@dataclass(frozen=True, slots=True)
class Recorder:
    """`level` is how much is kept, `keep` for how many days its texts are. `check` makes what stands between a request
    and its being sent: None where nothing does. `secrets` are what must not stand in a text.

    A log that cannot be written costs nobody an answer, but where something must be checked by it, nothing is sent."""

    log: RunLog
    level: str
    warn: Callable[[str], None]
    clock: Clock
    check: Callable[[Run, Estimate], Check] | None = None
    secrets: Callable[[], Sequence[Secret]] = _no_secrets
    keep: int = KEEP_DAYS
    _gave_up: list[StorageError] = field(default_factory=list)

    def begin(self, run: Run, estimate: Estimate) -> None:
        """Note that a run's target is about to be asked. Raises RefusedError, or StorageError where limits are set."""
        check = self.check(run, estimate) if self.check else _unchecked
        reserved = {**_target(run), **spent(run).with_more(estimate)}
        run.expected, now = estimate, self.clock.now()
        if self._gave_up or (self.level == "off" and not self.check):
            return
        if run.number is None:
            run.started = int(now * 1000)
            since = max(0, int((now - self.keep * DAY) * 1000))
            row = {**_identity(run), **reserved}
            run.number = self._written(lambda: self.log.begin(row, check, since), "this run might not be logged")
        else:
            number, changes = run.number, {"started": run.started, **reserved}
            self._written(lambda: self.log.change(number, changes, check), "this run might not be logged")

    def end(self, run: Run, error: BaseException | None) -> None:
        """Note what came of a run; where nothing was sent, there was none."""
        if (number := run.number) is None:
            return
        lost = "what came of this run might not be logged"
        if not run.attempts and not came(run.response):
            self._written(lambda: self.log.forget(number, run.started), lost, checked=False)
            return
        full = self.level == "full"
        row = {**_identity(run), **_target(run)}
        secrets = self.secrets() if full else ()
        changes = {"started": run.started, **self._after(run, error), **(_texts(run, error, secrets) if full else {})}
        said = [_clean(part, secrets) for part in said_in(run)] if full else []
        done = self._written(lambda: self.log.end(number, changes, run.attempts, said, row), lost, checked=False)
        run.number = done or number

    @contextmanager
    def recording(self, run: Run) -> Iterator["Recorder"]:
        """Note what comes of a run, however it ends."""
        try:
            yield self
        except BaseException as error:
            self.end(run, error)
            raise
        self.end(run, None)

    def _written(self, action: Callable[[], Result], lost: str, *, checked: bool = True) -> Result | None:
        """What writing gives. A file that is none is set aside, but not by whoever must know what was in it."""
        try:
            try:
                return action()
            except StorageError as error:
                if self.check or error.reason != DAMAGED:
                    raise
                if place := self.log.set_aside():
                    self.warn(f"{error.message}; it is kept as {place}, and a new one begins")
                return action()
        except StorageError as error:
            if self.check and checked:
                raise
            self._gave_up.append(error)
            self.warn(f"{lost}: {error.message}")
            return None

    def _after(self, run: Run, error: BaseException | None) -> Columns:
        finish, last = run.response.finish, run.attempts[-1] if run.attempts else None
        return {
            **_target(run),
            "ended": int(self.clock.now() * 1000),
            "finish": finish.reason if finish else None,
            "error": _name(error),
            "reason": error.reason or None if isinstance(error, AixError) else None,
            **spent(run).columns,
            "seconds": round(sum(attempt.seconds for attempt in run.attempts), 3),
            "first_token": last.first_token if last else None,
            "key_source": last.key_source or None if last else None,
        }


def level_of(setting: str, *, wanted: bool, private: bool) -> str:
    """How much is kept of a run, as is set: nothing where that is not wanted, and of a private one no texts."""
    if not wanted:
        return "off"
    return "figures" if private and setting == "full" else setting


def said_in(run: Run) -> list[Said]:
    """The parts of the messages, and the answer."""
    place = len(run.messages)
    found = [part for index, message in enumerate(run.messages) for part in _said(index, message)]
    if run.response.text:
        found.append(Said(place, "answer", "text", run.response.text))
    calls = run.response.tool_calls
    return found + [Said(place, "answer", "tool_call", call.arguments, name=call.name) for call in calls]


def _said(place: int, message: Message) -> list[Said]:
    found = []
    for part in message.parts:
        match part:
            case Text(text):
                found.append(Said(place, message.role, "text", text))
            case Image(data, media_type, name) | File(data, media_type, name):
                kept = data if len(data) <= MAX_DATA else None
                kind = "image" if isinstance(part, Image) else "file"
                found.append(Said(place, message.role, kind, None, media_type, name, kept))
    return found


def _clean(part: Said, secrets: Sequence[Secret]) -> Said:
    """A part without any secret; a file that holds one is not kept."""
    text = None if part.text is None else hidden(_letters(part.text), secrets)
    shows = any(written.encode() in (part.data or b"") for secret in secrets for written in forms(secret))
    name = part.name and hidden(_letters(part.name), secrets)
    return Said(part.message, part.role, part.kind, text, part.media_type, name, None if shows else part.data)


def _texts(run: Run, error: BaseException | None, secrets: Sequence[Secret]) -> Columns:
    """What is dropped when it is old."""
    said = error.message if isinstance(error, AixError) else None
    return {
        "message": said and hidden_with_likes(_letters(said), secrets),
        "arguments": _json(run.arguments, secrets),
        "options": _json(run.options, secrets),
    }


def _identity(run: Run) -> Columns:
    return {
        "started": run.started,
        "prompt": _letters(run.prompt),
        "layer": run.layer,
        "digest": run.digest,
        "revision": run.revision or None,
        "asked": run.chosen.name,
        **Spent().columns,
    }


def _target(run: Run) -> Columns:
    return {"provider": run.asked.provider.name, "model": run.asked.model}


def _name(error: BaseException | None) -> str | None:
    """How a run ended, in a word; a reader that went away and a signal interrupt it."""
    if error is None or isinstance(error, AixError):
        return error.name if error else None
    return "ERROR" if isinstance(error, Exception) and not isinstance(error, BrokenPipeError) else "INTERRUPTED"


def _json(values: Any, secrets: Sequence[Secret]) -> str:
    return json.dumps(_kept(values, secrets), ensure_ascii=False, default=str)


def _kept(value: Any, secrets: Sequence[Secret]) -> Any:
    """Plain data without secrets, and without most of what is very long."""
    match value:
        case str():
            text = hidden(_letters(value), secrets)
            return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text)} letters)"
        case Mapping():
            return {hidden(str(key), secrets): _kept(inner, secrets) for key, inner in value.items()}
        case list() | tuple():
            return [_kept(inner, secrets) for inner in value]
    return value


def _letters(text: str) -> str:
    """The text as UTF-8 can say it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
