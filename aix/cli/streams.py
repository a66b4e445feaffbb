"""Text in and out: what comes from standard input, what a stream gets, and what of a text a terminal may obey."""

import os
import re
import stat
import sys
from typing import IO, Literal

from aix.config.files import storage_error
from aix.errors import StorageError, UsageError
from aix.messages import letters

_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with what is no letter shown as `\\x1b`, `\\u202e`: C0 and C1 controls, the marks that turn its
    direction, halves of letters."""
    return _INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The same on one line."""
    return visible(" ".join(text.split()))


class Stdin:
    """Standard input as a prompt's params may use it. It is read once: `spent` says that it was the prompt itself."""

    def __init__(self, *, spent: bool = False) -> None:
        self._spent = spent
        self._text: str | None = None

    @property
    def kind(self) -> Literal["terminal", "piped", "other", "closed"]:
        if self._spent or sys.stdin is None or sys.stdin.closed:
            return "closed"
        if sys.stdin.isatty():
            return "terminal"
        mode = os.fstat(sys.stdin.fileno()).st_mode
        return "piped" if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) else "other"

    def read(self) -> str:
        """All of it, as UTF-8, also when it is asked for again. Raises UsageError."""
        if self._text is None:
            self._text = self._read()
        return self._text

    def _read(self) -> str:
        if self.kind == "closed":
            raise UsageError("standard input is closed")
        if self.kind == "terminal" and sys.stderr is not None:
            write(sys.stderr, "aix: reading what you type; Ctrl-D on a line of its own ends it\n")
        try:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"standard input is not UTF-8 text (byte {error.start})") from None
        except OSError as error:
            raise UsageError(f"cannot read standard input: {os.strerror(error.errno or 0).lower()}") from None

    def take(self, limit: int) -> bytes:
        """As many of its bytes as that, as they are; after this it is spent. Raises UsageError."""
        if self.kind == "closed":
            raise UsageError("standard input can be read once" if self._spent else "standard input is closed")
        self._spent = True
        try:
            return sys.stdin.buffer.read(limit)
        except OSError as error:
            raise UsageError(f"cannot read standard input: {os.strerror(error.errno or 0).lower()}") from None


def write(stream: IO[str] | None, text: str) -> None:
    """Write UTF-8 and flush. A closed pipe stays a BrokenPipeError; any other refusal is a StorageError."""
    write_data(stream, letters(text).encode())


def write_data(stream: IO[str] | None, data: bytes) -> None:
    """The same for what is no text."""
    if stream is None:
        raise StorageError("cannot write standard output: it is closed", hint="write to a file: --output FILE")
    try:
        stream.buffer.write(data)  # type: ignore[attr-defined]
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise storage_error(error, "standard output") from error
