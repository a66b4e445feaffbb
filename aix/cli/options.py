"""What several commands share: the object in their context, and option types."""

from dataclasses import dataclass
from typing import Annotated

import typer

from aix.app import App
from aix.cli.console import Console


@dataclass(frozen=True, slots=True)
class Shell:
    """What every command finds in `ctx.obj`."""

    app: App
    console: Console


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
LibraryFolder = Annotated[
    str | None, typer.Option("--library", metavar="DIR", help="Use the prompts in DIR instead of your own.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
