"""The user's editor, and a text that it opens as often as needed."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from aix.config.files import refuse_link, storage
from aix.config.reading import read_regular
from aix.errors import AixError, UsageError

EDITORS = ("nano", "vim", "vi", "emacs")
MAX_DRAFT = 64 * 1024 * 1024
PARTING_SECONDS = 1.5
"""How long an editor may take to end when aix is ended."""


class Draft:
    """A text in a file of its own."""

    def __init__(self, start: bytes, path: Path, editor: Sequence[str], env: Mapping[str, str]) -> None:
        self.path = path
        self._start = start
        self._editor = editor
        self._env = env
        path.write_bytes(start)

    def edit(self) -> bytes:
        """What a person leaves in the editor. Raises UsageError when it cannot be started, fails, or leaves no file."""
        _open_editor([*self._editor, str(self.path)], self._env)
        return self.read()

    def read(self) -> bytes:
        """What is in it now. Raises UsageError for what is no file, or too large a one."""
        try:
            refuse_link(self.path)
            return read_regular(self.path, MAX_DRAFT)
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot read what the editor left ({said}); nothing is changed") from None

    @property
    def untouched(self) -> bool:
        """Whether there is nothing in it that somebody wrote; what is no file holds nothing."""
        if self.path.is_symlink() or not self.path.is_file():
            return True
        try:
            data = self.read()
        except UsageError:
            return False
        return data == self._start or not data.strip()

    @property
    def beside(self) -> list[Path]:
        """The files that the editor put beside it, in which there may be what was not saved yet."""
        return sorted(path for path in self.path.parent.glob("*") if path != self.path)


@contextmanager
def draft(start: bytes, name: str, env: Mapping[str, str], setting: str | None) -> Iterator[Draft]:
    """A draft that begins with `start`. What somebody wrote in it stays where it is when that comes to nothing.
    Raises UsageError when there is no editor."""
    command = find_editor(env, setting)
    with storage(Path(tempfile.gettempdir())):
        folder = Path(tempfile.mkdtemp(prefix="aix-"))
        new = Draft(start, folder / Path(name).name, command, env)
    try:
        yield new
    except BaseException as error:
        if new.untouched and not new.beside:
            shutil.rmtree(folder, ignore_errors=True)
        elif isinstance(error, AixError):
            error.hint = error.hint or f"what you wrote is in {folder if new.untouched else new.path}"
        raise
    shutil.rmtree(folder, ignore_errors=True)


def find_editor(env: Mapping[str, str], setting: str | None) -> list[str]:
    """`$VISUAL`, `$EDITOR`, the setting, then what is there. Raises UsageError."""
    for command in (env.get("VISUAL"), env.get("EDITOR"), setting):
        if command and command.strip():
            return _words(command)
    if name := _there(env):
        return [name]
    raise UsageError("there is no editor", hint="export EDITOR=nano, or give the text as an argument")


def _there(env: Mapping[str, str]) -> str:
    """An editor that can be started; empty when none of the usual ones is there."""
    return next((name for name in EDITORS if shutil.which(name, path=env.get("PATH"))), "")


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        raise UsageError(f"the editor {command} has a quote without its end", hint="export EDITOR=nano") from None


def _open_editor(command: Sequence[str], env: Mapping[str, str]) -> None:
    try:
        status = _status(command, env)
    except OSError as error:
        raise UsageError(
            f"cannot start the editor {command[0]}: {os.strerror(error.errno or 0).lower()}",
            hint=f"export EDITOR={_there(env) or 'COMMAND'}",
        ) from None
    if status == -signal.SIGINT:
        raise KeyboardInterrupt
    if status != 0:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise UsageError(f"the editor {command[0]} {how}; nothing is changed")


def _status(command: Sequence[str], env: Mapping[str, str]) -> int:
    """How the editor ended. It has the terminal that stderr is, since stdout may be a file that waits for the answer;
    and Ctrl-C, which is not the end to every editor. It ends when aix is ended."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # which the editor would inherit, unlike what is set here
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(command, env=dict(env), stdout=sys.stderr) as process:
            try:
                return process.wait()
            except BaseException:
                _end(process)
                raise
    finally:
        signal.signal(signal.SIGINT, before)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask an editor to end, which gives it the time to keep what is not saved; then end it."""
    process.terminate()
    try:
        process.wait(PARTING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
