"""`aix list`, `aix search`, `aix show`, `aix which`: looking at the library."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.cli.figures import width
from aix.cli.options import AsJson, LibraryFolder, Shell, Tags, divided
from aix.cli.prompt_flags import described
from aix.cli.streams import Stdin
from aix.errors import TemplateError, UsageError
from aix.library.prompt import Param, Prompt
from aix.library.search import around, search

if TYPE_CHECKING:
    from aix.library.layer import Layer

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
    cli.command("which")(which)


def list_prompts(
    ctx: typer.Context,
    tag: Tags = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="Tags, params and files too.")] = False,
    library: LibraryFolder = None,
    as_json: AsJson = False,
) -> None:
    """List the prompts that can be run."""
    shell: Shell = ctx.obj
    found = [(prompt, error) for prompt, error in _prompts(shell, library) if _has(prompt, divided(tag))]
    if as_json:
        shell.console.json([_facts(prompt, error) for prompt, error in found])
        return
    if long and shell.console.stdout_is_terminal:
        _print_blocks(shell, [prompt for prompt, _ in found])
    elif not found:
        shell.console.note(f"no prompt has {' and '.join(divided(tag))} as a tag" if tag else "there are no prompts")
    elif long:
        shell.console.table(list(_LONG), [[read(prompt) for read in _LONG.values()] for prompt, _ in found])
    else:
        _print_table(shell, "description", [prompt for prompt, _ in found], lambda prompt, _: _about(prompt))


def search_prompts(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for; every word must be there.")],
    tag: Tags = None,
    library: LibraryFolder = None,
    as_json: AsJson = False,
) -> None:
    shell: Shell = ctx.obj
    if not any(word.strip() for word in words):
        raise UsageError("there is no word to look for", hint="aix list shows all prompts")
    hits = search((prompt for prompt, _ in _prompts(shell, library) if _has(prompt, divided(tag))), words)
    if as_json:
        shell.console.json(
            [{**_facts(hit.prompt), "score": hit.score, "found_in": hit.field, "line": hit.line} for hit in hits]
        )
        return

    def found(prompt: Prompt, room: int) -> str:
        hit = next(hit for hit in hits if hit.prompt is prompt)
        text = hit.line if hit.field in ("description", "body") else _about(prompt)
        return text if width(text) <= room else around(text, words)

    _print_table(shell, "found", [hit.prompt for hit in hits], found)
    if not hits:
        shell.console.note(f"nothing has {' and '.join(words)} in it; aix list shows all prompts")


def which(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A prompt.")],
    library: LibraryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print the file that runs by a name.

    Which files of other layers it hides is said on stderr.

    \b
      cat "$(aix which review)"
    """
    shell: Shell = ctx.obj
    home = shell.app.library_at(library)
    used = home.place(name)
    places = home.places(name)
    if as_json:
        shell.console.json(
            [
                {"name": place.name, "layer": place.layer.name, "path": str(place.path), "used": place == used}
                for place in places
            ]
        )
        return
    shell.console.line(str(used.path))
    for hidden in places[1:]:
        shell.console.note(f"it hides {hidden.layer.name} {hidden.path}")


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A prompt, or a prompt file.")],
    library: LibraryFolder = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print the file exactly as it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one prompt: where it lives, what it needs, what it says."""
    shell: Shell = ctx.obj
    chosen = shell.app.choose(name, library, Stdin().read)
    prompt, template = chosen.prompt, chosen.template
    if raw:
        shell.console.out(prompt.path.read_bytes().decode() if prompt.path else prompt.text)
        return
    facts = {
        "name": prompt.name,
        "layer": prompt.layer,
        "path": str(prompt.path) if prompt.path else None,
        "digest": template.digest,
        "description": prompt.description,
        "tags": list(prompt.tags),
        "model": prompt.model or None,
        "options": dict(prompt.options),
        "output": prompt.output.format,
    }
    params = [_param(param) for param in template.params]
    if as_json:
        shell.console.json({**facts, "params": params, "commands": list(template.commands), "body": prompt.body})
        return
    _print_facts(shell, facts)
    for param in template.params:
        shell.console.line(f"{'param:':<13}{_described(param)}")
    for command in template.commands:
        shell.console.line(f"{'command:':<13}{command}")
    with shell.console.answer("exact") as write:
        write("\n" + prompt.body)


def _prompts(shell: Shell, library: str | None) -> Iterator[tuple[Prompt, TemplateError | None]]:
    """Every prompt that can be run by its name; a broken one as far as it is known, with what is wrong."""
    for name, layer in shell.app.library_at(library).names():
        try:
            yield layer.prompt(name), None
        except TemplateError as error:
            yield _broken(name, layer, error), error


def _broken(name: str, layer: "Layer", error: TemplateError) -> Prompt:
    path = layer.path(name)
    short = error.message.replace(f"{path}:", "line ", 1)
    return Prompt(name, "", "", path=path, layer=layer.name, description=f"(broken) {short}")


def _has(prompt: Prompt, tags: Sequence[str]) -> bool:
    own = {tag.casefold() for tag in prompt.tags}
    return all(tag.casefold() in own for tag in tags)


def _about(prompt: Prompt) -> str:
    return prompt.description or next((line.strip() for line in prompt.body.splitlines() if line.strip()), "")


def _wanted(prompt: Prompt) -> str:
    """The params, those that may be left out in brackets."""
    names = [param.name if param.required else f"[{param.name}]" for param in prompt.params or ()]
    return " ".join(names)


_LONG: Mapping[str, Callable[[Prompt], str]] = {
    "name": lambda prompt: prompt.name,
    "layer": lambda prompt: prompt.layer,
    "tags": lambda prompt: ", ".join(prompt.tags),
    "params": _wanted,
    "description": _about,
    "file": lambda prompt: str(prompt.path),
}
"""All that a list can say of a prompt."""

NARROW = 24
"""Where a table's last column would have less room than this, the layers are left out."""


def _print_table(shell: Shell, last: str, prompts: Sequence[Prompt], said: Callable[[Prompt, int], str]) -> None:
    """Names, layers, and what is `said` of each prompt in the room that is left for it."""
    room = _room(shell, [(prompt.name, prompt.layer) for prompt in prompts])
    if room >= NARROW:
        rows = [[prompt.name, prompt.layer, said(prompt, room)] for prompt in prompts]
        shell.console.table(["name", "layer", last], rows)
        return
    room = _room(shell, [(prompt.name,) for prompt in prompts])
    shell.console.table(["name", last], [[prompt.name, said(prompt, room)] for prompt in prompts])


def _room(shell: Shell, rows: Sequence[Sequence[str]]) -> int:
    """What is left of a line beside some columns: a pipe's lines have no end."""
    if not shell.console.stdout_is_terminal:
        return sys.maxsize
    return (
        shell.console.columns - 2 - sum(2 + max(width(cell) for cell in column) for column in zip(*rows, strict=True))
    )


def _print_blocks(shell: Shell, prompts: Sequence[Prompt]) -> None:
    """Each prompt in lines of its own, as `aix show` has them."""
    for index, prompt in enumerate(prompts):
        if index:
            shell.console.line()
        _print_facts(shell, {key: read(prompt) for key, read in _LONG.items()})


def _print_facts(shell: Shell, facts: Mapping[str, Any]) -> None:
    for key, value in facts.items():
        if value:
            shell.console.line(f"{key + ':':<13}{_plain(value)}")


def _facts(prompt: Prompt, error: TemplateError | None = None) -> dict[str, Any]:
    return {
        "name": prompt.name,
        "layer": prompt.layer,
        "path": str(prompt.path),
        "description": _about(prompt),
        "tags": list(prompt.tags),
        "error": error.message if error else None,
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
