"""`aix collection`: shared folders of prompts, in git or elsewhere."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.app import App
from aix.cli import collection_archive, collection_update
from aix.cli.collection_words import counted, left_out_lines, shown_rev, told, untrusted_line
from aix.cli.options import AsJson, Shell, Yes, show_help

if TYPE_CHECKING:
    from aix.library.collections.lock import Collection
    from aix.library.collections.shelf import Taken

HELP = """Use a team's prompts: folders in git, pinned to a commit.

\b
  aix collection add https://github.com/acme/prompts.git --name team
  aix run team:review
  aix collection update team       shows what changed, then asks
"""

ADD = """Add a collection of prompts.

They come after your own and the project's.

SOURCE is a URL of git (https, ssh, file), a repository on this machine, or a plain folder. What is taken is what
stands there now; nothing changes until you update it.

\b
  aix collection add https://github.com/acme/prompts.git --name team
  aix collection add git@github.com:acme/all.git --path prompts --rev v2
  aix collection add ../prompts
"""

INFO = """Show where a collection is from, and what is in it.

\b
  aix collection info team
"""

REMOVE = """Remove a collection, and its files from this machine.

\b
  aix collection remove team
"""

Name = Annotated[str, typer.Argument(metavar="NAME", help="A collection.")]


def register(cli: typer.Typer) -> None:
    noun = typer.Typer(help=HELP, invoke_without_command=True, rich_markup_mode=None)
    noun.callback()(show_help)
    noun.command("add", help=ADD)(add)
    collection_update.register(noun)
    noun.command("list")(list_collections)
    noun.command("info", help=INFO)(info)
    noun.command("remove", help=REMOVE)(remove)
    collection_archive.register(noun)
    cli.add_typer(noun, name="collection")


def add(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A URL of git, or a folder.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call it.")] = "",
    rev: Annotated[str, typer.Option("--rev", metavar="REV", help="A branch, tag or commit to follow.")] = "",
    path: Annotated[str, typer.Option("--path", metavar="FOLDER", help="Only this folder of it.")] = "",
) -> None:
    shell: Shell = ctx.obj
    taken = shell.app.add_collection(source, name, rev, path)
    shell.console.note(f"added {told(taken)}")
    for line in left_out_lines(taken):
        shell.console.note(line)
    if not taken.prompts:
        shell.console.warn(_empty(taken))
    elif taken.commands:
        shell.console.note(untrusted_line(taken))


def list_collections(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the collections in their order."""
    shell: Shell = ctx.obj
    found = [(one, shell.app.collections.here(one)) for one in shell.app.collections.all()]
    if as_json:
        shell.console.json([_facts(*row) for row in found])
        return
    rows = [[one.name, _state(here), shown_rev(one), one.short, one.source] for one, here in found]
    shell.console.table(["collection", "prompts", "follows", "pinned", "source"], rows)
    if not rows:
        shell.console.note("there are no collections; aix collection add takes one")


def info(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    shell: Shell = ctx.obj
    collection = shell.app.collections.get(name)
    here = shell.app.collections.here(collection)
    if as_json:
        more = {"files": _files(shell.app, collection), "left_out": dict(here.tree.left_out) if here else {}}
        commands = {prompt: list(words) for prompt, words in here.commands.items()} if here else {}
        shell.console.json({**_facts(collection, here), **more, "commands": commands})
        return
    for heading, text in _lines(shell.app, collection, here):
        shell.console.line(f"{heading + ':':<13}{text}")


def remove(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    shell: Shell = ctx.obj
    collection = shell.app.collections.get(name)
    if not shell.agreed(f"Remove the collection {name}, and its prompts from this machine?", sure=yes):
        return
    shell.app.collections.remove(collection)
    shell.console.note(f"removed {name}")


def _empty(taken: "Taken") -> str:
    """What to do about a collection without prompts."""
    name, hint = taken.collection.name, ""
    if taken.folders:
        hint = f": aix collection remove {name}, then add it with --path {taken.folders[0]}, where some are"
    return f"{name} has no prompts, which are files that end in .md{hint}"


def _state(here: "Taken | None") -> str:
    return str(len(here.prompts)) if here else "not here"


def _files(app: App, collection: "Collection") -> str:
    return str(app.collections.store.root(collection))


def _facts(collection: "Collection", here: "Taken | None") -> dict[str, Any]:
    """What `--json` says of a collection. `prompts` is null where it is not on this machine."""
    return {
        "name": collection.name,
        "kind": collection.kind,
        "source": collection.source,
        "rev": collection.rev or None,
        "path": collection.path or None,
        "pin": collection.pin,
        "when": collection.when or None,
        "here": here is not None,
        "prompts": here.prompts if here else None,
    }


def _lines(app: App, collection: "Collection", here: "Taken | None") -> Iterator[tuple[str, str]]:
    yield "name", collection.name
    yield "source", collection.source
    yield "follows", shown_rev(collection)
    if collection.path:
        yield "folder", collection.path
    yield "pinned", collection.pin
    yield "taken", collection.when
    if here is None:
        yield "files", f"not on this machine: aix collection update {collection.name}"
        return
    yield "files", _files(app, collection)
    yield "prompts", _some(here.prompts)
    for prompt, words in here.commands.items():
        yield from (("command", f"{prompt}: {' '.join(word.split())}") for word in words)
    yield from (("left out", line.removeprefix("left out: ")) for line in left_out_lines(here))


def _some(names: Sequence[str], most: int = 20) -> str:
    """How many there are, and the first of them."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return f"{len(names)}: {', '.join(names[:most])}{more}" if names else counted(0, "prompt")
