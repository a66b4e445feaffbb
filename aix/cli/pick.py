"""`aix run` without a name, on a terminal: pick a prompt, fill it in, send or show it, and get the command to keep."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aix.cli import ask
from aix.cli.options import Shell
from aix.config.values import boolean
from aix.errors import NotFoundError
from aix.library.prompt import Param

LONGEST = 120
"""A longer value, or one of several lines, is not repeated in a command: it belongs into a file."""

WAYS = {"show": "show it", "send": "send it to {}"}


@dataclass(slots=True)
class Picked:
    """A prompt that was picked; what else stood on the command line, and what was answered since."""

    name: str
    arguments: Sequence[str]
    answers: list[tuple[Param, str]] | None = None
    sent: bool | None = None

    @property
    def settled(self) -> bool:
        """Whether all questions were answered."""
        return self.answers is not None

    def command(self, taken: set[str]) -> str:
        """The command line that does the same without a question; `taken` are the flags of `aix run` itself."""
        flags = (flag for param, text in self.answers or () for flag in _flags(param, text, taken))
        way = [] if self.sent is None else ["--execute" if self.sent else "--no-execute"]
        return " ".join(("aix run", self.name, *map(shlex.quote, self.arguments), *flags, *way))


def pick(shell: Shell, library: str | None, arguments: Sequence[str]) -> Picked:
    """The prompt that a person picks. Raises NotFoundError when there is none."""
    prompts = dict(_described(shell, library))
    if not prompts:
        raise NotFoundError("there are no prompts", hint='aix create NAME "Say hello to {{ name }}."', reason="prompt")
    return Picked(ask.pick("Which prompt? (some letters, then Enter)", prompts), arguments)


def choose_way(target: str, *, sending: bool) -> bool:
    """Whether to send what was rendered, or only to show it."""
    words = {way: text.format(target) for way, text in WAYS.items()}
    return ask.choose("What shall be done with it?", words, "send" if sending else "show") == "send"


def _described(shell: Shell, library: str | None) -> Iterator[tuple[str, str]]:
    for entry in shell.app.prompts.library_at(library).entries():
        yield entry.name, "(broken)" if entry.error else entry.description or entry.first[:80]


def _flags(param: Param, text: str, taken: set[str]) -> Iterator[str]:
    """How a value is given on a command line, quoted for a shell."""
    if param.type == "boolean" and param.flag not in taken:
        yield param.flag if boolean(text) else f"--no-{param.flag[2:]}"
    elif param.secret:
        yield _pair(param, f'"${param.name.upper()}"', taken)
    elif param.file_flag and (len(text) > LONGEST or "\n" in text.strip()):
        yield f"{param.file_flag} FILE" if param.file_flag not in taken else f"-p {param.name}@FILE"
    else:
        yield _pair(param, shlex.quote(text.rstrip("\n")), taken)


def _pair(param: Param, quoted: str, taken: set[str]) -> str:
    return f"-p {param.name}={quoted}" if param.flag in taken else f"{param.flag} {quoted}"
