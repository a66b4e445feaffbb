"""`aix edit`, `aix delete`, `aix rename`, `aix copy`: changing what is in the library."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from aix.cli.keeping import edited
from aix.cli.options import LibraryFolder, Project, PromptName, Shell
from aix.errors import ConfigError, StorageError, UsageError

if TYPE_CHECKING:
    from aix.library.library import Library
    from aix.library.place import Place
    from aix.library.prompt import Prompt


def register(cli: typer.Typer) -> None:
    cli.command("edit")(edit)
    for command, other, function in (("delete", "rm", delete), ("rename", "mv", rename), ("copy", "cp", copy)):
        cli.command(command)(function)
        cli.command(other, hidden=True)(function)


def edit(ctx: typer.Context, name: PromptName, library: LibraryFolder = None) -> None:
    """Open a prompt in your editor.

    What you write is checked before it is saved.

    The editor is $VISUAL, $EDITOR, the setting `editor`, or one that is there. A built-in prompt is copied to your own
    first, and yours runs from then on.
    """
    shell: Shell = ctx.obj
    home = shell.app.library_at(library)
    place = home.place(name, f"aix create {name} makes it")
    if not shell.console.person_is_there:
        other = f"change {place.path} itself" if place.editable else f"aix copy {place.name} {place.name}"
        raise UsageError("aix edit needs a terminal for the editor", hint=other)
    was = place.data()
    own = place if place.editable else home.refuse(name)

    def save(data: bytes) -> "Prompt | None":
        if data == was:
            return None
        if not data.strip():
            raise UsageError(f"'{place.name}' would be empty; nothing is changed", hint=f"aix delete {place.name}")
        return home.save(place, data, was) if place.editable else home.copy(place, own, data)

    prompt = edited(shell, own, was, save, "aix edit")
    shell.console.note(f"saved {prompt.path}" if prompt else "nothing is changed")


def delete(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Prompts of your own or of the project.")],
    sure: Annotated[bool, typer.Option("--yes", "-y", "--force", "-f", help="Do not ask.")] = False,
    library: LibraryFolder = None,
) -> None:
    """Delete prompts."""
    shell: Shell = ctx.obj
    home = shell.app.library_at(library)
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
            shell.console.note(f"'{place.name}' now means {left.layer.name} {left.path}")


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
    home = shell.app.library_at(library)
    place = home.place(name)
    _warn_of_includers(shell, home, place, but=[])
    renamed = home.rename(place, new)
    shell.console.note(f"renamed {place.name} to {renamed.name}: {renamed.path}")
    _carry_history(shell, place, renamed)


def copy(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A prompt, or a prompt file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name of the copy.")],
    project: Project = False,
    library: LibraryFolder = None,
) -> None:
    """Copy a prompt, with what it includes.

    The copy is your own, or the project's.

    \b
      aix copy review my-review
      aix copy review review --project
      aix copy ./draft.md review
    """
    shell: Shell = ctx.obj
    home = shell.app.library_at(library)
    prompt = home.copy(shell.app.place(name, library), home.refuse(new, shell.app.project if project else None))
    shell.console.note(f"created {prompt.path}")


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
