"""What the user writes through aix is trusted, and with it nothing that somebody else wrote.

What vouches for a command is the text that it stands in: one that the user wrote now, one of a content that was trusted
before, or a file whose own content is trusted. A prompt is trusted after it was saved when each of its commands is
vouched for; so a stranger's file does not become trusted by being included.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aix.config.reading import MissingFileError
from aix.errors import TemplateError
from aix.library.document import decode, parse
from aix.library.layer import SUFFIX, Layer
from aix.library.place import BUILT_IN, Place
from aix.library.prompt import Prompt
from aix.library.templates.template import Template
from aix.library.trust.store import TrustStore, content, seen


@dataclass(frozen=True, slots=True)
class Before:
    """What was trusted of a file before it was written. `texts` are those that were trusted with it; `including` has
    the trusted prompts that include it, each with its texts."""

    trusted: bool = False
    texts: frozenset[str] = frozenset()
    including: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Authoring:
    """Keeps the trust store up with what the user writes."""

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def before(self, place: Place, was: bytes) -> Before:
        """What is trusted of the file at a place, which is about to be written and holds `was`."""
        with suppress(TemplateError):
            prompt = parse(decode(was, str(place.path)), place.name, place.path, place.layer.name)
            own = self._trusted_texts(prompt, place.layer)
            including = {name: texts for name, texts in self._including(place) if prompt.text in texts}
            return Before(bool(own or including), own.union(*including.values()), including)
        return Before()

    def saved(self, before: Before, prompt: Prompt, layer: Layer) -> bool:
        """Carry trust on to what the user made of a file: to the prompt itself, and to those that include it. Whether
        the prompt is trusted. Raises StorageError."""
        for name, texts in before.including.items():
            with suppress(TemplateError):
                self.wrote(layer.prompt(name), layer, {prompt.text, *texts})
        return before.trusted and self.wrote(prompt, layer, {prompt.text, *before.texts})

    def wrote(self, prompt: Prompt, layer: Layer, texts: Collection[str]) -> bool:
        """Trust a prompt as it is now if each command in it stands in one of the texts that are vouched for, or in a
        file that is trusted by itself; whether it is trusted. Raises StorageError."""
        template = Template(prompt, layer.read)
        if not all(template.files[name] in texts or self._stands(name, template) for name in _with_commands(template)):
            return template.digest in self._store
        self._store.add(content(prompt, template))
        return True

    def moved(self, was: Template, prompt: Prompt, layer: Layer) -> bool:
        """Note what a trusted content is called in a new place; whether it is the same there. Raises StorageError."""
        template = Template(prompt, layer.read)
        if template.digest == was.digest:
            self._store.add(content(prompt, template))
        return template.digest == was.digest

    def trusts(self, prompt: Prompt, template: Template) -> bool:
        """Whether a content may run commands: what comes with aix, and what is in the trust store."""
        return prompt.layer == BUILT_IN or template.digest in self._store

    def _trusted_texts(self, prompt: Prompt, layer: Layer) -> frozenset[str]:
        """The texts of a prompt that is trusted; none of any other. Raises TemplateError."""
        template = Template(prompt, layer.read)
        return frozenset(template.files.values() if self.trusts(prompt, template) else ())

    def _including(self, place: Place) -> Iterator[tuple[str, frozenset[str]]]:
        """The prompts of its layer that are trusted with a file, each with its texts."""
        here = seen(place.name, place.layer.name, place.path)
        file = place.name + SUFFIX
        trusted = (name for entry in self._store.all() if file in entry.files for name in entry.seen)
        names = {name.name for name in trusted if (name.layer, name.root) == (here.layer, here.root)}
        for name in sorted(names - {place.name}):
            with suppress(TemplateError):
                yield name, self._trusted_texts(place.layer.prompt(name), place.layer)

    def _stands(self, name: str, template: Template) -> bool:
        """Whether a file of a content, taken for a prompt, is trusted by itself."""

        def read(other: str) -> str:
            if other not in template.files:
                raise MissingFileError(f"there is no file {other}")
            return template.files[other]

        with suppress(TemplateError):
            return Template(parse(template.files[name], name.removesuffix(SUFFIX)), read).digest in self._store
        return False


def _with_commands(template: Template) -> set[str]:
    return {call.file for call in template.calls}
