"""Git, as it may be run over a repository that came from somebody else: with none of what its settings could start."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aix.config.git_keys import refuse_waiting
from aix.errors import AixError, AuthError, NetworkError, NotFoundError, RefusedError, StorageError, UsageError

SECONDS = 600.0
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
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
)
"""Settings that win over those of any file: nothing that a repository names is started by git."""

ALONE: tuple[str, ...] = (
    "protocol.allow=never",
    "protocol.file.allow=never",
    "protocol.https.allow=never",
    "protocol.http.allow=never",
    "protocol.ssh.allow=never",
    "protocol.git.allow=never",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "credential.helper=",
)
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
        kept = {name: value for name, value in env.items() if not name.startswith(PREFIX) and name not in HIDDEN}
        self._env = kept | QUIET | ({"GIT_DIR": str(directory)} if bare else {})
        self._seconds = seconds
        self._settings = SAFE if online else (*SAFE, *ALONE)

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        """What a command of git writes. Raises AixError with what it said."""
        settings = [word for setting in self._settings for word in ("-c", setting)]
        refuse_waiting(self._directory)
        try:
            process = subprocess.Popen(
                ["git", "--no-pager", *settings, *arguments],  # noqa: S607 - the user's own git, wherever it is
                cwd=self._directory,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise _unstarted(self._directory) from None
        out, said = self._finished(process, arguments, data)
        if process.returncode:
            raise failed(arguments, said.decode(errors="replace"))
        return out

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command of git that answers by its status says yes."""
        with suppress(AixError):
            self.run(*arguments)
            return True
        return False

    def _finished(
        self, process: "subprocess.Popen[bytes]", arguments: Sequence[str], data: bytes
    ) -> tuple[bytes, bytes]:
        """What it wrote on both streams. However this ends, neither git nor what it started goes on."""
        try:
            return process.communicate(data, self._seconds)
        except subprocess.TimeoutExpired:
            raise NetworkError(
                f"git {arguments[0]} took longer than {self._seconds:g} s", hint="is the repository reachable?"
            ) from None
        finally:
            if process.returncode is None:
                _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait()


def _unstarted(directory: Path) -> AixError:
    if not directory.is_dir():
        return NotFoundError(f"there is no directory {directory}")
    return UsageError("git is not installed", hint="install git, then run the command again")


def failed(arguments: Sequence[str], said: str) -> AixError:
    """The error that git's own words mean."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))] or lines[-1:]
    kind, hint = next(((kind, hint) for words, kind, hint in _KINDS if any(word in said for word in words)), _OTHER)
    last = (told[0] if told else "it did not say why").rstrip(".:")
    cause = " ".join(lines)[:300] if len(lines) > 1 else ""
    return kind(f"git {arguments[0]} failed: {last}", cause=cause, hint=hint)


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
    (("fsck error", "dubious ownership", "not allowed"), RefusedError, ""),
    (
        ("couldn't find remote ref", "not appear to be a git repo", "ository not found", "not found", "not our ref"),
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
    (("No space left", "Read-only file system", "Permission denied"), StorageError, ""),
)
"""Which error some words of git's mean, and what to do then."""
