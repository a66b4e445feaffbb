"""What a person and a pipe see: stdout is the answer and nothing else, all the rest is stderr. The one door to rich.

A pipe gets exact bytes. A terminal gets untrusted text (a model's, a stranger's prompt, a provider's error) with its
control characters made visible, so that no answer can move the cursor, set a title or hide a line.
"""

import json
import os
import re
import shutil
import stat
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Literal

from aix.config.files import storage_error
from aix.errors import AixError, StorageError, UsageError
from aix.messages import letters

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

SKETCH_SECONDS = 0.05
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


def visible(text: str) -> str:
    """The text with what is no letter shown as `\\x1b`, `\\u202e`: C0 and C1 controls, the marks that turn its
    direction, halves of letters."""
    return _INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


class Console:
    """Both streams, and what the environment says of them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._waiting: Any = None
        self._sketch_again = 0.0
        self._drawn = False

    @property
    def stdout_is_terminal(self) -> bool:
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def stderr_is_terminal(self) -> bool:
        return sys.stderr is not None and sys.stderr.isatty()

    @property
    def person_is_there(self) -> bool:
        """Whether somebody can be asked: both ends of a conversation are a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and self.stderr_is_terminal

    @property
    def plain(self) -> bool:
        """Whether a terminal is to get plain text, without escape codes."""
        return bool(self._env.get("NO_COLOR") or self._env.get("CI")) or self._env.get("TERM", "dumb") == "dumb"

    @property
    def colour(self) -> bool:
        """Whether stderr may have colour."""
        return self.stderr_is_terminal and not self.plain

    def out(self, text: str) -> None:
        """Write to stdout: exact in a pipe, safe on a terminal."""
        self.done_waiting()
        _write(sys.stdout, visible(text) if self.stdout_is_terminal else text)

    def line(self, text: str = "") -> None:
        self.out(text + "\n")

    @property
    def columns(self) -> int:
        """How wide the terminal is."""
        return shutil.get_terminal_size().columns

    @property
    def symbols(self) -> bool:
        """Whether stdout is a terminal that shows more than ASCII."""
        return self.stdout_is_terminal and not self.plain and (sys.stdout.encoding or "").lower().startswith("utf")

    def entry(self, mark: str, colour: str, text: str) -> None:
        """A line of a list on a terminal, after its mark; what is too long for it goes on below the text."""
        indent = " " * (len(mark) + 1)
        width = max(20, self.columns - len(indent) - 1)
        lines = textwrap.wrap(visible(text), width, break_long_words=False, break_on_hyphens=False)
        shown = mark if self.plain else f"\x1b[{colour}m{mark}\x1b[0m"
        self.done_waiting()
        _write(sys.stdout, f"{shown} " + f"\n{indent}".join(lines) + "\n")

    def json(self, value: Any) -> None:
        self.out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def note(self, text: str) -> None:
        """One line on stderr, as aix says it."""
        self._err(f"aix: {visible(text)}\n")

    def warn(self, text: str) -> None:
        self._err(f"{self._styled('aix: warning:', '33')} {visible(text)}\n")

    def dim(self, text: str) -> None:
        """Untrusted text on stderr, in the background: a model's reasoning."""
        self._err(self._styled(visible(text), "2"))

    def error(self, error: AixError) -> None:
        """An error in one sentence, then the provider's words, what to do, and the request's name."""
        said = [f"{self._styled('aix: error:', '31')} {visible(error.message)}"]
        said += [f"  cause: {visible(error.cause)}"] if error.cause else []
        said += [f"  hint: {visible(line)}" for line in error.hint.splitlines()]
        said += [f"  request-id: {visible(error.request_id)}"] if error.request_id else []
        self._err("\n".join(said) + "\n")

    def progress(self, text: str) -> None:
        """Say on a terminal what is being waited for; the next output takes it away."""
        if not self.colour:
            return
        self.done_waiting()
        self._waiting = self.rich("stderr").status(visible(text), spinner="dots")
        self._waiting.start()

    def done_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, fold: bool = False) -> None:
        """A table that fits the terminal: what is too long for it is cut, or goes on in the next line (`fold`). In a
        pipe, one line a row with tabs between, and no headings."""
        if not self.stdout_is_terminal:
            for row in rows:
                self.line("\t".join(" ".join(cell.split()) for cell in row))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=True)
        for heading in headings:
            last = heading == headings[-1] and not fold
            table.add_column(
                heading, no_wrap=not fold, overflow="fold" if fold else "ellipsis", ratio=1 if last else None
            )
        for row in rows:
            table.add_row(*(Text(visible(" ".join(cell.split()))) for cell in row))
        self.rich("stdout").print(table)

    @contextmanager
    def answer(self, kind: Literal["exact", "markdown"]) -> Iterator[Callable[[str], None]]:
        """A function that takes the answer piece by piece; what is held back is written at the end, also after a
        failure. On a terminal that can show it Markdown is drawn, a block at a time."""
        if kind == "exact" or not self.stdout_is_terminal or self.plain:
            last = ""

            def write(text: str) -> None:
                nonlocal last
                last = text[-1:] or last
                self.out(text)

            try:
                yield write
            finally:
                if self.stdout_is_terminal and last not in ("", "\n"):
                    self.out("\n")
            return
        blocks = _Blocks(self._draw, self._sketch)
        try:
            yield blocks.write
        finally:
            blocks.end()

    def rich(self, stream: Literal["stdout", "stderr"]) -> "RichConsole":
        from rich.console import Console as RichConsole
        from rich.theme import Theme

        return RichConsole(
            theme=Theme({"markdown.code": "cyan"}),  # rich's own puts it on black, also where all else is white
            stderr=stream == "stderr",
            color_system=None if self.plain else "auto",
            highlight=False,
            emoji=False,
            markup=False,
        )

    def _draw(self, block: str) -> None:
        """Print a block of Markdown that is whole, with an empty line before it if it is not the first."""
        self.done_waiting()
        self.rich("stdout").print(_Lines(self._markdown(block), after=self._drawn))
        self._drawn = True

    def _sketch(self, block: str) -> None:
        """Show as much as there is of a block; the next output takes it away. It is not drawn anew with each word: that
        would cost more than the words."""
        from rich.live import Live

        now = time.monotonic()
        if now < self._sketch_again:
            return
        if not isinstance(self._waiting, Live):
            self.done_waiting()
            self._waiting = Live(
                console=self.rich("stdout"),
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._waiting.start()
        self._waiting.update(_Lines(self._markdown(block), after=self._drawn, cut=True), refresh=True)
        self._sketch_again = now + SKETCH_SECONDS

    def _markdown(self, text: str) -> Any:
        from rich.markdown import Heading, Markdown

        class Left(Heading):
            def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
                self.text.justify = "left"
                yield self.text

        class Page(Markdown):
            elements = {**Markdown.elements, "heading_open": Left}  # noqa: RUF012 - rich declares it so

        dark = self._env.get("COLORFGBG", "").rpartition(";")[2] not in ("7", "15")
        return Page(visible(text), hyperlinks=False, code_theme="ansi_dark" if dark else "ansi_light")

    def _err(self, text: str) -> None:
        self.done_waiting()
        try:
            _write(sys.stderr, text)
        except (OSError, AixError):
            if sys.stderr is not None:  # nobody can be told that nobody can be told; the last flush is to fail no more
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


class _Lines:
    """The lines of something without empty ones at either end: `after` something else, with one between; `cut` to the
    last ones that fit the terminal."""

    def __init__(self, whole: Any, *, after: bool, cut: bool = False) -> None:
        self._whole = whole
        self._after = after
        self._cut = cut

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.segment import Segment

        lines = [_trimmed(line) for line in console.render_lines(self._whole, options, pad=False)]
        while lines and not lines[-1]:
            lines.pop()
        while lines and not lines[0]:
            lines.pop(0)
        if self._after:
            lines.insert(0, [])
        for line in lines[1 - console.height :] if self._cut else lines:
            yield from line
            yield Segment.line()


def _trimmed(line: Any) -> list[Any]:
    """The segments of a line without the spaces at its end, which would be copied with it."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return kept


class _Blocks:
    """Cuts Markdown that arrives in pieces at its empty lines, but never inside a fenced block. A whole block is drawn,
    one that is still coming is sketched."""

    def __init__(self, draw: Callable[[str], None], sketch: Callable[[str], None]) -> None:
        self._draw = draw
        self._sketch = sketch
        self._rest = ""
        self._lines: list[str] = []
        self._fence = ""

    def write(self, text: str) -> None:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._line(line)
        if self._lines or self._rest.strip():
            self._sketch("\n".join((*self._lines, self._rest)))

    def end(self) -> None:
        if self._rest:
            self._line(self._rest)
        self._flush()

    def _line(self, line: str) -> None:
        fence = _FENCE.match(line)
        opens = bool(fence) and not self._fence
        closes = bool(fence and self._fence and fence[1].startswith(self._fence))
        outermost = line[:1] in ("`", "~")  # one within a list is a part of the list
        if (opens and outermost) or (not line.strip() and not self._fence):
            self._flush()
        if line.strip() or self._fence:
            self._lines.append(line)
        if fence and (opens or closes):
            self._fence = fence[1] if opens else ""
        if closes and outermost:
            self._flush()

    def _flush(self) -> None:
        if self._lines:
            block = "\n".join(self._lines)
            self._lines = []
            self._draw(block)


class Stdin:
    """Standard input as a prompt's params may use it. It is read once: `spent` says that it was the prompt itself."""

    def __init__(self, *, spent: bool = False) -> None:
        self._spent = spent

    @property
    def kind(self) -> Literal["terminal", "piped", "other", "closed"]:
        if self._spent or sys.stdin is None or sys.stdin.closed:
            return "closed"
        if sys.stdin.isatty():
            return "terminal"
        mode = os.fstat(sys.stdin.fileno()).st_mode
        return "piped" if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) else "other"

    def read(self) -> str:
        """All of it, as UTF-8. Raises UsageError."""
        if self.kind == "closed":
            raise UsageError("standard input is closed")
        try:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"standard input is not UTF-8 text (byte {error.start})") from None
        except OSError as error:
            raise UsageError(f"cannot read standard input: {os.strerror(error.errno or 0).lower()}") from None


def _write(stream: IO[str] | None, text: str) -> None:
    """Write UTF-8 and flush. A closed pipe stays a BrokenPipeError; any other refusal is a StorageError."""
    if stream is None:
        raise StorageError("cannot write standard output: it is closed", hint="write to a file: --output FILE")
    try:
        stream.buffer.write(letters(text).encode())  # type: ignore[attr-defined]
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise storage_error(error, "standard output") from error
