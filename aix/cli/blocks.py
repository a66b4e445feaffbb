"""Markdown that is still being written, in pieces that can be drawn one by one."""

import re
from collections.abc import Callable

_FENCE = re.compile(r" {0,3}(```+|~~~+)")


class Blocks:
    """Cuts Markdown that arrives in pieces at its empty lines, but never inside a fenced block. A whole block is drawn,
    one that is still coming is sketched."""

    def __init__(self, draw: Callable[[str], None], sketch: Callable[[Callable[[], str]], None]) -> None:
        self._draw = draw
        self._sketch = sketch
        self._rest: list[str] = []
        self._lines: list[str] = []
        self._fence = ""

    def write(self, text: str) -> None:
        self._rest.append(text)
        if "\n" in text:
            *whole, rest = "".join(self._rest).split("\n")
            self._rest = [rest]
            for line in whole:
                self._line(line)
        if self._lines or any(piece.strip() for piece in self._rest[-1:]):
            self._sketch(lambda: "\n".join((*self._lines, "".join(self._rest))))

    def end(self) -> None:
        if rest := "".join(self._rest):
            self._line(rest)
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
