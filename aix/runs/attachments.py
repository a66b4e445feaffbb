"""Files that go with a prompt: what each is is seen from its content, and how large it may be stands in a table."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aix.errors import UsageError
from aix.library.arguments import IMAGES
from aix.library.templates.filters import fenced
from aix.messages import File, Image, Message, Part, Text

MB = 1_000_000
MAX_TOGETHER = 50 * MB
HEAD = 1024
"""The bytes that tell what a file is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: `start` is how its bytes begin, `suffixes` the ends of names that promise it."""

    says: str
    media_type: str
    limit: int
    start: bytes
    suffixes: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return self.media_type.partition("/")[0]


_STARTS = {media_type: start for start, media_type in IMAGES}
KINDS: Sequence[Kind] = (
    Kind("a PNG image", "image/png", 20 * MB, _STARTS["image/png"], (".png",)),
    Kind("a JPEG image", "image/jpeg", 20 * MB, _STARTS["image/jpeg"], (".jpg", ".jpeg")),
    Kind("a GIF image", "image/gif", 20 * MB, _STARTS["image/gif"], (".gif",)),
    Kind("a WebP image", "image/webp", 20 * MB, _STARTS["image/webp"], (".webp",)),
    Kind("a PDF", "application/pdf", 32 * MB, rb"\s{0,64}%PDF-", (".pdf",)),
    Kind("text", "text/plain", 10 * MB, rb"[^\0]*\Z"),
)
"""What can be attached; the first whose start fits."""

LISTED = "an image (PNG, JPEG, GIF, WebP), a PDF or UTF-8 text"


def attached(names: Sequence[str], place: Callable[[str], Path], stdin: Callable[[int], bytes]) -> tuple[Part, ...]:
    """The parts that some files are; `-` is standard input, of which `stdin` gives so many bytes at most.

    Raises UsageError, for a file that is too large before any of it is read.
    """
    if "" in names:
        raise UsageError("--attach is empty", hint="an unset variable? leave the flag out for nothing")
    sizes = {name: _size(name, place(name)) for name in names if name != "-"}
    _refuse_size("all that is attached is", sum(sizes.values()), MAX_TOGETHER)
    return tuple(_piped(stdin(MAX_TOGETHER + 1)) if name == "-" else _opened(name, place(name)) for name in names)


def with_attachments(messages: Sequence[Message], parts: Sequence[Part]) -> tuple[Message, ...]:
    """The conversation with the parts after the text of its last user message, or as one where it has none."""
    places = [index for index, message in enumerate(messages) if message.role == "user"]
    if not parts:
        return tuple(messages)
    if not places:
        return (*messages, Message("user", tuple(parts)))
    last = places[-1]
    return (*messages[:last], replace(messages[last], parts=(*messages[last].parts, *parts)), *messages[last + 1 :])


def _size(name: str, path: Path) -> int:
    """The size of a plain file that is not empty. Nothing is opened: a pipe would be waited for."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"cannot attach {name}: it is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            f"cannot attach {name}: it is not a plain file", hint="pipe it in: COMMAND | aix run NAME -a -"
        )
    if not found.st_size:
        raise UsageError(f"cannot attach {name}: it is empty")
    return found.st_size


def _opened(name: str, path: Path) -> Part:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            kind = _kind(name, head)
            _refuse_size(f"{name}, {kind.says}, is", os.fstat(file.fileno()).st_size, kind.limit)
            return _part(path.name, kind, head + file.read(kind.limit - len(head)))
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None


def _piped(data: bytes) -> Part:
    if not data:
        raise UsageError("cannot attach -: standard input is empty")
    kind = _kind("-", data[:HEAD])
    _refuse_size(f"standard input, {kind.says}, is", len(data), kind.limit)
    return _part("stdin", kind, data)


def _kind(name: str, head: bytes) -> Kind:
    """What some bytes begin. Raises UsageError where it is nothing that can be sent, or not what the name promises."""
    found = next((kind for kind in KINDS if re.match(kind.start, head, re.DOTALL)), None)
    promised = next((kind for kind in KINDS if Path(name).suffix.lower() in kind.suffixes), None)
    if promised and (found is None or found.family != promised.family):
        content = found.says if found else "something else"
        raise UsageError(f"cannot attach {name}: it is named like {promised.says}, and its content is {content}")
    if found is None:
        raise UsageError(f"cannot attach {name}: it is not {LISTED}")
    return found


def _part(name: str, kind: Kind, data: bytes) -> Part:
    shown = " ".join(name.split())
    if kind.family == "image":
        return Image(data, kind.media_type, shown)
    if kind.family == "application":
        return File(data, kind.media_type, shown)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot attach {name}: it is not {LISTED} (byte {error.start})") from None
    return Text(f"\n\n{shown}:\n\n{fenced(text, Path(shown).suffix[1:])}\n")


def _refuse_size(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise UsageError(f"{what} {size / MB:.1f} MB, and {limit // MB} MB is the most that can be attached")


def _unreadable(name: str, error: Exception) -> UsageError:
    said = getattr(error, "strerror", None) or str(error)
    return UsageError(f"cannot attach {name}: {said.lower()}")
