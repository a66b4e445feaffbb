"""Files that are never half written: temporary name beside the target, fsync, rename, all under a lock."""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from aix.errors import StorageError, UsageError

try:
    import fcntl
except ImportError:  # not a POSIX system: aix still starts there, without locks between processes
    fcntl = None  # type: ignore[assignment]

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
LOCK_SECONDS = 10.0
TEMPORARY, SHARED_TEMPORARY = ".aix-{}.tmp", ".aix-shared-{}.tmp"
STALE_SECONDS = 3600.0
IGNORED_BY_GIT = ("config.json", ".aix-*.tmp", ".aix.lock", "*.md.broken")

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def write_private(path: Path, change: Callable[[bytes | None], bytes], patience: float | None = None) -> None:
    """Replace `path` (0600, in a 0700 directory) by `change(what it holds)`; None stands for no file.

    The read and the write are one step for other aix processes, for which it waits `patience` seconds, or as long as
    usual. Raises StorageError when the disk or the lock refuses; the old file is then as it was.
    """
    with storage(path):
        make_private_directory(path.parent)
        with locked(path.parent, LOCK_SECONDS if patience is None else patience):
            _sweep(path.parent)
            old = path.read_bytes() if path.is_file() else None  # a pipe there would be waited for
            _replace(path, [change(old)], PRIVATE_FILE)


def write_shared(path: Path, data: bytes) -> None:
    """Replace `path` atomically; its mode follows the umask, or stays what it was."""
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, [data], None)


def create_shared(path: Path, data: bytes) -> None:
    """Write `path`, which must not exist yet: when two processes race, one of them is told. Raises UsageError."""
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path, [data], None)
        try:
            _move(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def move_shared(old: Path, new: Path) -> None:
    """Give a file another name, which must not exist yet. Raises UsageError."""
    with storage(new):
        new.parent.mkdir(parents=True, exist_ok=True)
        _move(old, new)


def _move(old: Path, new: Path) -> None:
    """Rename without replacing. Killed half-way, it leaves the file under both names, never under none. When somebody
    else moves it at the same time, one of the two is told."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        _refuse_lost_race(old, new)
        if error.errno not in _NO_HARD_LINKS:
            raise
        old.rename(new)
    else:
        _unlink_moved(old, new)
    _sync_directory(new.parent)


def _unlink_moved(old: Path, new: Path) -> None:
    """Take away the old name of a file that has a new one, or the new one when the old one is gone: another move was
    faster."""
    try:
        old.unlink()
    except FileNotFoundError:
        new.unlink()
        raise _gone(old) from None


def _refuse_lost_race(old: Path, new: Path) -> None:
    """Raise UsageError when somebody else took the new name, or the old file."""
    if os.path.lexists(new):
        raise UsageError(f"{new} exists already")
    if not os.path.lexists(old):
        raise _gone(old)


def _gone(path: Path) -> UsageError:
    return UsageError(f"{path} was moved or deleted by somebody else meanwhile")


def make_private_directory(path: Path) -> None:
    """Make `path`, and what is missing above it, with mode 0700, as XDG asks; what is there keeps its mode."""
    if not path.parent.is_dir():
        make_private_directory(path.parent)
    path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


class Answer:
    """The file of an `option`: the text replaces it only when `keep` is called, else goes to `FILE.partial`.

    A temporary file is made at once, so that a directory that cannot be written is known before money is spent. One
    that is `private` is for its owner's eyes.
    """

    def __init__(self, path: Path, *, private: bool = False, option: str = "--output") -> None:
        if path.is_dir():
            raise UsageError(f"{option} {path} is a directory")
        if not path.parent.is_dir():
            raise UsageError(f"{option} {path}: the directory {path.parent} does not exist")
        self._path = path
        self._mode = PRIVATE_FILE if private else None
        self._special = path.exists() and (not path.is_file() or _is_stream(path))  # nothing to replace
        if not self._special:
            with storage(path):
                _temporary(path, [], None).unlink()

    def keep(self, text: str) -> None:
        self.keep_all([text])

    def keep_all(self, texts: Iterable[str]) -> None:
        """Keep texts one after the other, however many there are."""
        self.keep_data(text.encode() for text in texts)

    def keep_data(self, data: Iterable[bytes]) -> None:
        """The same for what is no text."""
        with storage(self._path):
            if self._special:
                with self._path.open("ab") as stream:
                    stream.writelines(data)
            else:
                _replace(self._path.resolve(), data, self._mode)

    def keep_partial(self, text: str) -> Path | None:
        """Where the unfinished text was put; None when there was nothing to keep."""
        if not text or self._special:
            return None
        partial = self._path.with_name(self._path.name + ".partial")
        write_shared(partial, text.encode())
        return partial


def _is_stream(path: Path) -> bool:
    """Whether a path means an open file of this process, such as /dev/stdout, whatever that file is."""
    return path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))


def refuse_link(path: Path) -> None:
    """Raise OSError for a link, which could lead to any file."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "a link")


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what the operating system says about `path` into a StorageError."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, str(path)) from error


def storage_error(error: OSError, what: str) -> StorageError:
    """What the operating system said of writing `what`, with what to do."""
    said = (error.strerror or str(error)).lower()
    return StorageError(f"cannot write {what}: {said}", hint=_HINTS.get(error.errno or 0, ""))


_HINTS = {
    errno.ENOENT: "set HOME or AIX_HOME to a directory that is there",
    errno.ENOTDIR: "set HOME or AIX_HOME to a directory that is there",
    errno.EEXIST: "what is there is no directory: move it away",
    errno.ENOSPC: "free some disk space and run the command again",
    errno.EROFS: "set AIX_HOME to a directory that can be written",
    errno.EACCES: "check who owns the directory: ls -ld",
}


@contextlib.contextmanager
def locked(directory: Path, patience: float) -> Iterator[None]:
    """Hold the directory's lock; the kernel lets go of it however the process ends."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory / ".aix.lock", os.O_RDWR | os.O_CREAT | _NOFOLLOW, PRIVATE_FILE)
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise StorageError(
                    f"{directory} is locked by another aix", hint="wait for it, or end it, and run the command again"
                )
            time.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(OSError):  # it goes with the descriptor too, unless a child has a copy of that
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(directory: Path) -> None:
    """Remove what killed writers left. Private files are written under the lock that the caller holds; shared ones
    are not, so a young one may belong to a writer that lives."""
    for stale in directory.glob(TEMPORARY.format("*")):
        with contextlib.suppress(FileNotFoundError):
            young = time.time() - stale.lstat().st_mtime < STALE_SECONDS
            if not (young and fnmatch(stale.name, SHARED_TEMPORARY.format("*"))):
                stale.unlink()


def _replace(path: Path, data: Iterable[bytes], mode: int | None) -> None:
    temporary = _temporary(path, data, mode)
    try:
        if mode is None and path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _temporary(path: Path, data: Iterable[bytes], mode: int | None) -> Path:
    """A new file beside `path` that holds `data` and is on the disk; its mode is right from birth."""
    name = SHARED_TEMPORARY if mode is None else TEMPORARY
    temporary = path.parent / name.format(secrets.token_hex(8))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
    descriptor = os.open(temporary, flags, 0o666 if mode is None else mode)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_directory(directory: Path) -> None:
    """A rename is on the disk only when its directory is; some file systems cannot sync one, and then need not."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def user_id() -> int | None:
    """Who runs this; None where the system has no user numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None
