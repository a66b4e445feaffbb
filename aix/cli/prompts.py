"""`aix list`, `aix search`, `aix show`: looking at the library."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.cli.figures import width
from aix.cli.options import AsJson, LibraryFolder, NameOrFile, NoProject, Shell, Tags, divided
from aix.cli.prompt_flags import described
from aix.cli.streams import Stdin
from aix.errors import UsageError
from aix.library.index import Entry
from aix.library.prompt import Param
from aix.library.search import around, search
from aix.library.trust.commands import legible

if TYPE_CHECKING:
    from aix.app_prompts import Chosen
    from aix.library.library import Library

Layers = Annotated[
    list[str] | None,
    typer.Option("--layer", metavar="LAYER", help="Only those of user, project, builtin or a collection; repeatable."),
]

SEARCH = """Find prompts by words, the best first.

Every word must stand in the name, the tags, the description or the text.

\b
  aix search review
  aix search "pull request" --tag git
"""


def register(cli: typer.Typer) -> None:
    for name in ("list", "ls"):
        cli.command(name, hidden=name == "ls")(list_prompts)
    cli.command("search", help=SEARCH)(search_prompts)
    cli.command("show")(show)


def list_prompts(
    ctx: typer.Context,
    tag: Tags = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="Tags, params and files too.")] = False,
    layer: Layers = None,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    as_json: AsJson = False,
) -> None:
    """List the prompts that can be run."""
    shell: Shell = ctx.obj
    home = shell.app.prompts.library_at(library)
    found = _tagged(home.only(layer) if layer else home, tag)
    if as_json:
        shell.console.json([_facts(entry) for entry in found])
        return
    if long and shell.console.stdout_is_terminal:
        _print_blocks(shell, found)
    elif not found:
        shell.console.note(f"no prompt has {' and '.join(divided(tag))} as a tag" if tag else "there are no prompts")
    elif long:
        shell.console.table(list(_LONG), [[read(entry) for read in _LONG.values()] for entry in found])
    else:
        _print_table(shell, "description", found, lambda entry, _: entry.about)


def search_prompts(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for; every word must be there.")],
    tag: Tags = None,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    if not any(word.strip() for word in words):
        raise UsageError("there is no word to look for", hint="aix list shows all prompts")
    hits = {hit.prompt.name: hit for hit in search(_tagged(shell.app.prompts.library_at(library), tag), words)}
    if as_json:
        shell.console.json(
            [
                {**_facts(hit.prompt), "score": hit.score, "found_in": hit.field, "line": hit.line}
                for hit in hits.values()
            ]
        )
        return

    def said(entry: Entry, room: int) -> str:
        hit = hits[entry.name]
        text = hit.line if hit.field in ("description", "body") else entry.about
        return text if width(text) <= room else around(text, words)

    _print_table(shell, "found", [hit.prompt for hit in hits.values()], said)
    if not hits:
        shell.console.note(f"nothing has {' and '.join(words)} in it; aix list shows all prompts")


def show(
    ctx: typer.Context,
    name: NameOrFile,
    library: LibraryFolder = None,
    no_project: NoProject = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the file exactly as it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one prompt: where it lives, what it needs, what it says."""
    shell: Shell = ctx.obj
    chosen = shell.app.prompts.choose(name, library, Stdin().read)
    prompt, template = chosen.prompt, chosen.template
    if raw:
        shell.console.out(_file(shell, chosen, name, library).decode())
        return
    facts = {
        "name": prompt.name,
        "layer": prompt.layer,
        "path": str(prompt.path) if prompt.path else None,
        "revision": chosen.revision or None,
        "digest": template.digest,
        "description": prompt.description,
        "tags": list(prompt.tags),
        "model": prompt.model or None,
        "options": dict(prompt.options),
        "output": prompt.output.format,
    }
    params = [_param(param) for param in template.params]
    if as_json:
        trust = {"commands": list(template.commands), "trusted": shell.app.prompts.trusts(chosen)}
        shell.console.json({**facts, "params": params, **trust, "body": prompt.body})
        return
    _print_facts(shell, facts)
    for param in template.params:
        shell.console.line(f"{'param:':<13}{_described(param)}")
    for command in template.calls:
        shell.console.line(f"{'command:':<13}{legible(command.whole)}")
    if template.commands:
        shell.console.line(f"{'trusted:':<13}{'yes' if shell.app.prompts.trusts(chosen) else 'no'}")
    with shell.console.answer("exact") as write:
        write("\n" + prompt.body)


def _file(shell: Shell, chosen: "Chosen", name: str, library: str | None) -> bytes:
    """The file that was chosen as it is, or as it was."""
    if chosen.revision:
        return shell.app.prompts.place(name, library).data()
    return chosen.prompt.path.read_bytes() if chosen.prompt.path else chosen.prompt.text.encode()


def _tagged(home: "Library", tags: Sequence[str] | None) -> list[Entry]:
    """Every prompt that can be run by its name and has all the tags."""
    wanted = {tag.casefold() for tag in divided(tags)}
    found = home.entries()
    return [entry for entry in found if wanted <= {tag.casefold() for tag in entry.tags}] if wanted else found


_LONG: Mapping[str, Callable[[Entry], str]] = {
    "name": lambda entry: entry.name,
    "layer": lambda entry: entry.layer.name,
    "tags": lambda entry: ", ".join(entry.tags),
    "params": lambda entry: entry.params,
    "description": lambda entry: entry.about,
    "file": lambda entry: str(entry.path),
}
"""All that a list can say of a prompt."""

NARROW = 24
"""Where a table's last column would have less room than this, the layers are left out."""


def _print_table(shell: Shell, last: str, entries: Sequence[Entry], said: Callable[[Entry, int], str]) -> None:
    """Names, layers, and what is `said` of each prompt in the room that is left for it."""
    room = _room(shell, [(entry.name, entry.layer.name) for entry in entries])
    if room >= NARROW:
        rows = [[entry.name, entry.layer.name, said(entry, room)] for entry in entries]
        shell.console.table(["name", "layer", last], rows)
        return
    room = _room(shell, [(entry.name,) for entry in entries])
    shell.console.table(["name", last], [[entry.name, said(entry, room)] for entry in entries])


def _room(shell: Shell, rows: Sequence[Sequence[str]]) -> int:
    """What is left of a line beside some columns: a pipe's lines have no end."""
    if not shell.console.stdout_is_terminal:
        return sys.maxsize
    return (
        shell.console.columns - 2 - sum(2 + max(width(cell) for cell in column) for column in zip(*rows, strict=True))
    )


def _print_blocks(shell: Shell, entries: Sequence[Entry]) -> None:
    """Each prompt in lines of its own, as `aix show` has them."""
    for index, entry in enumerate(entries):
        if index:
            shell.console.line()
        _print_facts(shell, {key: read(entry) for key, read in _LONG.items()})


def _print_facts(shell: Shell, facts: Mapping[str, Any]) -> None:
    for key, value in facts.items():
        if value:
            shell.console.line(f"{key + ':':<13}{_plain(value)}")


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "layer": entry.layer.name,
        "path": str(entry.path),
        "description": entry.about,
        "tags": list(entry.tags),
        "error": entry.error or None,
    }


def _param(param: Param) -> dict[str, Any]:
    shown = {"name": param.name, "type": param.type, "required": param.required, "help": param.help}
    default = param.default if isinstance(param.default, str | int | float | list | dict | None) else str(param.default)
    return {**shown, "default": default, "choices": [str(choice) for choice in param.choices], "stdin": param.stdin}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name} {inner}" for name, inner in value.items()]
    return ", ".join(value) if isinstance(value, list) else str(value)


def _described(param: Param) -> str:
    facts = "; ".join((param.type, *described(param)))
    return f"{param.name} ({facts}){' ' + param.help if param.help else ''}"
