"""`aix list`, `aix show`, `aix create`: the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from aix.cli import ask
from aix.cli.console import Stdin
from aix.cli.options import AsJson, LibraryFolder, Shell
from aix.cli.prompt_flags import described
from aix.config.secrets import without_keys
from aix.errors import AixError, TemplateError, UsageError

if TYPE_CHECKING:
    from aix.library.library import Library
    from aix.library.prompt import Param, Prompt

START = """---
description: What this prompt is for
params:
  text: {type: text, required: true, stdin: true, help: What it works on}
---
{{ text }}
"""
"""What the editor begins with."""


def register(cli: typer.Typer) -> None:
    cli.command("list")(list_prompts)
    cli.command("show")(show)
    cli.command("create", cls=_CreateCommand)(create)


class _CreateCommand(TyperCommand):
    """A command whose text may begin with the three dashes of front matter, which are no flag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        texts = [arg for arg in args if arg.startswith("---")]
        if texts and "--" not in args:
            args = [*(arg for arg in args if arg not in texts), "--", *texts]
        return super().parse_args(ctx, args)


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
    for key, value in facts.items():
        if value:
            shell.console.line(f"{key + ':':<13}{_plain(value)}")
    for param in template.params:
        shell.console.line(f"{'param:':<13}{_described(param)}")
    for command in template.commands:
        shell.console.line(f"{'command:':<13}{command}")
    with shell.console.answer("exact") as write:
        write("\n" + prompt.body)


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
    with _body(shell, name, text) as body:
        if _is_empty(body):
            raise UsageError(
                f"'{name}' would be empty; nothing is created", hint='aix create NAME "Say hello to {{ name }}."'
            )
        text = body if body.endswith("\n") else body + "\n"
        prompt = home.create(name, text, check=lambda prompt: shell.app.template(prompt, home.layers[0]))
    shell.console.note(f"created {prompt.path}")
    shell.console.note(f"try it: aix run {prompt.name}")


@contextmanager
def _body(shell: Shell, name: str, text: str | None) -> Iterator[str]:
    """The text of a new prompt; what was written in an editor is kept when it cannot be saved."""
    if text is not None:
        yield Stdin().read() if text == "-" else text
        return
    if not shell.console.person_is_there:
        raise UsageError(f"what does '{name}' say?", hint="give its text as an argument, or - to read it from stdin")
    env, editor = shell.app.env, shell.app.settings.get("editor").value
    with ask.edited(START, without_keys(env, shell.app.known_secrets()), editor, f"{name}.md") as (body, path):
        try:
            yield body
        except AixError:
            if not _is_empty(body):
                shell.console.note(f"your text is in {path}; mend it, then: aix create {name} - < {path}")
            raise


def _is_empty(body: str) -> bool:
    return body.strip() in ("", START.strip())


def _rows(shell: Shell, library: "Library") -> Iterator[dict[str, Any]]:
    for name, layer in library.names():
        row = {"name": name, "layer": layer.name, "path": str(layer.path(name))}
        try:
            prompt = layer.prompt(name)
        except TemplateError as error:
            short = error.message.replace(f"{layer.path(name)}:", "line ", 1)
            yield {**row, "description": f"(broken) {short}", "tags": [], "error": error.message}
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


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name} {inner}" for name, inner in value.items()]
    return ", ".join(value) if isinstance(value, list) else str(value)


def _described(param: "Param") -> str:
    facts = "; ".join((param.type, *described(param)))
    return f"{param.name} ({facts}){' ' + param.help if param.help else ''}"
