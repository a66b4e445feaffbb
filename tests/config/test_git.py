"""Git as it is started here: what it is not told, what its words mean, and that it always ends."""

import os
import time
from pathlib import Path

import pytest

from aix.config.git import Git, failed
from aix.errors import AixError, NetworkError, RefusedError, UsageError

SAID = [
    ("fatal: Authentication failed for 'https://example.com/x'", 4),
    ("fatal: could not read Username for 'https://example.com': terminal prompts disabled", 4),
    ("git@example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.", 4),
    ("Host key verification failed.\nfatal: Could not read from remote repository.", 4),
    ("fatal: couldn't find remote ref nope", 5),
    ("fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.", 5),
    ("remote: Repository not found.\nfatal: repository 'https://example.com/x/' not found", 5),
    ("fatal: unable to access 'https://example.com/': Could not resolve host: example.com", 7),
    ("ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.", 7),
    ("fatal: the remote end hung up unexpectedly", 7),
    ("error: object 0123: hasDotgit: contains '.git'\nfatal: fsck error in packed object", 11),
    ("fatal: detected dubious ownership in repository at '/x'", 11),
    ("fatal: write error: No space left on device", 13),
    ("error: index-pack died of signal 25\nfatal: fetch-pack: invalid index-pack output", 11),
    ("fatal: bad config line 1 in file /x/.gitconfig", 12),
    ("fatal: bad object 0123\nerror: /x did not send all necessary objects", 13),
    ("fatal: protocol error: bad pack header", 7),
    ("fatal: something else", 1),
    ("", 1),
]


@pytest.mark.parametrize(("said", "status"), SAID)
def test_what_git_says_has_an_exit_status(said: str, status: int) -> None:
    error = failed(["fetch"], said)
    assert (error.exit_code, error.message.startswith("git fetch failed: ")) == (status, True)


def test_git_ends_with_all_that_it_started(tmp_path: Path) -> None:
    """What it starts keeps its output open: whoever waits for that alone waits for ever."""
    began = time.monotonic()
    with pytest.raises(NetworkError, match=r"longer than 0\.5 s"):
        Git(tmp_path, dict(os.environ), 0.5).run("-c", "alias.x=!sleep 47 & echo $! > pid; wait", "x")
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        while True:  # until the system has taken it away
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_git_cannot_write_without_end(tmp_path: Path) -> None:
    git = Git(tmp_path, dict(os.environ))
    for stream in ("", " >&2", " > file"):
        with pytest.raises(RefusedError):
            git.run("-c", f"alias.x=!exec yes{stream}", "x", most=1_000_000)
    assert (tmp_path / "file").stat().st_size <= 1_000_000


def test_no_git_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git is not installed"):
        Git(tmp_path, {"PATH": str(tmp_path)}).run("version")


def test_variables_of_git_do_not_reach_it(tmp_path: Path) -> None:
    evil = {"GIT_DIR": "/x", "GIT_SSH_COMMAND": "evil", "GIT_CONFIG_COUNT": "1", "SSH_ASKPASS": "evil"}
    told = Git(tmp_path, {**os.environ, **evil}).run("-c", "alias.x=!env", "x").decode()
    assert "evil" not in told
    assert "GIT_TERMINAL_PROMPT=0" in told.splitlines()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1/x", "ssh://127.0.0.1/x", "/", "git://127.0.0.1/x", "ext::sh -c id"]
)
def test_git_that_is_not_online_goes_nowhere(url: str, tmp_path: Path) -> None:
    with pytest.raises(AixError, match=r"transport '.*' not allowed"):
        Git(tmp_path, dict(os.environ)).run("ls-remote", url)


def test_what_git_says_is_told_once() -> None:
    error = failed(["fetch"], "ssh: connect to host h: Connection refused\nfatal: Could not read from remote.\n")
    assert error.message == "git fetch failed: Could not read from remote"
    assert error.cause == "ssh: connect to host h: Connection refused"
    assert failed(["fetch"], "fatal: unable to access 'u': no").cause == ""
