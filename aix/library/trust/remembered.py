"""What the trust store remembers by name, and what is had by that name now."""

from contextlib import suppress
from pathlib import Path

from aix.errors import AixError, NotFoundError, TemplateError
from aix.library.layer import Layer
from aix.library.library import Library, file_place, is_file_name, open_file
from aix.library.place import FILE
from aix.library.prompt import Prompt
from aix.library.reference import reference
from aix.library.templates.template import Template
from aix.library.trust.store import Seen, seen


def remembered(name: str, path: Path, library: Library) -> Seen:
    """What a prompt that cannot be read is called in the trust store: by a name, or by the `path` that it means. One
    that is not there may have been in any layer."""
    with suppress(NotFoundError, TemplateError):
        place = file_place(path) if is_file_name(name) else library.place(name)
        return seen(place.name, place.layer.name, place.path)
    if is_file_name(name):
        return seen(path.stem, FILE, path)
    named = reference(name)
    return Seen(named.name, named.layer)


def digest_of(name: Seen, library: Library) -> str | None:
    """The digest of what is had by a name now, if there is something that can be read."""
    with suppress(AixError):
        prompt, layer = _found(name, library)
        return Template(prompt, layer.read).digest
    return None


def _found(name: Seen, library: Library) -> tuple[Prompt, Layer]:
    """Raises NotFoundError or TemplateError."""
    if name.layer == FILE:
        return open_file(Path(name.name))
    if name.root:
        layer = Layer(name.layer, Path(name.root))
        return layer.prompt(name.name), layer
    return library.get(str(name))
