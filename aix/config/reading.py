"""Reading a file that a stranger may have put in place: a regular one, of a bearable size, and never waited for."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from aix.config.files import user_id
from aix.errors import TemplateError


class MissingFileError(TemplateError):
    """A file that a prompt includes is not there."""


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a file. Raises OSError, also for a device, a FIFO, or more than `limit` bytes."""
    with open(path, "rb", opener=_open) as file:
        return _regular(file, limit)


def read_own(path: Path, limit: int) -> bytes:
    """The same of a file that nobody but the user can have written. Raises OSError, also for a link."""
    with open(path, "rb", opener=_open_own) as file:
        status = os.fstat(file.fileno())
        if user_id() not in (None, status.st_uid) or status.st_mode & 0o022:
            raise OSError(errno.EPERM, "others can write it")
        return _regular(file, limit)


def refuse_special(path: Path) -> None:
    """Raise OSError for what is neither a file nor a folder: to read it could take for ever."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, f"{path} cannot be read: it is a pipe or a device")


def _regular(file: IO[bytes], limit: int) -> bytes:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    data = file.read(min(status.st_size, limit) + 1)  # room for `limit` bytes would take longer to have than to fill
    if len(data) > status.st_size:
        data += file.read(limit + 1 - len(data))
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"more than {limit} bytes")
    return data


def _open(path: str, flags: int) -> int:
    """A FIFO that nobody writes to would keep an ordinary open waiting for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _open_own(path: str, flags: int) -> int:
    return _open(path, flags | getattr(os, "O_NOFOLLOW", 0))
