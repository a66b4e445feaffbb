"""`aix list`, `aix show`, `aix create`: the library."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aix.cli import ask
from aix.cli.console import Stdin
from aix.cli.options import AsJson, LibraryFolder, Shell
from aix.errors import TemplateError, UsageError

if TYPE_CHECKING:
    from aix.library.library import Library
    from aix.library.prompt import Param, Prompt

START = """---
description:
params:
  text: {type: text, required: true, stdin: true}
---
{{ text }}
"""


def register(cli: typer.Typer) -> None:
    cli.command("list")(list_prompts)
    cli.command("show")(show)
    cli.command("create")(create)


def list_prompts(ctx: typer.Context, library: LibraryFolder = None, as_json: AsJson = False) -> None:
    """List the prompts that can be run."""
    shell: Shell = ctx.obj
    rows = list(_rows(shell, shell.app.library_at(library)))
    if as_json:
        shell.console.json(rows)
        return
    shell.console.table(
        ["name", "layer", "description"], [[row["name"], row["layer"], row["description"]] for row in rows]
    )


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
        shell.console.out(prompt.text)
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
    for key, value in facts.items():
        if value:
            shell.console.line(f"{key + ':':<13}{', '.join(value) if isinstance(value, list) else value}")
    for param in template.params:
        shell.console.line(f"{'param:':<13}{_described(param)}")
    for command in template.commands:
        shell.console.line(f"{'command:':<13}{command}")
    shell.console.out("\n" + prompt.body)


def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, such as review or web/review.")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="The prompt, or - for stdin; else an editor.")
    ] = None,
    library: LibraryFolder = None,
) -> None:
    """Make a prompt: from a text, from stdin, or in your editor.

    \b
      aix create greet "Say hello to {{ name }}."
      aix create web/review - < review.md
      aix create notes
    """
    shell: Shell = ctx.obj
    home = shell.app.library_at(library)
    home.refuse(name)
    body = _body(shell, name, text)
    if not body.strip():
        raise UsageError(
            f"'{name}' would be empty; nothing is created", hint='aix create NAME "Say hello to {{ name }}."'
        )
    prompt = home.create(name, body if body.endswith("\n") else body + "\n")
    shell.app.template(prompt, home.layers[0])
    shell.console.note(f"created {prompt.path}")
    shell.console.note(f"try it: aix run {prompt.name}")


def _body(shell: Shell, name: str, text: str | None) -> str:
    if text == "-":
        return Stdin().read()
    if text is not None:
        return text
    if not shell.console.person_is_there:
        raise UsageError(f"what does '{name}' say?", hint="give its text as an argument, or - to read it from stdin")
    return ask.edit(START, shell.app.env, shell.app.settings.get("editor").value, f"{name}.md")


def _rows(shell: Shell, library: "Library") -> Iterator[dict[str, Any]]:
    for name, layer in library.names():
        row = {"name": name, "layer": layer.name, "path": str(layer.path(name))}
        try:
            prompt = layer.prompt(name)
        except TemplateError as error:
            yield {**row, "description": f"(broken) {error.message}", "tags": [], "error": error.message}
            continue
        yield {
            **row,
            "description": prompt.description or _first_line(prompt),
            "tags": list(prompt.tags),
            "error": None,
        }


def _first_line(prompt: "Prompt") -> str:
    return next((line.strip() for line in prompt.body.splitlines() if line.strip()), "")


def _param(param: "Param") -> dict[str, Any]:
    shown = {"name": param.name, "type": param.type, "required": param.required, "help": param.help}
    default = param.default if isinstance(param.default, str | int | float | list | dict | None) else str(param.default)
    return {**shown, "default": default, "choices": [str(choice) for choice in param.choices], "stdin": param.stdin}


def _described(param: "Param") -> str:
    facts = [param.type] + ["required"] * param.required + ["stdin"] * param.stdin
    facts += [f"default {param.default}"] if param.default is not None else []
    facts += [f"one of {', '.join(str(choice) for choice in param.choices)}"] if param.choices else []
    return f"{param.flag} ({', '.join(facts)}){' ' + param.help if param.help else ''}"
