"""What several commands share: the object in their context, and option types."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

import typer

from aix.app import App
from aix.cli import ask, editor
from aix.cli.console import Console
from aix.config.secrets import without_keys
from aix.errors import UsageError


@dataclass(frozen=True, slots=True)
class Shell:
    """What every command finds in `ctx.obj`."""

    app: App
    console: Console

    def agreed(self, question: str, *, sure: bool) -> bool:
        """Whether the user wants it: said before by `--yes`, or now. Raises UsageError when nobody can be asked."""
        if sure:
            return True
        if not self.console.person_is_there:
            raise UsageError(f"there is nobody to ask: {question}", hint="add --yes")
        if ask.confirm(question):
            return True
        self.console.note("nothing is changed")
        return False

    def draft(self, start: bytes, name: str) -> AbstractContextManager[editor.Draft]:
        """A text for the user's editor, which is to see no keys."""
        env = without_keys(self.app.env, self.app.known_secrets())
        return editor.draft(start, name, env, self.app.settings.get("editor").value)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
LibraryFolder = Annotated[
    str | None, typer.Option("--library", metavar="DIR", help="Use the prompts in DIR instead of your own.")
]


def _leave_out_project(ctx: typer.Context, value: bool) -> bool:
    """Said before any prompt is looked for, and before anything of the project is read."""
    if value:
        ctx.obj.app.prompts.with_project = False
    return value


NoProject = Annotated[
    bool,
    typer.Option(
        "--no-project",
        callback=_leave_out_project,
        help="Leave out the project's prompts, roles and limits.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
NameOrFile = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A prompt, also as team:review or review@v2; or a prompt file.")
]
PromptName = Annotated[str, typer.Argument(metavar="NAME", help="A prompt.")]
Project = Annotated[bool, typer.Option("--project", help="Write to the project's .prompts, not to your own.")]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", "--tags", metavar="TAG", help="Only those with this tag; repeatable, or a,b."),
]


def divided(texts: Sequence[str] | None) -> list[str]:
    """The words of a repeatable option whose values may hold several, with commas between."""
    return [word for text in texts or () for word in (part.strip() for part in text.split(",")) if word]


def flag(name: str) -> str:
    """How an option is spelt: that of `max_tokens` is --max-tokens."""
    return f"--{name.replace('_', '-')}"


def show_help(ctx: typer.Context) -> None:
    """What a noun alone does."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
