"""`aix which`: the file that a name means, and those that it hides."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.cli.options import AsJson, LibraryFolder, NoProject, Shell

if TYPE_CHECKING:
    from aix.library.place import Place

HELP = r"""Print the file that runs by a name.

What it hides in other layers, and what hides it, is said on stderr with the names that still mean it. Of a prompt as of
a revision, it prints git's own name.

\b
  cat "$(aix which review)"
  git show "$(aix which project:review@v2)"
"""


def register(cli: typer.Typer) -> None:
    cli.command("which", help=HELP)(which)


def which(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A prompt, also as team:review or review@v2.")],
    library: LibraryFolder = None,
    no_project: NoProject = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    used = home.source(name)
    places = [used] if used.layer.revision else home.places(used.name)
    if as_json:
        shell.console.json([_facts(place, used=place == used) for place in places])
        return
    shell.console.line(used.layer.shown(used.name))
    for winner in places[: places.index(used)][:1]:
        shell.console.note(f"{winner.qualified} hides it: {winner.path}")
    for hidden in places[places.index(used) + 1 :]:
        shell.console.note(f"it hides {hidden.qualified} {hidden.path}")


def _facts(place: "Place", *, used: bool) -> dict[str, Any]:
    revision = place.layer.revision
    return {
        "name": place.name,
        "layer": place.layer.name,
        "qualified": place.qualified,
        "path": None if revision else str(place.path),
        "revision": revision or None,
        "used": used,
    }
