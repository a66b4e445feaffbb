"""Which prompts may run commands, and which would have to be asked about."""

from collections.abc import Iterator
from contextlib import suppress

from aix.errors import AixError
from aix.health.finding import Finding, ok, warning
from aix.health.scene import Scene
from aix.health.within import within
from aix.library.library import Library
from aix.library.place import BUILT_IN
from aix.library.templates.template import Template
from aix.library.trust.commands import called
from aix.library.trust.store import TrustStore

SECONDS = 2.0
"""How long prompts are read."""
NAMED = 5


def trust(scene: Scene) -> Iterator[Finding]:
    """How many contents are trusted, and the prompts with commands that are not."""
    store = scene.trust()
    count = sum(1 for _ in store.all())
    waiting = [name for name in within(SECONDS, _untrusted(scene.library(), store))[0] if name]
    if waiting:
        more = f", and {len(waiting) - NAMED} more" if len(waiting) > NAMED else ""
        yield warning(
            f"not trusted to run their commands: {', '.join(waiting[:NAMED])}{more}",
            f"aix trust {waiting[0]}",
            prompts=waiting,
        )
    else:
        contents = {0: "nothing is trusted", 1: "one content is trusted"}.get(count, f"{count} contents are trusted")
        yield ok(f"{contents} besides what comes with aix", count=count)


def _untrusted(library: Library, store: TrustStore) -> Iterator[str]:
    """The prompts that can be run by their names and would be refused a command; an empty text for each other one."""
    for name, layer in library.names():
        yield ""
        if layer.name != BUILT_IN:
            with suppress(AixError):
                prompt = layer.prompt(name)
                template = Template(prompt, layer.read)
                if template.commands and template.digest not in store:
                    yield called(prompt)
