"""`aix edit`, `aix delete`, `aix rename`, `aix copy`: changing what is in the library."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from aix.cli import trusting
from aix.cli.keeping import edited
from aix.cli.options import LibraryFolder, NameOrFile, Project, PromptName, Shell, divided
from aix.errors import ConfigError, StorageError, UsageError
from aix.library.document import decode
from aix.library.place import USER
from aix.library.trust.changes import difference

if TYPE_CHECKING:
    from aix.library.library import Library
    from aix.library.place import Place
    from aix.library.prompt import Prompt


def register(cli: typer.Typer) -> None:
    cli.command("edit")(edit)
    for command, other, function in (("delete", "rm", delete), ("rename", "mv", rename), ("copy", "cp", copy)):
        cli.command(command)(function)
        cli.command(other, hidden=True)(function)


def edit(
    ctx: typer.Context,
    name: PromptName,
    description: Annotated[
        str | None, typer.Option("--description", "--desc", metavar="TEXT", help="Change only what it is for.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", "--tags", metavar="TAG", help="Change only its tags; a,b for several."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help="Change only its model.")] = None,
    library: LibraryFolder = None,
) -> None:
    """Change a prompt in your editor, or its front matter by flags.

    What you write is checked before it is saved. With a flag no editor is opened, all else in the file stays as it
    is to the byte, and an empty text takes the line away.

    \b
      aix edit review
      aix edit review --desc "Review a change" --tags code,git
      aix edit review --model ''

    The editor is $VISUAL, $EDITOR, the setting `editor`, or one that is there. A prompt that is built in or of a
    collection is copied to your own first, and yours runs from then on.
    """
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    place = home.place(name, f"aix create {name} makes it")
    said = {"description": description, "tags": None if tag is None else divided(tag), "model": model}
    fields = {key: value for key, value in said.items() if value is not None}
    if not fields and not shell.console.person_is_there:
        other = f"change {place.path} itself" if place.editable else f"aix copy {name} {place.name}"
        raise UsageError("aix edit needs a terminal for the editor", hint=other)
    was = place.data()
    before = shell.app.prompts.before(place, was)
    own = place if place.editable else home.refuse(place.name)

    def save(data: bytes) -> "Prompt | None":
        if data == was:
            return None
        if not data.strip():
            raise UsageError(f"'{place.name}' would be empty; nothing is changed", hint=f"aix delete {place.name}")
        return home.save(place, data, was) if place.editable else home.copy(place, own, data)

    if fields:
        prompt, foreign = save(shell.app.prompts.spliced(was, str(place.path), fields)), False
    else:
        prompt, foreign = edited(shell, own, was, save, "aix edit")
    if prompt is None:
        shell.console.note("nothing is changed")
        return
    shell.console.note(f"saved {prompt.path}")
    if fields:
        shell.console.note("\n".join(difference({place.name: decode(was, "")}, {place.name: prompt.text})))
    if not place.editable:
        shell.console.note(f"it hides {place.qualified}, which stays as it is")
    _warn_of_model(shell, model, own)
    trusting.changed(shell, prompt, own.layer, None if foreign else before)


def _warn_of_model(shell: Shell, model: str | None, place: "Place") -> None:
    """Say what is odd about the model that a prompt has now; it is kept."""
    for _, said, advice in shell.app.lint_models.look(model, own=place.layer.name == USER) if model else ():
        shell.console.warn(f"{said} ({advice})")


def delete(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Prompts of your own or of the project.")],
    sure: Annotated[bool, typer.Option("--yes", "-y", "--force", "-f", help="Do not ask.")] = False,
    library: LibraryFolder = None,
) -> None:
    """Delete prompts."""
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    places = list(dict.fromkeys(home.place(name) for name in names))
    for place in places:
        place.refuse_to_take_away("deleted")
    for place in places:
        _warn_of_includers(shell, home, place, but=places)
    if not shell.agreed(f"Delete {', '.join(str(place.path) for place in places)}?", sure=sure):
        return
    for place in places:
        home.delete(place)
        shell.console.note(f"deleted {place.path}")
        for left in home.places(place.name)[:1]:
            shell.console.note(f"'{place.name}' now means {left.qualified} {left.path}")


def rename(
    ctx: typer.Context,
    name: PromptName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    library: LibraryFolder = None,
) -> None:
    """Give a prompt another name.

    Its runs in the log go with it.
    """
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    place = home.place(name)
    _warn_of_includers(shell, home, place, but=[])
    was = trusting.as_it_is(shell, place)
    renamed = home.rename(place, new)
    shell.console.note(f"renamed {place.name} to {renamed.name}: {renamed.path}")
    trusting.moved(shell, was, renamed)
    _carry_history(shell, place, renamed)


def copy(
    ctx: typer.Context,
    name: NameOrFile,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name of the copy.")],
    project: Project = False,
    library: LibraryFolder = None,
) -> None:
    """Copy a prompt, with what it includes.

    The copy is your own, or the project's.

    \b
      aix copy review my-review
      aix copy review project:review
      aix copy review@v2 old-review
      aix copy ./draft.md review
    """
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    source = shell.app.prompts.place(name, library)
    target = shell.app.prompts.new_place(new, library, project=project)
    was = trusting.as_it_is(shell, source)
    shell.console.note(f"created {home.copy(source, target).path}")
    trusting.moved(shell, was, target)


def _carry_history(shell: Shell, place: "Place", renamed: "Place") -> None:
    """Give the runs of a prompt its new name, and say which limits still have the old one."""
    try:
        shell.app.log.rename(place.name, renamed.name, place.layer.name)
    except StorageError as error:  # the prompt has its new name all the same
        shell.console.warn(f"its runs are still in the log as '{place.name}': {error.message}")
    with suppress(ConfigError):
        if any(limit.prompt == place.name for limit in shell.app.limits):
            shell.console.warn(f"a limit is still for '{place.name}': aix config --get limits")


def _warn_of_includers(shell: Shell, home: "Library", place: "Place", but: Sequence["Place"]) -> None:
    """Say which other prompts will look for a file in vain."""
    going = {place.name for place in but}
    for name in home.including(place):
        if name not in going:
            shell.console.warn(f"'{name}' includes {place.name}.md, which it will no longer find")
