"""The prompts: which cannot be used, and which hide others."""

import time
from collections.abc import Iterator

from aix.errors import AixError
from aix.health.finding import Finding, fault, ok, warning
from aix.health.scene import Scene
from aix.library.layer import Layer
from aix.library.library import Library
from aix.library.place import BUILT_IN
from aix.library.template import Template

SECONDS = 3.0
"""How long prompts are read; what is left then is said, not read."""

NAMED = 5
"""How many broken prompts are named."""


def broken(scene: Scene) -> Iterator[Finding]:
    """Each prompt is read as a run would read it, without rendering it."""
    names = list(scene.library().names())
    found, read = _read(names)
    for name, error in found[:NAMED]:
        error.hint = error.hint or f"aix edit {name}"
        yield fault(error, prompt=name)
    if len(found) > NAMED:
        yield warning(f"and {len(found) - NAMED} more prompts that cannot be used", "aix list")
    if read < len(names):
        yield warning(f"only {read} of {len(names)} prompts were looked at, for want of time", "aix list")
    elif not found:
        yield ok(_counted(names), count=len(names))


def _read(names: list[tuple[str, Layer]]) -> tuple[list[tuple[str, AixError]], int]:
    """The broken ones, and how many were read before the time was up."""
    end = time.monotonic() + SECONDS
    found: list[tuple[str, AixError]] = []
    for number, (name, layer) in enumerate(names):
        if time.monotonic() > end:
            return found, number
        try:
            _ = Template(layer.prompt(name), layer.read).params
        except AixError as error:
            found.append((name, error))
    return found, len(names)


def _counted(names: list[tuple[str, Layer]]) -> str:
    counts: dict[str, int] = {}
    for _, layer in names:
        counts[layer.name] = counts.get(layer.name, 0) + 1
    return f"{len(names)} can be used ({', '.join(f'{count} {layer}' for layer, count in counts.items())})"


def hidden(scene: Scene) -> Iterator[Finding]:
    """A prompt that another layer hides; to hide a built-in one is the way to change it."""
    found = list(_hidden(scene.library()))
    surprising = [row for row in found if row[2] != BUILT_IN]
    if surprising:
        name, winner, loser = surprising[0]
        more = f", and {len(surprising) - 1} more such" if len(surprising) > 1 else ""
        yield warning(
            f"{name} of {winner} hides the one of {loser}{more}",
            f"aix which {name}",
            prompts=[row[0] for row in surprising],
        )
    elif found:
        yield ok(
            f"yours hide built-in ones: {', '.join(row[0] for row in found[:NAMED])}", prompts=[row[0] for row in found]
        )
    else:
        yield ok("none hides another")


def _hidden(library: Library) -> Iterator[tuple[str, str, str]]:
    """Name, the layer that wins, the layer that is hidden."""
    winners: dict[str, str] = {}
    for layer in library.layers:
        for name in sorted(layer.names()):
            if winners.setdefault(name, layer.name) != layer.name:
                yield name, winners[name], layer.name
