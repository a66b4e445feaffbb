"""Git, as it may be run over a repository that came from somebody else: with none of what its settings could start."""

import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from aix.config.git_keys import refuse_waiting
from aix.config.paths import git_root
from aix.config.processes import end_group, signals_held
from aix.errors import (
    AixError,
    AuthError,
    ConfigError,
    NetworkError,
    NotFoundError,
    RefusedError,
    StorageError,
    UsageError,
)

SECONDS = 600.0
MAX_BYTES = 2 * 1024**3
SAID = 64 * 1024
"""How much is read of what git says on stderr."""
LIMITED = ("/bin/sh", "-c", 'ulimit -c 0; ulimit -f "$0" 2> /dev/null; exec "$@"')
"""What starts a command that may make no large file. Its first argument is counted in half KiB."""
NOT_FOUND = 127
"""How the shell ends that finds no such command."""
PROTOCOLS = "file:http:https:ssh"
PREFIX = "GIT_"
HIDDEN = ("SSH_ASKPASS", "SSH_ASKPASS_REQUIRE")

SAFE: tuple[str, ...] = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "core.symlinks=false",
    "core.untrackedCache=false",
    "diff.external=",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "fetch.unpackLimit=1",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
)
"""Settings that win over those of any file: nothing that a repository names is started by git."""

ALONE = ("core.sshCommand=false", "core.gitProxy=false", "credential.helper=")
"""The same for work on this machine, in which nothing is fetched from anywhere, not even a part that is missing."""

QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
"""What git is told by variables, of which it gets no others that begin with GIT_."""


class Git:
    """Runs git in one directory, which is a `bare` repository itself, or is in one. `env` has no keys. Where `online`,
    the user's own settings for ssh, credentials, proxies and certificates count, as private repositories need them;
    else git may reach nothing but `directory`.

    Git has no terminal: whatever it would ask is a failure, and a Ctrl-C is this process's alone."""

    def __init__(
        self,
        directory: Path,
        env: Mapping[str, str],
        seconds: float = SECONDS,
        *,
        online: bool = False,
        bare: bool = False,
    ) -> None:
        self._directory = directory
        self._root = directory if bare else git_root(directory.resolve()) or directory
        self._seconds = seconds
        self._settings = SAFE if online else (*SAFE, *ALONE)
        kept = {name: value for name, value in env.items() if not name.startswith(PREFIX) and name not in HIDDEN}
        reach = {"GIT_ALLOW_PROTOCOL": PROTOCOLS if online else ""}
        self._env = kept | QUIET | reach | ({"GIT_DIR": str(directory)} if bare else {})

    def run(self, *arguments: str, data: bytes = b"", most: int = MAX_BYTES) -> bytes:
        """What a command of git writes; neither that nor any file that it makes may have more than `most` bytes. Raises
        AixError with what it said."""
        settings = [word for setting in self._settings for word in ("-c", setting)]
        refuse_waiting(self._root)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
            process = self._started([*LIMITED, str(most // 512), "git", "--no-pager", *settings, *arguments], out, told)
            try:
                process.communicate(data, self._seconds)
            except subprocess.TimeoutExpired:
                message = f"git {arguments[0]} took longer than {self._seconds:g} s"
                raise NetworkError(message, hint="is the repository reachable?") from None
            finally:
                if process.returncode is None:
                    end_group(process)
            if process.returncode:
                raise _error(process.returncode, arguments, _written(told, SAID))
            return _written(out, most)

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command of git that answers by its status says yes."""
        with suppress(AixError):
            self.run(*arguments)
            return True
        return False

    def _started(self, command: list[str], out: IO[bytes], told: IO[bytes]) -> "subprocess.Popen[bytes]":
        """It writes to files, not pipes, which a process that outlives it would hold open."""
        try:
            with signals_held():
                return subprocess.Popen(
                    command,
                    cwd=self._directory,
                    env=self._env,
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=told,
                    start_new_session=True,
                )
        except FileNotFoundError:
            raise NotFoundError(f"there is no directory {self._directory}") from None


def _written(file: IO[bytes], most: int) -> bytes:
    file.seek(0)
    return file.read(most)


def _error(status: int, arguments: Sequence[str], said: bytes) -> AixError:
    """The error that the end of git means."""
    if status == NOT_FOUND:
        return UsageError("git is not installed", hint="install git, then run the command again")
    if status == -signal.SIGXFSZ:
        return RefusedError(f"git {arguments[0]} would write more than any collection needs", hint=SMALLER)
    return failed(arguments, said.decode(errors="replace"))


def failed(arguments: Sequence[str], said: str) -> AixError:
    """The error that git's own words mean."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))] or lines[-1:]
    kind, hint = next(((kind, hint) for words, kind, hint in _KINDS if any(word in said for word in words)), _OTHER)
    last = (told[0] if told else "it did not say why").rstrip(".:")
    cause = " ".join(line for line in lines if not told or not line.endswith(told[0]))[:300]
    return kind(f"git {arguments[0]} failed: {last}", cause=cause, hint=hint)


SMALLER = "a smaller repository, or an archive (aix collection export), holds just the prompts"
_OTHER: tuple[type[AixError], str] = (AixError, "")
_KINDS: tuple[tuple[tuple[str, ...], type[AixError], str], ...] = (
    (
        ("Authentication failed", "could not read Username", "could not read Password", "Permission denied (publickey"),
        AuthError,
        "git is not asked for a password here; git ls-remote URL, with a credential helper or ssh-add, must work first",
    ),
    (
        ("Host key verification failed",),
        AuthError,
        "ssh does not know that server yet: connect to it once yourself, and look at its key",
    ),
    (("died of signal 25",), RefusedError, SMALLER),
    (("protocol error", "bad pack header", "bad line length"), NetworkError, "is that the address of a repository?"),
    (
        ("dubious ownership",),
        RefusedError,
        "it belongs to another user; git config --global --add safe.directory DIR, if you know whose it is",
    ),
    (("fsck error", "not allowed"), RefusedError, ""),
    (("bad config", "bad numeric config", "unknown value for config"), ConfigError, "git config --list --show-origin"),
    (
        (
            "couldn't find remote ref",
            "not appear to be a git repo",
            "ository not found",
            "not found",
            "not our ref",
            "no upstream",
        ),
        NotFoundError,
        "",
    ),
    (
        (
            *("Could not resolve", "unable to access", "Connection refused", "Connection timed out"),
            *("Connection reset", "Network is unreachable", "No route to host", "hung up", "early EOF"),
            "Could not read from remote",
        ),
        NetworkError,
        "",
    ),
    (("No space left", "Read-only file system", "Permission denied", "quota exceeded"), StorageError, ""),
    (
        (
            "bad object",
            "bad tree object",
            "missing",
            "corrupt",
            "unable to read",
            "Could not read ",
            "did not send all",
        ),
        StorageError,
        "the repository is damaged: git fsck, run in it, says how",
    ),
)
"""Which error some words of git's mean, and what to do then."""
