"""Finding and keeping prompts across the layers: the user's, the project's, the built-in ones. The first wins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aix.config import files
from aix.errors import NotFoundError, TemplateError, UsageError
from aix.library import document
from aix.library.index import Entry, Index
from aix.library.layer import MAX_FILE, SUFFIX, Layer, is_file, is_name, oddity, read_bytes, refuse_name
from aix.library.missing import layers_of, no_layer, no_prompt
from aix.library.place import FILE, Place
from aix.library.prompt import Prompt
from aix.library.reference import Reference, reference

Read = Callable[[str], str]
"""Gives the text of a file that a prompt includes, by its name. Raises TemplateError."""

Includes = Callable[[Prompt, Read], Sequence[str]]
"""Reads a prompt's template: the files that it includes, by their names. Raises TemplateError."""


Past = Callable[[Layer, Reference], Layer]
"""Gives a layer as of a revision in which it has a prompt. Raises NotFoundError, its reason one of _TELLING."""

_TELLING = {"repository": 0, "revision": 1, "prompt": 2}
"""What stands in the way of the past of a prompt, and how much it tells."""


def _unread(_prompt: Prompt, _read: Read) -> Sequence[str]:
    return ()


def _none_kept(layer: Layer, _: Reference) -> Layer:
    raise NotFoundError(f"nobody keeps what {layer.name} was", reason="repository")


def _silent(_: str) -> None:
    pass


class Library:
    """The layers in their order. `includes` reads a template before it is written; `warn` is told what a person should
    know; `index` keeps what a list says of the prompts; `past` gives a layer as it was."""

    def __init__(
        self,
        layers: Sequence[Layer],
        includes: Includes = _unread,
        warn: Callable[[str], None] = _silent,
        index: Index | None = None,
        past: Past = _none_kept,
    ) -> None:
        self.layers = tuple(layers)
        self._includes = includes
        self._warn = warn
        self._index = index or Index()
        self._past = past

    def only(self, names: Sequence[str]) -> "Library":
        """The library of some of its layers, in its own order. Raises UsageError for one that there is not."""
        known = {layer.name for layer in self.layers}
        if unknown := [name for name in names if name not in known]:
            message, hint = no_layer(self.layers, unknown[0])
            raise UsageError(message, hint=hint)
        layers = [layer for layer in self.layers if layer.name in names]
        return Library(layers, self._includes, self._warn, self._index, self._past)

    def find(self, name: str) -> tuple[Prompt, Layer] | None:
        """The prompt of that name in the first layer that has it, with its layer."""
        place = next(iter(self.places(name)), None)
        return (place.layer.prompt(place.name), place.layer) if place else None

    def get(self, name: str) -> tuple[Prompt, Layer]:
        """Like `find`, also as of a revision. Raises NotFoundError with near matches, or TemplateError."""
        place = self.source(name)
        return place.layer.prompt(place.name), place.layer

    def source(self, name: str) -> Place:
        """Where a prompt can be read: its place, or with a revision its place in the past. Raises NotFoundError."""
        named = reference(name)
        return self._place_then(named) if named.revision else self.place(name)

    def places(self, name: str) -> list[Place]:
        """Every place that has a prompt of that name: the first is the one that runs, it hides the others."""
        named = reference(name)
        layers = [layer for layer in self.layers if named.layer in ("", layer.name)]
        return [Place(named.name, layer) for layer in layers if layer.has(named.name)]

    def means(self, word: str) -> bool:
        """Whether a word means a prompt: a file, one that is here, or any of a layer that is here."""
        layers = {layer.name for layer in self.layers}
        return is_file_name(word) or reference(word).layer in layers or bool(self.places(word))

    def place(self, name: str, more: str = "") -> Place:
        """The place of the prompt that runs by that name. Raises NotFoundError with near matches, and with `more` that
        can be done; UsageError for the past of one, in which nothing can be changed."""
        if reference(name).revision:
            raise UsageError(f"'{name}' is what a prompt was, and stays so", hint=f"aix copy {name} NEW-NAME")
        if found := self.places(name):
            return found[0]
        raise no_prompt(self.layers, name, more)

    def names(self) -> Iterator[tuple[str, Layer]]:
        """Every prompt that can be run by its name, sorted, with the layer that gives it."""
        found: dict[str, Layer] = {}
        for layer in self.layers:
            for name in layer.names():
                found.setdefault(name, layer)
        return iter(sorted(found.items()))

    def entries(self) -> list[Entry]:
        """The same with what a list says of each, a broken one as far as it is known."""
        found: dict[str, Entry] = {}
        for layer in self.layers:
            for entry in self._index.entries(layer):
                found.setdefault(entry.name, entry)
        return [found[name] for name in sorted(found)]

    def refuse(self, name: str, layer: Layer | None = None) -> Place:
        """The place of a new prompt, in the first layer unless another is named. Raises UsageError when no prompt can
        have that name, when one has it there, and for a layer that is only read; NotFoundError for no layer."""
        named = reference(name)
        refuse_name(name if named.revision else named.name)
        place = Place(named.name, layer or layers_of(self.layers, named.layer)[0])
        if not place.editable:
            hint = f"aix create {place.name} makes one of your own, which hides it"
            raise UsageError(f"{place.layer.name} is only read, so nothing can be written there", hint=hint)
        if place.layer.has(place.name):
            raise UsageError(f"'{name}' exists already", hint=f"aix edit {name}, or choose another name")
        place.refuse_outside()
        return place

    def create(self, place: Place, data: bytes) -> Prompt:
        """Write a new prompt. Raises UsageError when there is one by now, TemplateError when `data` is no prompt: then
        nothing is written."""
        prompt = self._checked(place, data, place.layer.read)
        _write_new({place: data})
        return prompt

    def save(self, place: Place, data: bytes, was: bytes) -> Prompt:
        """Replace a prompt's file, which held `was` when it was read. Raises UsageError when it holds something else by
        now, TemplateError when the new text is no prompt: nothing is written then."""
        prompt = self._checked(place, data, place.layer.read)
        if not place.holds(was):
            raise UsageError(f"{place.path} was changed by somebody else meanwhile, and is left as it is")
        files.write_shared(place.path.resolve(), data)
        return prompt

    def delete(self, place: Place) -> None:
        """Remove a prompt's file, and the folders that this leaves empty. Raises UsageError for a built-in prompt, and
        for a file outside of the layer."""
        place.refuse_to_take_away("deleted")
        with files.storage(place.path):
            place.path.unlink(missing_ok=True)
        place.remove_empty_folders()

    def rename(self, place: Place, new: str) -> Place:
        """Give a prompt another name in its layer. Raises UsageError when that is taken, or the prompt built in or
        outside of the layer, and TemplateError when it would no longer find what it includes."""
        place.refuse_to_take_away("renamed")
        if reference(new).layer not in ("", place.layer.name):
            raise UsageError("a new name is one in the same layer", hint=f"aix copy {place.qualified} {new}")
        target = self.refuse(new, place.layer)
        self._refuse_lost(place, target)
        try:
            files.move_shared(place.path, target.path)
        except BaseException:
            target.remove_empty_folders()
            raise
        if is_file(place.broken):
            with suppress(UsageError):
                files.move_shared(place.broken, target.broken)
        place.remove_empty_folders()
        return target

    def copy(self, source: Place, to: Place, data: bytes | None = None) -> Prompt:
        """Write a prompt, or `data` in its stead, to a new place, and what it includes where that is missing: all of it
        or nothing. Raises as `create` does."""
        data = source.data() if data is None else data
        names = self._includes(_parsed(source, data), source.layer.read)
        there = [name for name in names if is_file(to.layer.root / name)]
        missing = [name for name in names if name not in there]
        taken = {name: source.layer.data(source.layer.root / name, name) for name in missing}

        def read(name: str) -> str:
            return document.decode(taken[name], name) if name in taken else to.layer.read(name)

        prompt = self._checked_moved(source, to, data, read)
        _write_new({**{Place(name.removesuffix(SUFFIX), to.layer): text for name, text in taken.items()}, to: data})
        for name in there:
            if to.layer.read(name) != source.layer.read(name):
                self._warn(f"{to.layer.root / name} is not the one that '{source.name}' includes; it is left as it is")
        return prompt

    def including(self, place: Place) -> Iterator[str]:
        """The prompts of its layer that include a prompt."""
        for name in sorted(place.layer.names()):
            with suppress(TemplateError):
                if place.name + SUFFIX in self._includes(place.layer.prompt(name), place.layer.read):
                    yield name

    def _place_then(self, named: Reference) -> Place:
        """The place of a prompt at a revision, in the first layer that has or had it. Raises NotFoundError."""
        faults: list[NotFoundError] = []
        for layer in layers_of(self.layers, named.layer) if is_name(named.name) else ():
            try:
                return Place(named.name, self._past(layer, named))
            except NotFoundError as fault:
                faults.append(fault)
                if layer.has(named.name):
                    break
        if not faults:
            raise no_prompt(self.layers, f"{named.layer}:{named.name}" if named.layer else named.name)
        raise max(faults, key=lambda fault: _TELLING.get(fault.reason, len(_TELLING)))

    def _checked(self, place: Place, data: bytes, read: Read) -> Prompt:
        """The prompt that `data` makes at a place. Raises TemplateError or UsageError."""
        place.refuse_outside()
        if len(data) > MAX_FILE:
            raise UsageError(f"'{place.name}' would be larger than {MAX_FILE // 1024} KiB")
        prompt = _parsed(place, data)
        self._includes(prompt, read)
        return prompt

    def _checked_moved(self, source: Place, to: Place, data: bytes, read: Read) -> Prompt:
        """The same for what comes from another place, where other files may be beside it."""
        try:
            return self._checked(to, data, read)
        except TemplateError as error:
            if source.folder == to.folder:
                raise
            hint = f"it includes files that are beside it; they are with a name such as {source.folder}NEW"
            raise TemplateError(error.message, hint=hint) from None

    def _refuse_lost(self, place: Place, target: Place) -> None:
        """Raise when a prompt that is sound would not be so under another name."""
        if place.path.is_symlink() and place.folder != target.folder:
            raise UsageError(f"{place.path} is a link, which would lead elsewhere from another folder")
        try:
            data = place.data()
            self._checked(place, data, place.layer.read)
        except (TemplateError, UsageError):  # what is broken anyway can have another name
            return
        self._checked_moved(place, target, data, place.layer.read)


def open_file(path: Path) -> tuple[Prompt, Layer]:
    """A prompt in a file anywhere; its own folder is its layer. Raises NotFoundError or TemplateError."""
    if not is_file(path):
        what = f"{path} is {odd}, not a prompt" if (odd := oddity(path)) else f"there is no file {path}"
        raise NotFoundError(what, hint="a prompt of the library is named without ./ and .md")
    if path.suffix == SUFFIX and path.resolve().suffix != SUFFIX:
        raise TemplateError(f"{path} is a link to what is no prompt", hint="put a copy in its place")
    place = Place(path.stem, Layer(FILE, path.parent))
    text = document.decode(read_bytes(path, str(path)), str(path))
    return document.parse(text, place.name, path, FILE), place.layer


def file_place(path: Path) -> Place:
    """Where the prompt in a file anywhere is kept. Raises NotFoundError, TemplateError or UsageError."""
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} does not end in {SUFFIX}", hint=f"aix create NAME - < {path}")
    prompt, layer = open_file(path)
    return Place(prompt.name, layer)


def is_file_name(name: str) -> bool:
    """Whether a word means a file rather than a prompt of the library."""
    return name.startswith(("./", "../", "/", "~")) or name.endswith(SUFFIX)


def _parsed(place: Place, data: bytes) -> Prompt:
    return document.parse(document.decode(data, str(place.path)), place.name, place.path, place.layer.name)


def _write_new(new: Mapping[Place, bytes]) -> None:
    """Write new files: all of them, or none. Raises UsageError or StorageError."""
    done: list[Place] = []
    for place in new:
        place.refuse_outside()
    try:
        for place, data in new.items():
            place.make_root()
            files.create_shared(place.path, data)
            done.append(place)
    except BaseException:
        for place in done:
            place.path.unlink(missing_ok=True)
        for place in new:
            place.remove_empty_folders()
        raise
