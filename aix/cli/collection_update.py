"""`aix collection update`: what changed in a collection is shown before it is taken."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from aix.cli.collection_words import counted, left_out_lines, told
from aix.cli.options import Shell, Yes
from aix.errors import AixError, UsageError

if TYPE_CHECKING:
    from aix.library.collections.lock import Collection
    from aix.library.collections.shelf import Update
    from aix.library.collections.survey import Change

HELP = """Take what is new in collections, after showing it.

Without a name: all that are from git or a folder. One that is not on this machine is fetched just as it is pinned,
and nothing is asked. The exit status is that of the first failure.

\b
  aix collection update team
  aix collection update --yes
"""

MARKS = {"added": "+", "changed": "~", "removed": "-"}


def register(noun: typer.Typer) -> None:
    noun.command("update", help=HELP)(update)


def update(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Collections.")] = None,
    yes: Yes = False,
) -> None:
    shell: Shell = ctx.obj
    collections = shell.app.collections
    chosen = [collections.get(name) for name in dict.fromkeys(names or ())] if names else _moving(shell)
    failures = [error for one in chosen if (error := _failure(shell, one, sure=yes))]
    for error in failures[1:]:
        shell.console.error(error)
    if failures:
        raise failures[0]


def _moving(shell: Shell) -> "Sequence[Collection]":
    """All collections that can be another by now; those from archives cannot."""
    every = shell.app.collections.all()
    moving = [one for one in every if one.kind != "archive"]
    if not every:
        shell.console.note("there are no collections; aix collection add takes one")
    elif not moving:
        shell.console.note("all collections are from archives; aix collection import takes newer ones")
    return moving


def _failure(shell: Shell, collection: "Collection", *, sure: bool) -> AixError | None:
    """Update one; what came in between, for the others are to be updated all the same."""
    try:
        _update(shell, collection, sure=sure)
    except AixError as error:
        error.message = f"{collection.name}: {error.message}"
        if not isinstance(error, UsageError) and shell.app.collections.here(collection):
            shell.console.note(f"{collection.name} stays as it is, at {collection.short}")
        return error
    return None


def _update(shell: Shell, collection: "Collection", *, sure: bool) -> None:
    found = shell.app.collections.look(collection)
    if found.missing:
        again = shell.app.collections.here(collection)
        shell.app.collections.take(found)
        shell.console.note(f"{'put back' if again else 'fetched'} {told(found.new)}")
        if again:
            shell.console.note("its files had been changed here, and are as pinned again")
        return
    if not found.moves:
        shell.console.note(f"{collection.name} is up to date at {collection.short}")
        return
    show(shell, found)
    if shell.agreed(f"Take this into {collection.name}?", sure=sure):
        shell.app.collections.take(found)
        shell.console.note(f"updated {told(found.new)}")


def show(shell: Shell, found: "Update") -> None:
    """What an update would bring, for a person to judge."""
    shell.console.note(f"{found.old.name}: {found.old.short} to {found.new.collection.short}, {_sum(found.changes)}")
    if found.rewritten:
        shell.console.warn(f"its history was rewritten: what you have ({found.old.short}) is not in it any more")
    for change in found.changes:
        lines = f" (+{change.plus} -{change.minus})" if change.how == "changed" else ""
        shell.console.line(f"{MARKS[change.how]} {change.name}{lines}")
        for mark, words in (("+", change.new_commands), ("-", change.gone_commands)):
            for word in words:
                shell.console.line(f"    {mark} runs {' '.join(word.split())}")
    for line in left_out_lines(found.new):
        shell.console.note(line)


def _sum(changes: "Sequence[Change]") -> str:
    hows = [change.how for change in changes]
    parts = [f"{hows.count(how)} {how}" for how in MARKS if how in hows]
    return ", ".join(parts) or f"{counted(0, 'prompt')} changed"
