"""The prompts: which cannot be used, and which hide others."""

import time
from collections.abc import Iterator

from aix.errors import AixError
from aix.health.finding import MOVE, Finding, fault, ok, warning
from aix.health.scene import Scene
from aix.health.within import within
from aix.library.layer import Layer
from aix.library.library import Library
from aix.library.place import BUILT_IN
from aix.library.templates.template import Template

SECONDS = 3.0
"""How long prompts are read; what is left then is said, not read."""

NAMED = 5
"""How many broken prompts are named."""


def broken(scene: Scene) -> Iterator[Finding]:
    """Each prompt is read as a run would read it, without rendering it."""
    end = time.monotonic() + SECONDS
    names, whole = _names(scene.library())
    found, odd, read = _read(names, end)
    for text in odd[:NAMED]:
        yield warning(text, "mend it, or begin its name with x- if it is another tool's")
    for name, error in found[:NAMED]:
        error.hint = error.hint or f"aix edit {name}"
        yield fault(error, prompt=name)
    if len(found) > NAMED:
        yield warning(f"and {len(found) - NAMED} more prompts that cannot be used", "aix lint")
    if read < len(names) or not whole:
        more = "" if whole else "more than "
        yield warning(
            f"only {read} of {more}{len(names)} prompts were looked at, for want of time", "aix lint" if whole else MOVE
        )
    elif not found:
        yield ok(_counted(names), count=len(names))


def _names(library: Library) -> tuple[list[tuple[str, Layer]], bool]:
    """The prompts that can be run by their names, as many as are found in half the time, and whether these are all."""
    pairs = ((name, layer) for layer in library.layers for name in layer.names())
    found, whole = within(SECONDS / 2, pairs)
    winners: dict[str, Layer] = {}
    for name, layer in found:
        winners.setdefault(name, layer)
    return sorted(winners.items(), key=lambda pair: pair[0]), whole


def _read(names: list[tuple[str, Layer]], end: float) -> tuple[list[tuple[str, AixError]], list[str], int]:
    """The broken ones, what is odd in the others, and how many were read before the time was up."""
    found: list[tuple[str, AixError]] = []
    odd: list[str] = []
    for number, (name, layer) in enumerate(names):
        if time.monotonic() > end:
            return found, odd, number
        try:
            prompt = layer.prompt(name)
            _ = Template(prompt, layer.read).params
            odd += prompt.warnings
        except AixError as error:
            found.append((name, error))
    return found, odd, len(names)


def _counted(names: list[tuple[str, Layer]]) -> str:
    counts: dict[str, int] = {}
    for _, layer in names:
        counts[layer.name] = counts.get(layer.name, 0) + 1
    return f"{len(names)} can be used ({', '.join(f'{count} {layer}' for layer, count in counts.items())})"


def hidden(scene: Scene) -> Iterator[Finding]:
    """A prompt that another layer hides; to hide a built-in one is the way to change it."""
    found = sorted(_hidden(scene.library()))
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
    pairs = ((name, layer.name) for layer in library.layers for name in layer.names())
    for name, layer in within(SECONDS / 2, pairs)[0]:
        if winners.setdefault(name, layer) != layer:
            yield name, winners[name], layer
