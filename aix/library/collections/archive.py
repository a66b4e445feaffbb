"""A collection as one file, with a manifest that says what is in it: nothing is believed that it does not prove.

The rule for what may be in an archive: `manifest.json` first, then files of prompts, sorted by name. Such a file is one
that a layer can name: it ends in `.md`, and its folders and itself are made of letters, digits and `._-`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from aix.bounded import ExhaustedError, Limits, bounded
from aix.config.reading import MissingFileError
from aix.errors import AixError, TemplateError, UsageError
from aix.library import document
from aix.library.collections.survey import prompt_names
from aix.library.collections.tar import MAX_ENTRIES, packed, unpacked
from aix.library.layer import MAX_FILE, SUFFIX, is_file_of_a_layer
from aix.library.templates.template import Template

MANIFEST = "manifest.json"
FORMAT, VERSION = "aix-collection", 1
SAID = ("name", "description", "source", "pin")
"""What a manifest says of a collection, besides what can be found out from its files."""
PATIENCE = Limits(wall=60.0, cpu=60.0)
"""What the reading of a stranger's prompts may take."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files of prompts by name, on their way from one place to another. `source` and `pin` say which commit of which
    repository they are from, if they are from one."""

    name: str
    files: Mapping[str, bytes]
    description: str = ""
    source: str = ""
    pin: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The digest of each prompt."""

    @property
    def prompt_names(self) -> list[str]:
        return prompt_names(self.files)


def pack(bundle: Bundle) -> bytes:
    """The archive of a bundle: the same bytes for the same bundle. Raises TemplateError for a file that is no prompt,
    or UsageError for what cannot be in an archive."""
    if odd := [name for name in bundle.files if not is_file_of_a_layer(name)]:
        raise UsageError(f"'{odd[0]}' is no name of a prompt's file")
    if not all(getattr(bundle, key).isprintable() for key in SAID):
        raise UsageError("a description is one line of letters, without control characters")
    refuse_clash(bundle.files, UsageError)
    prompts = _digests(bundle.files)
    files = dict(sorted(bundle.files.items()))
    return packed({MANIFEST: manifest(bundle, prompts), **files})


def unpack(data: bytes, place: str) -> Bundle:
    """The bundle in an archive that is called `place`; all in it is checked. Raises TemplateError."""
    try:
        return _unpacked(data)
    except TemplateError as error:
        hint = error.hint or "aix collection export makes archives; ask for this one again"
        raise TemplateError(f"{place} is refused: {error.message}", hint=hint) from None


def _unpacked(data: bytes) -> Bundle:
    entries: dict[str, bytes] = {}
    for name, content in unpacked(data):
        _refuse_entry(name, content, entries)
        entries[name] = content
    if not entries:
        raise TemplateError("it is empty")
    kept = entries.pop(MANIFEST)
    said = _said(kept)
    _compare_files(said["files"], entries)
    refuse_clash(entries, TemplateError)
    prompts = _digests_within(entries)
    if said["prompts"] != prompts:
        raise TemplateError(f"{_first_difference(said['prompts'], prompts)} is not the prompt that its manifest names")
    bundle = Bundle(files=entries, prompts=prompts, **{key: said[key] for key in SAID})
    if manifest(bundle, prompts) != kept:
        raise TemplateError("its manifest is not as aix writes one")
    return bundle


def manifest(bundle: Bundle, prompts: Mapping[str, str]) -> bytes:
    """What stands first in the archive of a bundle: whatever is the same in it is the same here, byte for byte."""
    said = {
        "format": FORMAT,
        "version": VERSION,
        **{key: getattr(bundle, key) for key in SAID},
        "files": {name: _about(data) for name, data in sorted(bundle.files.items())},
        "prompts": dict(sorted(prompts.items())),
    }
    return json.dumps(said, indent=1).encode() + b"\n"


def digest_of(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def _about(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": sha256(data).hexdigest()}


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The digest of each prompt among files, which may include one another and nothing else. Raises TemplateError."""

    def read(name: str) -> str:
        if name not in files:
            raise MissingFileError(f"{name} is included, and is not among the files")
        return document.decode(files[name], name)

    found = {}
    for name in prompt_names(files):
        file = name + SUFFIX
        found[name] = Template(document.parse(read(file), name, Path(file)), read).digest
    return found


def _digests_within(files: Mapping[str, bytes]) -> dict[str, str]:
    """The same for the files of a stranger, in a child that ends whatever they do."""

    def told() -> dict[str, Any]:
        try:
            return {"prompts": _digests(files)}
        except AixError as error:
            return {"error": error.message}

    try:
        found = bounded(told, PATIENCE)
    except ExhaustedError:
        raise TemplateError("its prompts take more time or memory to read than prompts may") from None
    if "error" in found:
        raise TemplateError(f"not all in it are prompts: {found['error']}")
    return dict(found["prompts"])


def _refuse_entry(name: str, data: bytes, before: dict[str, bytes]) -> None:
    """Raise TemplateError for a file that cannot stand where it does in an archive."""
    if not before:
        if name != MANIFEST:
            raise TemplateError(f"its first file is {name!r} and not {MANIFEST}")
        return
    if name in before:
        raise TemplateError(f"{name!r} is in it twice")
    if not is_file_of_a_layer(name):
        raise TemplateError(f"{name!r} in it is no name of a prompt's file")
    if len(before) > 1 and name < next(reversed(before)):
        raise TemplateError(f"{name!r} is not in its place: the files are sorted by name")
    if len(data) > MAX_FILE:
        raise TemplateError(f"{name!r} is larger than {MAX_FILE // 1024**2} MiB")
    if len(before) >= MAX_ENTRIES:
        raise TemplateError(f"it has more than {MAX_ENTRIES - 1} files")


def refuse_clash(files: Iterable[str], kind: type[AixError]) -> None:
    """Raise for two files that would be one on a system that does not tell upper from lower case, and for a file that
    has the name of a folder."""
    known: dict[str, str] = {}
    for name in sorted(files):
        if (other := known.setdefault(name.lower(), name)) != name:
            raise kind(f"'{other}' and '{name}' would be one file on many systems")
    for name in known:
        for folder in (str(parent) for parent in Path(name).parents):
            if folder in known:
                raise kind(f"'{known[folder]}' would be a file and a folder")


def _said(data: bytes) -> dict[str, Any]:
    """What a manifest says. Raises TemplateError."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise TemplateError("its manifest is not JSON") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise TemplateError("its manifest is not that of a collection")
    if said.get("version") != VERSION:
        raise TemplateError("it is in a format that this aix does not know", hint="use a newer aix")
    if not all(isinstance(said.get(key), str) and said[key].isprintable() for key in SAID) or not said["name"]:
        raise TemplateError(f"its manifest does not say {', '.join(SAID)} as a line each")
    if not all(isinstance(said.get(key), dict) for key in ("files", "prompts")):
        raise TemplateError("its manifest does not list its files and prompts")
    return said


def _compare_files(said: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Raise TemplateError when the files are not those of the manifest."""
    if missing := sorted(said.keys() - files.keys()):
        raise TemplateError(f"{missing[0]!r} is in its manifest and not in the archive")
    if extra := sorted(files.keys() - said.keys()):
        raise TemplateError(f"{extra[0]!r} is in the archive and not in its manifest")
    if changed := [name for name, data in files.items() if said[name] != _about(data)]:
        raise TemplateError(f"{changed[0]!r} is not the file that its manifest names: its digest is another")


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    return repr(next(name for name in sorted({*one, *other}) if one.get(name) != other.get(name)))
