"""`aix trust`, `aix untrust`: which prompts may run commands."""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from aix.app_prompts import Chosen
from aix.cli import trusting
from aix.cli.options import AsJson, LibraryFolder, Shell, Yes
from aix.cli.streams import Stdin
from aix.errors import NotFoundError, TemplateError, UsageError
from aix.library.trust.store import DIGEST, Seen, Trusted, seen

TRUST = """Let prompts run the commands that stand in them as sh(…).

It shows the commands, and what changed since you trusted the prompt last, and asks.

What you trust is this content, with all that it includes: when a letter of it changes, you are asked again. What you
write with aix create and aix edit is trusted, but for what is piped in, and so are the prompts that come with aix.

\b
  aix trust review
  aix trust team:review ./draft.md
  aix trust --list
"""
UNTRUST = """Let prompts run commands no longer.

Of a prompt, every content is meant that was trusted under its name.

\b
  aix untrust review
  aix untrust --all
"""
STATES = {"same": "", "changed": "another content now", "gone": "gone"}
"""What is said of a trusted content beside that of the prompt's file."""


def register(cli: typer.Typer) -> None:
    cli.command("trust", help=TRUST)(trust)
    cli.command("untrust", help=UNTRUST)(untrust)


def trust(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME|FILE]…", help="Prompts, or prompt files.")] = None,
    listed: Annotated[bool, typer.Option("--list", "-l", help="List what is trusted.")] = False,
    sure: Yes = False,
    library: LibraryFolder = None,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    if listed == bool(names):
        raise UsageError("which prompt is to be trusted?", hint="aix trust NAME, or aix trust --list")
    if listed:
        _list(shell, as_json=as_json)
        return
    chosen = [shell.app.prompts.choose(name, library, Stdin().read) for name in names or ()]
    added = [one for one in chosen if _trusted(shell, one, sure=sure, asks=not as_json)]
    if as_json:
        shell.console.json({"version": 1, "ok": True, "trusted": [_facts(one) for one in added], "error": None})


def untrust(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE|DIGEST]…", help="Prompts, prompt files, or digests, sha256:…."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Trust nothing any longer.")] = False,
    library: LibraryFolder = None,
) -> None:
    shell: Shell = ctx.obj
    if everything == bool(names):
        raise UsageError("what is to be trusted no longer?", hint="aix untrust NAME, or aix untrust --all")
    if everything:
        count = shell.app.prompts.trust.remove_all()
        shell.console.note(f"{count} trusted before, nothing now" if count else "nothing was trusted")
    for name in names or ():
        _forget(shell, name, library)


def _trusted(shell: Shell, chosen: Chosen, *, sure: bool, asks: bool) -> bool:
    """Trust a content, when the user agrees; whether it is trusted now. Raises UsageError when nobody can be asked."""
    name = chosen.prompt.name
    if chosen.prompt.layer == "builtin":
        shell.console.note(f"'{name}' comes with aix, and is trusted with it")
        return True
    if not shell.app.prompts.trusts(chosen):
        if asks:
            trusting.explain(shell, chosen)
        if not sure and (not asks or shell.app.env.get("CI")):
            raise UsageError(f"nobody is asked here whether '{name}' is trusted", hint="add --yes")
        if not shell.agreed(trusting.question(chosen), sure=sure):
            return False
    trusting.keep(shell, chosen)  # also one that is trusted has this name from now on
    if asks:
        shell.console.note(f"'{name}' is trusted as it is now: {chosen.template.digest}")
    return True


def _facts(chosen: Chosen) -> dict[str, Any]:
    template = chosen.template
    named = {"name": chosen.prompt.name, "layer": chosen.prompt.layer, "digest": template.digest}
    return {**named, "commands": list(template.commands)}


def _forget(shell: Shell, name: str, library: str | None) -> None:
    """Trust what a word means no longer, and say what that was."""
    meant = list(_meant(shell, name, library))
    gone = [entry for entry in meant if shell.app.prompts.trust.remove(entry.digest)]
    for entry in gone:
        names = ", ".join(str(other) for other in entry.seen)
        shell.console.note(f"trusted no longer: {entry.digest}" + (f" ({names})" if names else ""))
    if not gone:
        shell.console.note(f"'{name}' was not trusted")


def _meant(shell: Shell, name: str, library: str | None) -> Iterator[Trusted]:
    """The contents that a digest means, or a name: the one that it has now, and all that were trusted under it. Raises
    NotFoundError or UsageError."""
    store = shell.app.prompts.trust
    if name.startswith("sha256:"):
        if not DIGEST.fullmatch(name):
            raise UsageError(f"'{name}' is no digest", hint="aix trust --list --json has them whole")
        yield store.find(name) or Trusted(name)
        return
    chosen = _chosen(shell, name, library)
    if chosen and chosen.prompt.layer == "builtin":
        raise UsageError(f"'{name}' comes with aix, and is trusted with it", hint="--disable-commands runs none of it")
    now = chosen.template.digest if chosen else ""
    here = (
        seen(chosen.prompt.name, chosen.prompt.layer, chosen.prompt.path)
        if chosen
        else shell.app.prompts.remembered(name, library)
    )
    entries = [entry for entry in store.all() if now == entry.digest or any(map(here.covers, entry.seen))]
    if not chosen and not entries:
        raise NotFoundError(f"there is no prompt '{name}', and none was trusted by that name", hint="aix trust --list")
    yield from entries


def _chosen(shell: Shell, name: str, library: str | None) -> Chosen | None:
    """The prompt of a name, if there is one, and it can be read."""
    with suppress(NotFoundError, TemplateError):
        return shell.app.prompts.choose(name, library, Stdin().read)
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """A trusted content, and whether it is what the prompt of its name holds now."""

    entry: Trusted
    name: Seen
    state: str

    @property
    def cells(self) -> Sequence[str]:
        entry, count = self.entry, len(self.entry.commands)
        said = f"{count} command{'' if count == 1 else 's'}"
        return [self.name.name, self.name.layer, trusting.day(entry.since), said, STATES[self.state], entry.digest]

    @property
    def facts(self) -> dict[str, Any]:
        since = datetime.datetime.fromtimestamp(self.entry.since, datetime.UTC)
        return {
            "name": self.name.name,
            "layer": self.name.layer,
            "root": self.name.root or None,
            "names": [str(name) for name in self.entry.seen],
            "since": since.isoformat(timespec="seconds"),
            "commands": list(self.entry.commands),
            "digest": self.entry.digest,
            "state": self.state,
        }


def _list(shell: Shell, *, as_json: bool) -> None:
    rows = list(_rows(shell))
    if as_json:
        shell.console.json([row.facts for row in rows])
        return
    latest: dict[Seen, _Row] = {}
    for row in rows:
        if row.state == "same" or row.name not in latest:
            latest[row.name] = row
    shown = [row for row in rows if latest[row.name] is row]
    shell.console.table(["name", "layer", "since", "runs", "", "digest"], [row.cells for row in shown])
    if not rows:
        shell.console.note("nothing is trusted but what comes with aix")
    if more := len(rows) - len(shown):
        shell.console.note(f"and {more} earlier content{'' if more == 1 else 's'} of these: aix trust --list --json")


def _rows(shell: Shell) -> Iterator[_Row]:
    present: dict[Seen, str | None] = {}
    for entry in shell.app.prompts.trust.all():
        for name in entry.seen:
            if name not in present:
                present[name] = shell.app.prompts.digest_of(name)
        kept = [name for name in entry.seen if present[name] == entry.digest]
        there = [name for name in entry.seen if present[name]]
        name = next(iter([*kept, *there, *entry.seen]), Seen("-"))
        yield _Row(entry, name, "same" if kept else "changed" if there else "gone")
