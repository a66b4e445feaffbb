"""Asking a person whether a content may run its commands."""

import datetime
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from aix.app_prompts import Chosen
from aix.cli import ask
from aix.cli.options import Shell
from aix.cli.streams import visible_line
from aix.errors import TemplateError
from aix.library.trust.changes import commands, difference
from aix.library.trust.store import content, seen

if TYPE_CHECKING:
    from aix.library.layer import Layer
    from aix.library.place import Place
    from aix.library.prompt import Prompt
    from aix.library.trust.authoring import Before
    from aix.library.trust.store import Trusted

MANY = 20
"""So many commands are not seen at a glance, and their number is told."""


def asked(shell: Shell, chosen: Chosen) -> bool:
    """Show the commands and what changed since the content was trusted last, and ask once; yes is kept."""
    if shell.app.env.get("CI") or not shell.console.person_is_there:
        return False
    explain(shell, chosen)
    if not ask.agree(question(chosen)):
        return False
    keep(shell, chosen)
    called = shell.app.prompts.called(chosen.prompt)
    shell.console.note(f"trusted until it changes; aix untrust {called} takes that back")
    return True


def explain(shell: Shell, chosen: Chosen) -> None:
    """Tell a person what they have to know before they trust a content."""
    shell.console.note("\n".join(_explained(shell, chosen)))


def keep(shell: Shell, chosen: Chosen) -> None:
    """Trust a content from now on."""
    shell.app.prompts.trust.add(content(chosen.prompt, chosen.template))


def wrote(shell: Shell, prompt: "Prompt", layer: "Layer", *, foreign: bool) -> None:
    """Trust a new prompt that the user wrote, but for commands that come from elsewhere: of those a person is asked."""
    prompts = shell.app.prompts
    if foreign or not prompts.wrote(prompt, layer):
        _ask_of(shell, prompt, layer)
    elif "sh(" in prompt.text and prompts.template(prompt, layer).commands:
        shell.console.note(
            f"it may run its commands, as you wrote them: aix untrust {prompts.called(prompt)} takes that back"
        )


def changed(shell: Shell, prompt: "Prompt", layer: "Layer", before: "Before | None") -> None:
    """Carry on what was trusted of a prompt that the user changed; of any other a person is asked, if it runs
    commands."""
    if before is None or not shell.app.prompts.saved(before, prompt, layer):
        _ask_of(shell, prompt, layer)


def as_it_is(shell: Shell, place: "Place") -> Chosen | None:
    """What stands at a place that is to be copied or renamed, if it is sound."""
    with suppress(TemplateError):
        prompt = place.layer.prompt(place.name)
        return Chosen(prompt, shell.app.prompts.template(prompt, place.layer))
    return None


def moved(shell: Shell, was: Chosen | None, to: "Place") -> None:
    """Carry on what was trusted of a prompt to another place of it; a content that is another there, as it includes
    other files, is not trusted with it."""
    now = as_it_is(shell, to)
    if was is None or now is None or not shell.app.prompts.trusts(was):
        return
    if not shell.app.prompts.moved(was, now.prompt, to.layer) and now.template.commands:
        shell.console.note(
            f"it includes other files here, and is not trusted: aix trust {shell.app.prompts.called(now.prompt)}"
        )


def _ask_of(shell: Shell, prompt: "Prompt", layer: "Layer") -> None:
    chosen = Chosen(prompt, shell.app.prompts.template(prompt, layer))
    if chosen.template.commands and not shell.app.prompts.trusts(chosen) and not asked(shell, chosen):
        shell.console.note(
            f"it is saved, and not trusted to run its commands: aix trust {shell.app.prompts.called(prompt)}"
        )


def day(since: float) -> str:
    return f"{datetime.datetime.fromtimestamp(since).astimezone():%Y-%m-%d %H:%M}"


def question(chosen: Chosen) -> str:
    name = visible_line(chosen.prompt.name)
    count = len(chosen.template.commands)
    them = "them" if count < MANY else f"all {count:,}"
    return f"Trust this content of '{name}'" + (f" to run {them}?" if count else "?")


def _explained(shell: Shell, chosen: Chosen) -> Iterator[str]:
    prompt, template = chosen.prompt, chosen.template
    name = visible_line(f"'{prompt.name}' ({prompt.layer or 'stdin'})")
    was = shell.app.prompts.trust.last(seen(prompt.name, prompt.layer, prompt.path))
    if was and was.files:
        yield f"{name} is another content than the one that was trusted on {day(was.since)}{_elsewhere(was, chosen)}:"
        yield from (f"  {line}" for line in difference(was.files, template.files))
        yield f"  all of it: aix show {shell.app.prompts.called(prompt, chosen.revision)}"
        yield _runs("it", chosen)
    else:
        yield _runs(f"{name} is not trusted; it", chosen)
    yield from (f"  {line}" for line in commands(template.calls, was.commands if was else None))


def _runs(what: str, chosen: Chosen) -> str:
    return f"{what} runs these commands:" if chosen.template.commands else f"{what} runs no commands"


def _elsewhere(was: "Trusted", chosen: Chosen) -> str:
    """Where that was, if it is not here."""
    prompt = chosen.prompt
    here = seen(prompt.name, prompt.layer, prompt.path)
    return "" if here in was.seen or not was.seen[0].root else f" in {was.seen[0].root}"
