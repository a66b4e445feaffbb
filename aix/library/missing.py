"""What to say of a name that means nothing: what there is instead, and what looks like it."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from aix.errors import NotFoundError
from aix.library.layer import Layer, is_name, oddity
from aix.library.reference import WRITTEN, Reference, reference

MOST = 3
"""How many names are offered."""

LIKE, FARTHER = 0.5, 0.3
"""How much a name must look like a word to be offered, of 1 for the same; and how much less than the nearest one."""


def layers_of(layers: Sequence[Layer], name: str) -> list[Layer]:
    """The layers that a name means: the one that is named, or all. Raises NotFoundError for one that there is not."""
    found = [layer for layer in layers if name in ("", layer.name)]
    if not found:
        message, hint = no_layer(layers, name)
        raise NotFoundError(message, hint=hint, reason="layer")
    return found


def no_layer(layers: Sequence[Layer], name: str) -> tuple[str, str]:
    """What is wrong with the name of no layer, and what to do."""
    *others, last = [layer.name for layer in layers]
    there = f"{', '.join(others)} and {last}" if others else last
    hint = _offered(near(name, [*others, last])) or "aix list --long shows the layer of each prompt"
    return f"there is no layer '{name}', only {there}", hint


def no_prompt(layers: Sequence[Layer], name: str, more: str = "") -> NotFoundError:
    """What to say of a name that no prompt has; `more` is what else can be done. Raises NotFoundError for a name of no
    layer."""
    named = reference(name)
    meant = layers_of(layers, named.layer)
    said = f"there is no prompt '{named.name}' in {named.layer}" if named.layer else f"there is no prompt '{name}'"
    if odd := next(filter(None, (_odd(layer, named.name) for layer in meant)), ""):
        return NotFoundError(f"{said}: {odd}", reason="prompt")
    alike = _alike(layers, meant, named)
    hint = _offered(alike) or (f"aix list --layer {named.layer}" if named.layer else "aix list shows all prompts")
    if more and is_name(named.name) and named.layer in ("", *WRITTEN):
        hint += f" {more}" if alike else f"; {more}"
    return NotFoundError(said, hint=hint, reason="prompt")


def near(word: str, names: Sequence[str]) -> list[str]:
    """At most three names that look like a word: the nearest, and those that are not much farther from it."""
    matcher = SequenceMatcher(None, b=word)
    found: list[tuple[float, str]] = []
    for name in names:
        matcher.set_seq1(name)
        least = -found[-1][0] if len(found) == MOST else LIKE
        if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least:
            found = sorted([*found, (-matcher.ratio(), name)])[:MOST]
    return [name for unlike, name in found if -unlike >= max(LIKE, -found[0][0] - FARTHER)]


def _alike(layers: Sequence[Layer], meant: Sequence[Layer], named: Reference) -> list[str]:
    """The names to offer: that of another layer, then those that look like it."""
    head = f"{named.layer}:" if named.layer else ""
    elsewhere = [f"{layer.name}:{named.name}" for layer in layers if layer.has(named.name)]
    known = sorted({name for layer in meant for name in layer.names()})
    return [*elsewhere, *(head + name for name in near(named.name, known))][:MOST]


def _odd(layer: Layer, name: str) -> str:
    """What is in the place of a prompt's file and is none."""
    path = layer.path(name)
    return f"{path} is {what}" if is_name(name) and (what := oddity(path)) else ""


def _offered(names: Sequence[str]) -> str:
    return f"did you mean {' or '.join(names)}?" if names else ""
