"""What a person and a pipe see: stdout is the answer and nothing else, all the rest is stderr. The one door to rich.

A pipe gets exact bytes. A terminal gets untrusted text (a model's, a stranger's prompt, a provider's error) with its
control characters made visible, so that no answer can move the cursor, set a title or hide a line.
"""

import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from aix.cli.blocks import Blocks
from aix.cli.streams import visible, visible_line, write
from aix.errors import AixError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

SKETCH_SECONDS = 0.05


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
        write(sys.stdout, visible(text) if self.stdout_is_terminal else text)

    def line(self, text: str = "") -> None:
        self.out(text + "\n")

    @property
    def columns(self) -> int:
        """How wide the terminal is."""
        return shutil.get_terminal_size().columns

    @property
    def symbols(self) -> bool:
        """Whether stdout is a terminal that shows more than ASCII."""
        encoding = getattr(sys.__stdout__, "encoding", "")  # sys.stdout is another while a spinner turns
        return self.stdout_is_terminal and not self.plain and encoding.lower().startswith("utf")

    def entry(self, mark: str, colour: str, text: str) -> None:
        """A line of a list on a terminal, after its mark; what is too long for it goes on below the text."""
        indent = " " * (len(mark) + 1)
        width = max(20, self.columns - len(indent) - 1)
        lines = textwrap.wrap(visible(text), width, break_long_words=False, break_on_hyphens=False)
        shown = mark if self.plain else f"\x1b[{colour}m{mark}\x1b[0m"
        self.done_waiting()
        write(sys.stdout, f"{shown} " + f"\n{indent}".join(lines) + "\n")

    def heading(self, text: str) -> None:
        """A line above others on a terminal."""
        self.done_waiting()
        write(sys.stdout, f"{visible(text)}\n" if self.plain else f"\x1b[1m{visible(text)}\x1b[0m\n")

    def json(self, value: Any) -> None:
        self.out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def note(self, text: str) -> None:
        """One line on stderr, as aix says it."""
        self._err(f"aix: {visible(text)}\n")

    def warn(self, text: str) -> None:
        self._err(f"{self._styled('aix: warning:', '33')} {visible(text)}\n")

    def changes(self, lines: Sequence[str]) -> None:
        """The lines of a difference on stdout: what is new in green, what is gone in red."""
        colours = {"+": "32", "-": "31", "@": "2"} if self.stdout_is_terminal and not self.plain else {}
        for line in lines:
            shown = visible(line) if self.stdout_is_terminal else line
            colour = colours.get(line[:1])
            write(sys.stdout, f"\x1b[{colour}m{shown}\x1b[0m\n" if colour else f"{shown}\n")

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

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, fold: bool = False, marked: str = ""
    ) -> None:
        """A table that fits the terminal: what is too long for it is cut, or goes on in the next line (`fold`), between
        words, and where that is not to be had each row is a line of its own. In a pipe, one line a row with tabs
        between, and no headings. `marked` is a regular expression for what stands out in the last column."""
        if not self.stdout_is_terminal:
            self.out("".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows))
            return
        self.done_waiting()
        if not rows:
            return
        from rich.table import Table
        from rich.text import Text

        shown = [[visible_line(cell) for cell in row] for row in rows]
        widths = column_widths([headings, *shown], self.columns) if fold else [None] * len(headings)
        if not widths:
            for *cells, last in shown:
                self.line(": ".join(filter(None, cells)) + (f" ({last})" if last else ""))
            return
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=True)
        for heading, width in zip(headings, widths, strict=True):
            ratio = 1 if heading == headings[-1] and not fold else None
            overflow: Literal["fold", "ellipsis"] = "fold" if fold else "ellipsis"
            table.add_column(heading, no_wrap=not fold, overflow=overflow, ratio=ratio, width=width)
        for row in shown:
            texts = [Text(cell) for cell in row]
            if marked:
                texts[-1].highlight_regex(marked, "bold red")
            table.add_row(*texts)
        self.rich("stdout").print(table)

    @property
    def draws(self) -> bool:
        """Whether standard output is a terminal that can show Markdown."""
        return self.stdout_is_terminal and not self.plain

    @contextmanager
    def answer(self, kind: Literal["exact", "markdown"]) -> Iterator[Callable[[str], None]]:
        """A function that takes the answer piece by piece; what is held back is written at the end, also after a
        failure. On a terminal that can show it Markdown is drawn, a block at a time."""
        if kind == "exact" or not self.draws:
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
        blocks = Blocks(self._draw, self._sketch)
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

    def _sketch(self, block: Callable[[], str]) -> None:
        """Show as much as there is of a block; the next output takes it away. It is not drawn anew with each word, and
        the less often the longer that takes: most of the time is the answer's."""
        from rich.live import Live

        began = time.monotonic()
        if began < self._sketch_again:
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
        self._waiting.update(_Lines(self._markdown(block()), after=self._drawn, cut=True), refresh=True)
        ended = time.monotonic()
        self._sketch_again = ended + max(SKETCH_SECONDS, 9 * (ended - began))

    def _markdown(self, text: str) -> Any:
        from markdown_it import MarkdownIt
        from rich.markdown import Heading, Markdown

        class Left(Heading):
            def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
                self.text.justify = "left"
                yield self.text

        class Page(Markdown):
            elements = {**Markdown.elements, "heading_open": Left}  # noqa: RUF012 - rich declares it so

        dark = self._env.get("COLORFGBG", "").rpartition(";")[2] not in ("7", "15")
        page = Page("", hyperlinks=False, code_theme="ansi_dark" if dark else "ansi_light")
        options = {"html": False, "maxNesting": 50}  # `List<String>` is text to a reader, not a tag to be left out
        page.parsed = MarkdownIt("commonmark", options).enable(["strikethrough", "table"]).parse(visible(text))
        return page

    def _err(self, text: str) -> None:
        self.done_waiting()
        try:
            write(sys.stderr, text)
        except (OSError, AixError):
            if sys.stderr is not None:  # nobody can be told that nobody can be told; the last flush is to fail no more
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def column_widths(rows: Sequence[Sequence[str]], room: int) -> Sequence[int | None]:
    """How wide each column of a table is that goes on in the next line: where there is no room for all of it, the one
    with the most to give is made narrower first, and none cuts a word; nothing where that is not to be had."""
    columns = list(zip(*rows, strict=True))
    least = [max(len(word) for cell in column for word in cell.split(" ")) for column in columns]
    widths = [max(map(len, column)) for column in columns]
    over = sum(widths) + 2 * (len(widths) - 1) - room
    for index in sorted(range(len(widths)), key=lambda place: least[place] - widths[place]):
        given = min(max(0, over), widths[index] - least[index])
        widths[index] -= given
        over -= given
    return widths if over <= 0 else ()


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
    """The segments of a line, safe for a terminal, as Markdown can write a control character as `%1B` too; without the
    spaces at its end, which would be copied with it."""
    kept = [segment._replace(text=visible(segment.text)) for segment in line]
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return kept
