"""A prompt's file with all that it includes: each read once, and which names which."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from aix.errors import TemplateError

MAX_FILES = 100
MAX_LENGTH = 1024 * 1024
MAX_LITERAL = 10 * 1024 * 1024
"""How long a prompt can be that is taken literally."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its body, the line on which that begins, and the text of the whole."""

    place: str
    body: str
    body_line: int
    text: str

    def at(self, line: int) -> str:
        """The place of a line of the body in the file; of the file, where there is no line."""
        return f"{self.place}:{self.line(line)}" if line else self.place

    def line(self, line: int) -> int:
        """The line of the file that a line of the body is."""
        return self.body_line + line - 1


class Closure:
    """The files by the names that an include gives them, in the order in which they were added: the main one first."""

    def __init__(self, most: int = MAX_LENGTH) -> None:
        self._most = most
        self._sources: dict[str, Source] = {}
        self._links: dict[str, tuple[str, ...]] = {}
        self._naming: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __getitem__(self, name: str) -> Source:
        return self._sources[name]

    def add(self, name: str, source: Source) -> None:
        """Raises TemplateError when the files become too many or too long."""
        self._sources[name] = source
        if len(self._sources) > MAX_FILES or sum(len(known.text) for known in self._sources.values()) > self._most:
            raise TemplateError(
                f"{source.place}: a prompt can have {MAX_FILES} files and {self._most // 1024 // 1024} MiB at most",
                hint="give a long text as a value, or take the whole file literally: template: false",
            )

    def link(self, name: str, named: tuple[str, ...]) -> None:
        """Note which files a file names, in their order. One of them may not be there."""
        self._links[name] = named
        for other in named:
            self._naming.setdefault(other, set()).add(name)

    def above(self, name: str) -> set[str]:
        """The files that name a file, those that name them, and so on."""
        above: set[str] = set()
        left = [name]
        while left:
            new = self._naming.get(left.pop(), set()) - above - {name}
            above |= new
            left += new
        return above

    @property
    def digest(self) -> str:
        """`sha256:…` over each file and which of the others it names. No name or path is in it, so a renamed or moved
        prompt keeps it."""
        whole = hashlib.sha256(b"aix prompt 1\n")
        number = {name: str(index) for index, name in enumerate(self._sources)}
        for name, source in self._sources.items():
            data = source.text.encode("utf-8", "surrogatepass")
            links = " ".join(number.get(link, "-") for link in self._links.get(name, ()))
            whole.update(b"%d\n%b\n%b\n" % (len(data), data, links.encode()))
        return f"sha256:{whole.hexdigest()}"
