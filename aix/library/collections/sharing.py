"""Prompts that leave the library: as a folder to share in git, or as an archive."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aix.config.reading import read_regular
from aix.config.secrets import Secret
from aix.errors import NotFoundError, StorageError, UsageError
from aix.library.collections import bundle
from aix.library.collections.archive import Bundle, pack
from aix.library.collections.lock import ARCHIVES, MAX_NAME, Collection, is_collection_name, pin_of
from aix.library.collections.tar import MAX_PACKED
from aix.library.layer import SUFFIX
from aix.library.library import Library

ORIGIN = "origin"
"""What the lock keeps of an archive's manifest."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a collection: the commit `pin` of the repository `source`, if it is from one."""

    description: str = ""
    source: str = ""
    pin: str = ""

    @classmethod
    def of(cls, collection: Collection) -> "Origin":
        """A folder or an archive is of one machine, so its path is told to nobody; where an archive says itself that it
        is from a repository, that is told on."""
        if collection.kind == "git":
            return cls(source=without_password(collection.source), pin=collection.pin)
        said = collection.extra.get(ORIGIN)
        known = said if isinstance(said, dict) else {}
        return cls(**{key: str(known.get(key, "")) for key in ("description", "source", "pin")})


class Sharing:
    """`origin` says what is known of the collection of a name; `secrets` gives the keys that nobody is to share."""

    def __init__(
        self, library: Library, origin: Callable[[str], Origin], secrets: Callable[[], Sequence[Secret]]
    ) -> None:
        self._library = library
        self._origin = origin
        self._secrets = secrets

    def gather(self, words: Sequence[str]) -> Bundle:
        """What words name, all together: layers as a whole, and prompts with all that they include. It has the name
        that they suggest; none where they suggest none. Raises UsageError, NotFoundError or TemplateError."""
        layers = {layer.name: layer for layer in self._library.layers}
        parts = {
            word: bundle.of_layer(layers[word]) if word in layers else bundle.with_includes(*self._library.get(word))
            for word in words
        }
        files = bundle.joined(parts)
        if len(words) != 1:
            return Bundle("", files)
        if words[0] not in layers:
            return Bundle(next(iter(files)).removesuffix(SUFFIX).rpartition("/")[2], files)
        origin = self._origin(words[0])
        name = words[0] if is_collection_name(words[0]) else ""
        return Bundle(name, files, origin.description or bundle.about(files), origin.source, origin.pin)

    def keys(self, found: Bundle) -> list[str]:
        """Where in a bundle there is a key, or what looks like one."""
        return list(bundle.keys_in(found.files, self._secrets()))

    def folder(self, root: Path, found: Bundle) -> None:
        """Write a bundle into a new folder, with a README and what git needs to know. Raises UsageError or
        StorageError."""
        page = bundle.page(found.name, found.description, found.files)
        bundle.write_folder(root, {**found.files, bundle.README: page, bundle.ATTRIBUTES: bundle.LINE_ENDS})

    def named(self, found: Bundle, name: str, description: str) -> Bundle:
        """A bundle under a name, and with a description if one is given. Raises UsageError for what can be no name."""
        if not name:
            raise UsageError("what is the collection to be called?", hint="add --name NAME")
        if not is_collection_name(name):
            hint = f"at most {MAX_NAME} letters, digits and . _ -, and none of user, project, builtin, file"
            raise UsageError(f"a collection cannot be called '{name}'", hint=hint)
        return replace(found, name=name, description=" ".join(description.split()) or found.description)

    def pack(self, found: Bundle) -> bytes:
        """The archive of a bundle. Raises TemplateError or UsageError."""
        return pack(found)


def read_archive(path: Path) -> bytes:
    """What is in a file that somebody names. Raises NotFoundError or StorageError."""
    try:
        return read_regular(path, MAX_PACKED)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", hint="aix collection export makes one") from None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None


def collection_of(found: Bundle, file: str, name: str) -> Collection:
    """The line of the lock for an archive. Its pin is a digest over its files, however they were packed."""
    source = Path(file).name if file.endswith(ARCHIVES) else f"{found.name}{ARCHIVES[0]}"
    origin = {"description": found.description, "source": found.source, "pin": found.pin}
    return Collection(name or found.name, source, pin_of(found.files), extra={ORIGIN: origin})


def without_password(source: str) -> str:
    """A repository's address as others may see it: no password, and nothing where it is a folder of this machine."""
    scheme, slashes, rest = source.partition("://")
    if not slashes:
        return source if re.match(r"[\w.-]+@([\w.-]+|\[[\w:.]+\]):(?!//)", source) else ""
    if scheme == "file":
        return ""
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
