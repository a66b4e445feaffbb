"""`aix completion`: the script for a shell, and what its script asks on each Tab."""

import contextlib
from pathlib import Path, PurePath
from typing import Annotated

import typer

from aix.cli.options import Shell
from aix.errors import UsageError

HELP = """Print the script that completes aix in your shell.

\b
  bash         (without the package bash-completion, put that in ~/.bashrc:
               source <(aix completion bash))
    mkdir -p ~/.local/share/bash-completion/completions
    aix completion bash > ~/.local/share/bash-completion/completions/aix
  zsh          (in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit)
    mkdir -p ~/.zfunc && aix completion zsh > ~/.zfunc/_aix
  fish
    mkdir -p ~/.config/fish/completions
    aix completion fish > ~/.config/fish/completions/aix.fish
  PowerShell
    aix completion powershell >> $PROFILE
"""

SHELLS = ("bash", "zsh", "fish", "powershell")
SCRIPTS = Path(__file__).parent / "scripts"
FILES = {"bash": "aix.bash", "zsh": "aix.zsh", "fish": "aix.fish", "powershell": "aix.ps1", "pwsh": "aix.ps1"}


def register(cli: typer.Typer) -> None:
    cli.command("completion", help=HELP)(completion)
    cli.command("__complete", hidden=True)(complete)


def completion(
    ctx: typer.Context,
    shell_name: Annotated[
        str, typer.Argument(metavar="[SHELL]", help=f"{', '.join(SHELLS)}; else the one in $SHELL.")
    ] = "",
) -> None:
    shell: Shell = ctx.obj
    name = shell_name or PurePath(shell.app.env.get("SHELL", "")).name
    if name not in FILES:
        said = f"'{name}' is not a shell that aix knows" if name else "which shell?"
        raise UsageError(said, hint=f"aix completion {'|'.join(SHELLS)}")
    shell.console.out((SCRIPTS / FILES[name]).read_text(encoding="utf-8"))


def complete(ctx: typer.Context, shell_name: str, words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Answer a script: what the last word can become. Whatever goes wrong, a Tab says nothing."""
    from aix.cli.completion.answer import answer  # only a Tab needs it, and every start would pay

    shell: Shell = ctx.obj
    with contextlib.suppress(Exception):
        shell.console.out(answer(shell.app, ctx.find_root().command, shell_name, words or []))
