"""How a person names a prompt: `review`, `team:review` of one layer, `review@v2` as it was."""

from dataclasses import dataclass

WRITTEN = ("user", "project", "file")
"""The layers that aix writes to; all others are only read."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A prompt's name; `layer` is empty where any may have it, `revision` where it is meant as it is now."""

    name: str
    layer: str = ""
    revision: str = ""

    def __str__(self) -> str:
        layer = f"{self.layer}:" if self.layer else ""
        return layer + self.name + (f"@{self.revision}" if self.revision else "")


def reference(text: str) -> Reference:
    """What a text names. `\\` is taken for `/`; whether there is such a prompt is not known by this. A `:` or `@` with
    nothing beside it is left in the name, which no prompt can have."""
    named, at, revision = text.partition("@")
    layer, colon, name = named.rpartition(":")
    if (at and not (name and revision)) or (colon and not (layer and name)):
        return Reference(text)
    return Reference(name.replace("\\", "/"), layer, revision)
