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

from aix.config.files import storage
from aix.errors import AixError, UsageError

EDITORS = ("nano", "vim", "vi", "emacs")


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
        try:
            return self.path.read_bytes()
        except OSError as error:
            said = os.strerror(error.errno or 0).lower()
            raise UsageError(f"cannot read what the editor left ({said}); nothing is changed") from None

    @property
    def untouched(self) -> bool:
        """Whether there is nothing in it that somebody wrote."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return True
        return data == self._start or not data.strip()


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
        if new.untouched:
            shutil.rmtree(folder)
        elif isinstance(error, AixError):
            error.hint = error.hint or f"what you wrote is in {new.path}"
        raise
    shutil.rmtree(folder)


def find_editor(env: Mapping[str, str], setting: str | None) -> list[str]:
    """`$VISUAL`, `$EDITOR`, the setting, then what is there. Raises UsageError."""
    for command in (env.get("VISUAL"), env.get("EDITOR"), setting):
        if command and command.strip():
            return _words(command)
    for name in EDITORS:
        if shutil.which(name, path=env.get("PATH")):
            return [name]
    raise UsageError("there is no editor", hint="export EDITOR=nano, or give the text as an argument")


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
            f"cannot start the editor {command[0]}: {os.strerror(error.errno or 0).lower()}", hint="export EDITOR=nano"
        ) from None
    if status == -signal.SIGINT:
        raise KeyboardInterrupt
    if status != 0:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise UsageError(f"the editor {command[0]} {how}; nothing is changed")


def _status(command: Sequence[str], env: Mapping[str, str]) -> int:
    """How the editor ended. It has the terminal that stderr is, since stdout may be a file that waits for the answer;
    and Ctrl-C, which is not the end to every editor."""
    with subprocess.Popen(command, env=dict(env), stdout=sys.stderr) as process:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
