"""Files as one tar.gz, the same to the byte wherever and whenever it is written.

Each file has the one header that is possible for its name and size, and gzip holds the tar as it is, not compressed:
compressors, and the libraries that write tar, differ from version to version. Reading takes any compression, but of a
tar only what is written here, so that whatever else a tar may hold is refused without a rule of its own.
"""

import re
import zlib
from collections.abc import Iterator, Mapping

from aix.errors import TemplateError, UsageError

MAX_BYTES = 64 * 1024 * 1024
"""How many bytes a tar may have, unpacked."""
MAX_PACKED = MAX_BYTES + 1024 * 1024
"""The same of the file that it is in."""
MAX_ENTRIES = 10_001

BLOCK = 512
END = bytes(2 * BLOCK)
PIECE = 0xFFFF
GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""The header of a gzip file without a name, a time or a system."""
SINCE = 315532800
"""The time of each file: the first day of 1980, before which some programs believe no time."""

NAME, SIZE, KIND, PREFIX = slice(0, 100), slice(124, 136), slice(156, 157), slice(345, 500)
KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder of its own",
    b"6": "a pipe",
    b"7": "a contiguous file",
    b"S": "a sparse file",
    b"L": "a long name of GNU tar's",
    b"K": "a long link of GNU tar's",
    b"x": "an extended header",
    b"g": "a global header",
}
"""What else there is in tars, by the letter in its header."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """The tar.gz of files, in their order. Raises UsageError when a name is too long for it, or all are too large."""
    tar = b"".join(header(name, len(data)) + data + _padding(len(data)) for name, data in files.items()) + END
    if len(tar) > MAX_BYTES or len(files) > MAX_ENTRIES:
        raise UsageError(f"an archive can have {MAX_ENTRIES - 1} files and {MAX_BYTES // 1024**2} MiB at most")
    pieces = [tar[start : start + PIECE] for start in range(0, len(tar), PIECE)]
    stored = b"".join(_stored(piece, last=piece is pieces[-1]) for piece in pieces)
    return GZIP + stored + zlib.crc32(tar).to_bytes(4, "little") + len(tar).to_bytes(4, "little")


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a tar.gz by name, in their order. Raises TemplateError for what is not just that."""
    tar = _inflated(data)
    place = 0
    while (block := tar[place : place + BLOCK]) != END[:BLOCK]:
        name, size = _entry(block)
        start, end = place + BLOCK, place + BLOCK + size
        place = end + len(_padding(size))
        if place > len(tar):
            raise TemplateError("it ends in the middle of a file")
        if any(tar[end:place]):
            raise TemplateError(f"there is something hidden behind {name}")
        yield name, tar[start:end]
    if tar[place:] != END:
        raise TemplateError("something follows after the end of its tar, or the end is missing")


def header(name: str, size: int) -> bytes:
    """What stands before a file in a tar: POSIX ustar, which every program reads. Raises UsageError for a name that is
    too long for it."""
    prefix, short = _halves(name)
    fields = (
        (short, 100),
        ("0000644", 8),
        ("0000000", 8),
        ("0000000", 8),
        (f"{size:011o}", 12),
        (f"{SINCE:011o}", 12),
        (" " * 8, 8),
        ("0", 1),
        ("", 100),
        ("ustar\00000", 8),
        ("", 64),
        ("0000000", 8),
        ("0000000", 8),
        (prefix, 167),
    )
    block = b"".join(text.encode().ljust(width, b"\0") for text, width in fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _halves(name: str) -> tuple[str, str]:
    """A name as a header keeps it: what is longer than a field is divided at a slash."""
    if len(name) <= 100:
        return "", name
    prefix, _, short = name[:156].rpartition("/")
    short = name[len(prefix) + 1 :]
    if not prefix or len(short) > 100:
        raise UsageError(f"'{name[:60]}…' is too long for an archive", hint="100 letters for a file, 255 in all")
    return prefix, short


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _stored(piece: bytes, *, last: bool) -> bytes:
    """A block of the deflate format that holds its bytes as they are."""
    length = len(piece)
    return bytes([last]) + length.to_bytes(2, "little") + (length ^ PIECE).to_bytes(2, "little") + piece


def _inflated(data: bytes) -> bytes:
    """What a gzip file holds: one stream, whole, with nothing behind it."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        tar = inflater.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        raise TemplateError("it is no gzip file, or a damaged one") from None
    if len(tar) > MAX_BYTES:
        raise TemplateError(f"it holds more than {MAX_BYTES // 1024**2} MiB")
    if not inflater.eof:
        raise TemplateError("it is cut off: its end is missing")
    if inflater.unused_data:
        raise TemplateError("something follows after its end")
    return tar


def _entry(block: bytes) -> tuple[str, int]:
    """The name and size in a header, which must be the one that is written for these."""
    if len(block) < BLOCK:
        raise TemplateError("its tar has no end")
    halves = (block[field].split(b"\0")[0].decode("ascii", "backslashreplace") for field in (PREFIX, NAME))
    name = "/".join(filter(None, halves))
    if kind := KINDS.get(block[KIND]):
        raise TemplateError(f"it holds {kind}: {name!r}")
    size = block[SIZE]
    if not re.fullmatch(rb"[0-7]{11}\0", size) or block != _header_or_nothing(name, int(size[:-1], 8)):
        raise TemplateError(f"{name!r} is not in it as aix puts a file there")
    return name, int(size[:-1], 8)


def _header_or_nothing(name: str, size: int) -> bytes:
    try:
        return header(name, size)
    except UsageError:
        return b""
