"""The commands of a prompt, and what `sh(…)` gives where they do not run: a text in their place, or a refusal."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from aix.errors import RefusedError
from aix.library.prompt import Prompt

Sh = Callable[..., str]
"""What a template calls as `sh`: with the command, and with the values that are its `$1`, `$2`, …"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the source has it, and where that is: a file by the name that an include gives it, and a line."""

    text: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def called(prompt: Prompt) -> str:
    """How a prompt is named on a command line, so that no other is meant: in words for a shell."""
    if prompt.layer == "file":
        return shlex.quote(str(prompt.path))
    return prompt.name if prompt.layer in ("", "user", "builtin") else f"{prompt.layer}:{prompt.name}"


def left_out(command: str, *_: object) -> str:
    """Where commands are switched off."""
    return f"[command: {command}]"


def refused(prompt: Prompt, digest: str, revision: str = "") -> Sh:
    """For a prompt that is not trusted."""
    shown = called(prompt) + (f"@{revision[:12]}" if revision else "")

    def sh(command: str, *_: object) -> str:
        raise RefusedError(
            f"'{prompt.name}' runs a command, and its content is not trusted: {' '.join(command.split())}",
            hint=f"look at it: aix show {shown}\nlet just this content run them: aix trust {shown}\n"
            f"in CI: --trust {digest}\nwithout them: --disable-commands",
            reason="untrusted",
        )

    return sh
