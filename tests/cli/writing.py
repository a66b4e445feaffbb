"""A person who writes: an editor that does what a test says, on a terminal."""

import os
from collections.abc import Mapping
from pathlib import Path

from stage import Terminal

PLAIN = "old text\n"
BROKEN = "---\nparams: [\n---\nlong work\n"
KEY = "sk-canary-0123456789abcdef"
EDITOR = """#!/bin/sh
times=$(($(cat "$0.times" 2> /dev/null) + 1))
echo $times > "$0.times"
. "$0.$times"
"""


def files(folder: Path) -> dict[str, str]:
    """All that is in a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def editor(*scripts: str) -> str:
    """What `$EDITOR` says for a program with a space in its path that wants an argument, and gets the file as "$2".
    Each time that it is opened, it does what the next script says."""
    path = Path.home() / "my editor"
    path.write_text(EDITOR)
    path.chmod(0o755)
    path.with_name(f"{path.name}.times").unlink(missing_ok=True)
    for number, script in enumerate(scripts, 1):
        path.with_name(f"{path.name}.{number}").write_text(script)
    return f"'{path}' --wait"


def writing(
    *arguments: str, does: str | tuple[str, ...], env: Mapping[str, str] | None = None, script: str = ""
) -> Terminal:
    """The command on a terminal, with that editor, and a key in the environment."""
    command = editor(*((does,) if isinstance(does, str) else does))
    environment = {"EDITOR": command, "OPENAI_API_KEY": KEY, "TMPDIR": os.environ["HOME"], **(env or {})}
    return Terminal(*arguments, env=environment, script=script, columns=300)


def drafts() -> list[bytes]:
    """What is left of the files that an editor was given."""
    return [path.read_bytes() for path in Path.home().glob("aix-*/*")]
