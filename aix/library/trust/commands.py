"""The commands of a prompt, and what `sh(…)` gives where they do not run: a text in their place, or a refusal."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aix.errors import RefusedError
from aix.library.prompt import Prompt

Sh = Callable[..., str]
"""What a template calls as `sh`: with the command, and with the values that are its `$1`, `$2`, …"""
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters, as Unicode calls them, of which nothing is seen."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the source has it, and where that is: a file by the name that an include gives it, and a line.
    `values` says what it is given, as far as that can be said before it is."""

    text: str
    file: str
    line: int
    values: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """The command with its values: what a person has to read, since `"$1"` alone can be any command."""
        given = ", ".join(f"${number} = {value}" for number, value in enumerate(self.values, 1))
        return f"{self.text}  [{given}]" if given else self.text

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def legible(line: str) -> str:
    """A line with nothing in it that is not seen."""
    return "".join(
        letter if letter.isprintable() and not BLANK.match(letter) else letter.encode("unicode_escape").decode()
        for letter in line
    )


def called(prompt: Prompt, home: Path | None = None, revision: str = "") -> str:
    """How a prompt is named on a command line, so that no other is meant: in words for a shell. `home` is the library
    that needs no naming, and `revision` the one that the prompt is as of."""
    if prompt.layer == "file":
        return shlex.quote(str(prompt.path))
    name = prompt.name if prompt.layer in ("", "user", "builtin") else f"{prompt.layer}:{prompt.name}"
    name += f"@{revision[:12]}" if revision else ""
    root = prompt.path.parents[prompt.name.count("/")] if prompt.path and prompt.layer == "user" else home
    return name if not home or root == home else f"{name} --library {shlex.quote(str(root))}"


def left_out(command: str, *_: object) -> str:
    """Where commands are switched off."""
    return f"[command: {command}]"


def refused(prompt: Prompt, digest: str, words: str = "") -> Sh:
    """For a prompt that is not trusted, and that is called by these words on a command line."""
    shown = words or called(prompt)
    ways = [] if prompt.name == "-" else [f"look at it: aix show {shown}", f"trust this content: aix trust {shown}"]

    def sh(command: str, *_: object) -> str:
        raise RefusedError(
            f"'{prompt.name}' runs a command, and its content is not trusted: {legible(' '.join(command.split()))}",
            hint="\n".join([*ways, f"in CI: --trust {digest}", "without its commands: --disable-commands"]),
            reason="untrusted",
        )

    return sh
