"""`aix create`: a new prompt, from a text, from stdin, or from the editor."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from aix.cli import ask, trusting
from aix.cli.keeping import edited
from aix.cli.options import LibraryFolder, Project, Shell, divided
from aix.cli.streams import Stdin
from aix.errors import UsageError

if TYPE_CHECKING:
    from aix.library.place import Place
    from aix.library.prompt import Prompt

ABOUT = "What this prompt is for"
START = b"""---
params:
  text: {type: text, required: true, stdin: true, help: What it works on}
---
{{ text }}
"""
"""What the editor begins with, and what it says there for a description."""

MOST = 3
"""How many of the older placeholders are named."""


def register(cli: typer.Typer) -> None:
    cli.command("create", cls=_CreateCommand)(create)


class _CreateCommand(TyperCommand):
    """A command whose text may begin with the three dashes of front matter, which are no flag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        texts = [arg for arg in args if arg.startswith("---")]
        if texts and "--" not in args:
            args = [*(arg for arg in args if arg not in texts), "--", *texts]
        return super().parse_args(ctx, args)


def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, such as review or web/review.")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="The prompt, or - for stdin; else an editor.")
    ] = None,
    description: Annotated[
        str, typer.Option("--description", "--desc", metavar="TEXT", help="What it is for, in a line.")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "--tags", metavar="TAG", help="A tag; repeatable, or a,b.")
    ] = None,
    old: Annotated[
        bool, typer.Option("--convert", help="Make Jinja of {name}, $(command), {cmd:…} and {exec:…}.")
    ] = False,
    project: Project = False,
    library: LibraryFolder = None,
) -> None:
    """Make a prompt: from a text, from stdin, or in your editor.

    \b
      aix create greet "Say hello to {{ name }}."
      aix create web/review - --desc "Review a page" --tags web,review < review.md
      aix create notes
    """
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    place = shell.app.prompts.new_place(name, library, project=project)
    fields = {"description": description, "tags": divided(tag)}

    def save(data: bytes, more: Mapping[str, Any]) -> "Prompt":
        if not data.strip():
            hint = f'aix create {place.name} "Say hello to {{{{ name }}}}."'
            raise UsageError(f"'{place.name}' would be empty; nothing is created", hint=hint)
        text = shell.app.prompts.text_of(data if data.endswith(b"\n") else data + b"\n", str(place.path), more)
        return home.create(place, _converted(shell, text, wanted=old).encode())

    foreign = text == "-"  # nobody knows where that was written
    if text is None:
        prompt, foreign = _written(shell, place, fields, lambda data: save(data, {}))
    else:
        prompt = save((Stdin().read() if text == "-" else text).encode("utf-8", "surrogateescape"), fields)
    shell.console.note(f"created {prompt.path}")
    trusting.wrote(shell, prompt, place.layer, foreign=foreign)
    shell.console.note(_what_next(place, hidden=place not in home.places(place.name)[:1]))


def _written(
    shell: Shell, place: "Place", fields: Mapping[str, Any], save: Callable[[bytes], "Prompt"]
) -> tuple["Prompt", bool]:
    """A new prompt from the editor, which begins with one to fill in, and whether it goes on with a text that was
    found."""
    if not shell.console.person_is_there:
        raise UsageError(
            f"what does '{place.name}' say?", hint="give its text as an argument, or - to read it from stdin"
        )
    shown = {**fields, "description": fields["description"] or ABOUT}
    start = shell.app.prompts.text_of(START, str(place.path), shown).encode()

    def changed(data: bytes) -> "Prompt":
        if data == start:
            raise UsageError(f"you changed nothing, so '{place.name}' is not created")
        return save(data)

    return edited(shell, place, start, changed, "aix create")


def _converted(shell: Shell, text: str, *, wanted: bool) -> str:
    """The text with its older placeholders made Jinja, where the user wants that: said by `--convert`, or now."""
    new = shell.app.prompts.convert(text)
    if not new.found or ("{{" in text and not wanted):
        return text
    found = ", ".join(new.found[:MOST]) + (", …" if len(new.found) > MOST else "")
    if not wanted and not shell.console.person_is_there:
        shell.console.note(f"{found}: plain text as it stands; --convert makes Jinja of it")
    elif not wanted:
        wanted = ask.confirm(f"{found}: plain text as it stands. Make Jinja of it?")
    else:
        shell.console.note(f"made Jinja of {found}")
    return new.text if wanted else text


def _what_next(place: "Place", *, hidden: bool) -> str:
    """A partial is there to be included, any other prompt to be run."""
    if place.path.name.startswith("_"):
        return f'include it in a prompt: {{% include "{place.name}.md" %}}'
    return f"try it: aix run {place.qualified if hidden else place.name} --help"
