"""A repository whose own settings could start something is refused before git sees it."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config.git_keys import keys, refuse_executable
from aix.errors import RefusedError

SOUND = """[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	ignorecase = true
	autocrlf = input
[remote "origin"]
	url = https://example.com/team/prompts.git
	fetch = +refs/heads/*:refs/heads/*
[branch "main"]
	remote = origin
	merge = refs/heads/main
[user]
	name = Ada; [core] fsmonitor = no
	email = "ada@example.com # not a comment"
[submodule "x"]
	url = ../x
	active = true
[pull] rebase = true
"""

EVIL = [
    "[core]\nfsmonitor = evil",
    "[CORE]\n\tFSMonitor=evil",
    "[core] fsmonitor = evil",
    "[core]fsmonitor",
    "[core]\nhooksPath = /tmp",
    "[core]\nsshCommand = evil",
    "[core]\npager = evil",
    "[core]\neditor = evil",
    "[core]\naskPass = evil",
    "[core]\ngitProxy = evil",
    "[core]\nalternateRefsCommand = evil",
    "[core]\nworktree = /",
    "[diff]\nexternal = evil",
    '[diff "x"]\ncommand = evil',
    '[diff "x"]\ntextconv = evil',
    '[filter "x"]\nclean = evil',
    '[filter "x"]\nsmudge = evil',
    '[filter "x"]\nprocess = evil',
    '[merge "x"]\ndriver = evil',
    "[credential]\nhelper = evil",
    '[credential "https://x"]\nhelper = evil',
    "[include]\npath = evil",
    '[includeIf "gitdir:/"]\npath = evil',
    "[alias]\nst = !evil",
    "[gpg]\nprogram = evil",
    '[gpg "ssh"]\nprogram = evil',
    '[gpg "ssh"]\ndefaultKeyCommand = evil',
    '[remote "origin"]\nuploadpack = evil',
    '[remote "origin"]\nreceivepack = evil',
    '[remote "origin"]\nvcs = evil',
    '[remote "origin"]\nproxy = evil',
    '[remote "origin"]\npromisor = true',
    "[uploadpack]\npackObjectsHook = evil",
    "[protocol]\nallow = always",
    '[protocol "ext"]\nallow = always',
    '[url "ext::evil"]\ninsteadOf = https://',
    "[http]\nproxy = evil",
    '[http "https://x"]\nsslVerify = false',
    '[http "https://x"]\nextraHeader = evil',
    "[sequence]\neditor = evil",
    "[trailer]\ncommand = evil",
    '[trailer "x"]\ncmd = evil',
    '[mergetool "x"]\ncmd = evil',
    '[submodule "x"]\nupdate = !evil',
    "[tar.gz]\ncommand = evil",
    '[hook "x"]\ncommand = evil',
    "[a]\nb = c\\\n[d]\n[core]\nfsmonitor = evil",
    '[a]\nb = "c\\"" # [x]\n[core]\nfsmonitor = evil',
    "[core]\nx = a\\\n[bar]\nfsmonitor = evil",
    "[core]\nx = a;\\\n[core]\nfsmonitor = evil",
    "\ufeff[core]\r\nfsmonitor = evil\r\n",
    '[x "]"]\n[core]\nfsmonitor = evil',
    "[core.]\nx = 1\n[core]\nfsmonitor = evil",
]

UNREADABLE = ["[core", "core]", '[a "b]\nx=1', "[a]\nx y", '[a]\nx = "', "[a]\nx = \\q", "[a]\n1x = 2", "=", "[a b]"]


def directory(folder: Path, text: str) -> Path:
    (folder / "config").write_text(text)
    return folder


def test_the_settings_of_an_ordinary_repository_are_sound(tmp_path: Path) -> None:
    refuse_executable(directory(tmp_path, SOUND))


@pytest.mark.parametrize("text", EVIL)
def test_settings_that_could_start_something_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        refuse_executable(directory(tmp_path, f"{SOUND if not text.startswith(chr(0xFEFF)) else ''}{text}"))
    assert f"{tmp_path / 'config'} sets " in caught.value.message
    assert caught.value.reason == "executable"


@pytest.mark.parametrize("text", UNREADABLE)
def test_settings_that_git_could_not_read_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        refuse_executable(directory(tmp_path, text))


@pytest.mark.parametrize("name", ["commondir", "gitdir"])
def test_settings_that_lie_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("../evil")
    with pytest.raises(RefusedError, match="elsewhere"):
        refuse_executable(directory(tmp_path, SOUND))


def test_the_settings_of_a_work_tree_count_too(tmp_path: Path) -> None:
    (tmp_path / "config.worktree").write_text("[core]\nfsmonitor = evil")
    with pytest.raises(RefusedError, match=r"config\.worktree sets core\.fsmonitor"):
        refuse_executable(directory(tmp_path, SOUND))


@pytest.mark.parametrize("make", [lambda path: os.mkfifo(path), lambda path: path.mkdir()])
def test_settings_that_are_no_file_are_refused(make: object, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "config")
    with pytest.raises(RefusedError, match="cannot be read"):
        refuse_executable(tmp_path)


def git_reads(path: Path) -> list[str] | None:
    """The keys as git itself reads them; None where it cannot."""
    done = subprocess.run(
        ["git", "config", "--file", str(path), "--no-includes", "--name-only", "--null", "--list"],
        capture_output=True,
        check=False,
    )
    return None if done.returncode else done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


PIECES = ["[core]", "[a.b]", '[a "B\\"c"]', '[x "]"]', "fsmonitor", "key", "=", " ", "\n", "\\\n", "\\", '"', "#", ";"]
PIECES += ["]", "[", "\r\n", "\t", "v", "\\n", "1", "-", ".", "é"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_keys_are_those_that_git_reads(text: str) -> None:
    path = Path.cwd() / "config"
    path.write_text(text, newline="")
    theirs = git_reads(path)
    try:
        ours = list(keys(text))
    except Exception:  # noqa: BLE001 - whatever it says, it is refused
        return
    assert theirs is None or [key.lower() for key in theirs] == ours
