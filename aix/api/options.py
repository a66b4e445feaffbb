"""The arguments of a call by their names, which are those of the command, and what a prompt is to a program."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypedDict

from aix.library.prompt import Output, Param
from aix.messages import Part, Text

StrPath = str | os.PathLike[str]

Named = str | os.PathLike[str] | Text
"""Which prompt: by its name, or that of a file as the command takes it (`./draft.md`); a path is always a file, and a
Text is a prompt itself."""


class AixWarning(UserWarning):
    """What a person should know of a run that goes on: a fallback that stands in, a setting that is passed over."""


class Place(TypedDict, total=False):
    """Where a prompt is found, and in which surroundings it runs."""

    library: StrPath | None
    """A folder in the place of the user's own prompts."""
    project: bool
    """False leaves out what the project has in its .prompts."""
    env: Mapping[str, str] | None
    """In the place of os.environ: keys, AIX_…, HOME."""
    cwd: StrPath | None
    """In the place of the working directory: the project, and where relative paths begin."""
    warn: Callable[[str], object] | None
    """Is given what would be an AixWarning."""


class Content(TypedDict, total=False):
    """What goes into the messages besides the values."""

    system: str | None
    """In the place of the system message."""
    attach: StrPath | Part | Sequence[StrPath | Part] | None
    """Paths of images, PDFs and texts, or Image, File and Text themselves; they follow the last user message."""
    commands: bool
    """False runs no `sh(…)`, and has `[command: …]` in its place."""
    trust: str | None
    """`sha256:…`: the one content that is meant, which may run its commands."""


class Asking(TypedDict, total=False):
    """Whom to ask, how, and for what. None and empty leave the choice to the prompt, then to the settings."""

    provider: str | None
    model: str | None
    pack: str | None
    fallback: str | Sequence[str] | None
    no_fallback: bool
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: str | Sequence[str] | None
    seed: int | None
    effort: str | None
    timeout: float | None
    """Seconds, for all of it."""
    max_cost: Decimal | float | str | None
    """Dollars; what may cost more is not sent."""
    schema: Mapping[str, Any] | StrPath | None
    """A JSON Schema that the answer must fit: itself, its JSON, or the path of a file."""
    extract: Literal["", "code", "json"] | None
    """Hand on the only code block of the answer, or its JSON."""
    log: bool
    """False keeps nothing but what limits count."""


class RenderOptions(Content, Place, total=False):
    """The options of `aix.render`."""


class SendOptions(Content, Asking, total=False):
    """The options of `run` and `stream` of a Library."""


class RunOptions(SendOptions, Place, total=False):
    """The options of `aix.run` and `aix.stream`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it would run. `params` are also those that it uses without declaring them, `commands` what `sh(…)`
    may run, as the source has it. `path` is None where the prompt is in no file."""

    name: str
    layer: str
    path: Path | None
    digest: str
    description: str
    tags: tuple[str, ...]
    params: tuple[Param, ...]
    commands: tuple[str, ...]
    model: str
    fallback: tuple[str, ...]
    options: Mapping[str, Any]
    output: Output
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A prompt of a list. `error` says what is wrong with its file, empty where nothing is."""

    name: str
    layer: str
    description: str = ""
    tags: tuple[str, ...] = ()
    error: str = ""
