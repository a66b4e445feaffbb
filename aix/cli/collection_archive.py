"""`aix collection create`, `export`, `import`: folders to share in git, and archives."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from aix.cli.collection_update import show
from aix.cli.collection_words import told, untrusted_line
from aix.cli.options import LibraryFolder, Shell, Yes
from aix.cli.streams import Stdin, write_data
from aix.config.files import Answer
from aix.config.paths import in_home
from aix.errors import UsageError
from aix.library.collections.archive import Bundle, unpack
from aix.library.collections.lock import ARCHIVES
from aix.library.collections.sharing import collection_of, read_archive
from aix.library.collections.shelf import Taken
from aix.library.collections.tar import MAX_PACKED
from aix.library.collections.tree import Tree

CREATE = """Make a folder of prompts to be shared in git.

It gets copies of the prompts that you name, with all that they include, and a README that lists them.

\b
  aix collection create team review commit
  aix collection create team user:commit --into ~/src/team-prompts --description "What we all use"
"""

EXPORT = """Put a collection, a layer or some prompts into one file.

The file has a manifest with a digest of each of its files, and is the same to the byte wherever and whenever it is made
of the same prompts.

\b
  aix collection export team -o team.tar.gz
  aix collection export review commit --name ours > ours.tar.gz
"""

IMPORT = """Take a collection from a file that `aix collection export` made.

Everything in it is checked before anything is kept. A newer file of the same collection shows what changed, and asks.

\b
  aix collection import team.tar.gz
  curl -s https://example.com/team.tar.gz | aix collection import - --yes
"""
MOST = 5
"""In how many places a key is pointed out."""

Description = Annotated[str, typer.Option("--description", "--desc", metavar="TEXT", help="What it is for, in a line.")]


def register(noun: typer.Typer) -> None:
    noun.command("create", help=CREATE)(create)
    noun.command("export", help=EXPORT)(export)
    noun.command("import", help=IMPORT)(import_archive)


def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What the collection is called.")],
    prompts: Annotated[list[str] | None, typer.Argument(metavar="[PROMPT]…", help="What is copied into it.")] = None,
    into: Annotated[str, typer.Option("--into", metavar="DIR", help="The folder, instead of ./NAME.")] = "",
    description: Description = "",
    library: LibraryFolder = None,
) -> None:
    shell: Shell = ctx.obj
    app = shell.app
    sharing = app.prompts.sharing(library)
    found = sharing.named(sharing.gather(prompts or []), name, description)
    root = in_home(into or name, app.paths.home, app.cwd)
    _warn_of_keys(shell, sharing.keys(found))
    sharing.folder(root, found)
    where = shlex.quote(str(root))
    shell.console.note(f"created {root} with {_count(found)}")
    shell.console.note(f"try it: aix collection add {where} --name {found.name}")
    shell.console.note(f'share it: git -C {where} init && git -C {where} add . && git -C {where} commit -m "Prompts"')


def export(
    ctx: typer.Context,
    what: Annotated[list[str], typer.Argument(metavar="NAME|PROMPT…", help="A collection, a layer, or prompts.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help=f"A file, such as team{ARCHIVES[0]}; - is stdout.")
    ] = "-",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the collection is called in it.")] = "",
    description: Description = "",
    library: LibraryFolder = None,
) -> None:
    shell: Shell = ctx.obj
    if output == "-" and shell.console.stdout_is_terminal:
        raise UsageError("an archive is nothing for a terminal", hint=f"-o {name or 'NAME'}{ARCHIVES[0]}")
    sharing = shell.app.prompts.sharing(library)
    found = sharing.gather(what)
    found = sharing.named(found, name or found.name or _stem(output), description)
    _warn_of_keys(shell, sharing.keys(found))
    data = sharing.pack(found)
    if output == "-":
        write_data(sys.stdout, data)
        return
    Answer(in_home(output, shell.app.paths.home, shell.app.cwd)).keep_data([data])
    shell.console.note(f"{_count(found)} in {output}")


def import_archive(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The file, or - for stdin.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call it.")] = "",
    yes: Yes = False,
) -> None:
    shell: Shell = ctx.obj
    app, shown = shell.app, "standard input" if file == "-" else file
    data = Stdin().take(MAX_PACKED + 1) if file == "-" else read_archive(in_home(file, app.paths.home, app.cwd))
    found = unpack(data, shown)
    new = collection_of(found, file, name)
    old = next((one for one in app.collections.all() if one.name == new.name), None)
    if old is None or old.kind != "archive":
        taken = Taken(app.collections.install(new, found.files), Tree(found.files))
        shell.console.note(f"added {told(taken)}")
        if taken.commands:
            shell.console.note(untrusted_line(taken))
        return
    update = app.collections.compare(old, new, found.files)
    if not update.moves and not update.missing:
        shell.console.note(f"{old.name} is up to date at {old.short}")
        return
    if not update.missing:
        show(shell, update)
    if update.missing or shell.agreed(f"Take this into {old.name}?", sure=yes):
        app.collections.take(update)
        shell.console.note(f"updated {told(update.new)}")


def _stem(output: str) -> str:
    """The name that an archive's file suggests."""
    file = Path(output).name
    return next((file.removesuffix(ending) for ending in ARCHIVES if file.endswith(ending)), "")


def _count(found: Bundle) -> str:
    prompts, files = len(found.prompt_names), len(found.files)
    said = f"{prompts} prompt{'' if prompts == 1 else 's'}"
    return said if files == prompts else f"{said} in {files} files"


def _warn_of_keys(shell: Shell, places: list[str]) -> None:
    for place in places[:MOST]:
        shell.console.warn(f"{place}: is this a key? whoever gets the collection can read it")
    if len(places) > MOST:
        shell.console.warn(f"and {len(places) - MOST} more lines like that")
