"""A prompt's file with all that it includes: each read once, and which names which."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from aix.errors import TemplateError

MAX_FILES = 100
MAX_LENGTH = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its body, the line on which that begins, and the text of the whole."""

    place: str
    body: str
    body_line: int
    text: str

    def at(self, line: int) -> str:
        """The place of a line of the body in the file; of the file, where there is no line."""
        return f"{self.place}:{self.body_line + line - 1}" if line else self.place


class Closure:
    """The files by the names that an include gives them, in the order in which they were added: the main one first."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._links: dict[str, tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __getitem__(self, name: str) -> Source:
        return self._sources[name]

    def add(self, name: str, source: Source) -> None:
        """Raises TemplateError when the files become too many or too long."""
        self._sources[name] = source
        if len(self._sources) > MAX_FILES or sum(len(known.text) for known in self._sources.values()) > MAX_LENGTH:
            raise TemplateError(
                f"{source.place}: a prompt can have {MAX_FILES} files and {MAX_LENGTH // 1024 // 1024} MiB at most"
            )

    def link(self, name: str, named: tuple[str, ...]) -> None:
        """Note which files a file names, in their order. One of them may not be there."""
        self._links[name] = named

    def above(self, name: str) -> set[str]:
        """The files that name a file, those that name them, and so on."""
        above: set[str] = set()
        while new := {other for other, named in self._links.items() if {name, *above} & {*named}} - above - {name}:
            above |= new
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
