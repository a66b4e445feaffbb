"""Reading a file that a stranger may have put in place: a regular one, of a bearable size, and never waited for."""

import errno
import os
import stat
from pathlib import Path

from aix.errors import TemplateError


class MissingFileError(TemplateError):
    """A file that a prompt includes is not there."""


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a file. Raises OSError, also for a device, a FIFO, or more than `limit` bytes."""
    with open(path, "rb", opener=_open) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(errno.EFBIG, f"more than {limit} bytes")
        return data


def _open(path: str, flags: int) -> int:
    """A FIFO that nobody writes to would keep an ordinary open waiting for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
