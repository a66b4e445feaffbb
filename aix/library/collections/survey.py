"""What is in the files of a collection: prompts, the commands that they may run, and what of it changed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aix.config.reading import MissingFileError
from aix.errors import AixError
from aix.library import document
from aix.library.layer import SUFFIX, is_name
from aix.library.templates.template import Template

_RUNS = re.compile(rb"\bsh\s*\(")
_NAMES = re.compile(rb"\{%[-+]?\s*(include|import|extends|from)\b")


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is other than it was: `how` is added, changed or removed; with the lines and commands that are new or
    gone."""

    name: str
    how: str
    plus: int = 0
    minus: int = 0
    new_commands: tuple[str, ...] = ()
    gone_commands: tuple[str, ...] = ()


def prompt_names(files: Iterable[str]) -> list[str]:
    """The prompts among files; partials and pages such as a README are none."""
    names = (file.removesuffix(SUFFIX) for file in files)
    return sorted(name for name in names if is_name(name) and not any(part.startswith("_") for part in name.split("/")))


def commands(files: Mapping[str, bytes]) -> dict[str, tuple[str, ...]]:
    """The prompts that may run commands, with those. A prompt that cannot be read runs none."""
    if not any(map(_RUNS.search, files.values())):
        return {}
    found = {}
    for name in prompt_names(files):
        data = files[name + SUFFIX]
        if _RUNS.search(data) or _NAMES.search(data):
            found[name] = _commands(name, files)
    return {name: told for name, told in found.items() if told}


def changes(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Change]:
    """What is new, other or gone, by name; also a prompt that runs other commands because of what it includes."""
    before, after = commands(old), commands(new)
    for file in sorted({*old, *new}):
        name = file.removesuffix(SUFFIX)
        was, now = before.get(name, ()), after.get(name, ())
        if old.get(file) != new.get(file) or was != now:
            how = "added" if file not in old else "changed" if file in new else "removed"
            lines = (Counter(files.get(file, b"").splitlines()) for files in (old, new))
            one, other = lines
            told = tuple(word for word in now if word not in was), tuple(word for word in was if word not in now)
            yield Change(name, how, (other - one).total(), (one - other).total(), *told)


def _commands(name: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    def read(file: str) -> str:
        if file not in files:
            raise MissingFileError(f"there is no file {file}")
        return document.decode(files[file], file)

    with suppress(AixError, RecursionError):
        file = name + SUFFIX
        prompt = document.parse(read(file), name, Path(file))
        return tuple(dict.fromkeys(Template(prompt, read).commands))
    return ()
