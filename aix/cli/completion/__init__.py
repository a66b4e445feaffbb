"""`aix completion`: the script for a shell, and what its script asks on each Tab."""

import contextlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from aix.app import App
from aix.cli.completion.candidates import Desk, Files
from aix.cli.completion.dialects import DIALECTS, OPEN_ENDS
from aix.cli.completion.position import Position
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

SCRIPTS = Path(__file__).parent / "scripts"
FILES = {"bash": "aix.bash", "zsh": "aix.zsh", "fish": "aix.fish", "powershell": "aix.ps1", "pwsh": "aix.ps1"}


def register(cli: typer.Typer) -> None:
    cli.command("completion", help=HELP)(completion)
    cli.command("__complete", hidden=True)(complete)


def completion(
    ctx: typer.Context,
    shell_name: Annotated[
        str, typer.Argument(metavar="[SHELL]", help=f"{', '.join(DIALECTS)}; else the one in $SHELL.")
    ] = "",
) -> None:
    shell: Shell = ctx.obj
    name = shell_name or PurePath(shell.app.env.get("SHELL", "")).name
    if name not in FILES:
        said = f"'{name}' is not a shell that aix knows" if name else "which shell?"
        raise UsageError(said, hint=f"aix completion {'|'.join(DIALECTS)}")
    shell.console.out((SCRIPTS / FILES[name]).read_text(encoding="utf-8"))


def complete(ctx: typer.Context, shell_name: str, words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Answer a script: what the last word can become. Whatever goes wrong, a Tab says nothing."""
    shell: Shell = ctx.obj
    with contextlib.suppress(Exception):
        shell.console.out(answer(shell.app, ctx.find_root().command, shell_name, words or []))


def answer(app: App, root: Any, shell: str, words: Sequence[str]) -> str:
    """The lines that a script reads: the kind, what of the word stays before a file's name, and the values.

    The kind is `files`, `folders`, `words`, or `open` when there is but one value and it goes on.
    """
    dialect = DIALECTS[shell]
    typed = dialect.read(words, app.env)
    position = Position(Desk(app), root)
    for word in typed.before:
        position.take(word)
    found = Files() if typed.redirected else position.complete(typed.word)
    if isinstance(found, Files):
        return f"{'folders' if found.folders_only else 'files'}\n{typed.word[len(typed.head) : found.start]}\n"
    fitting = [candidate for candidate in found if dialect.fits(candidate.value, typed.word)]
    shown = [candidate for candidate in fitting if candidate.value and candidate.value.isprintable()]
    kind = "open" if len(shown) == 1 and shown[0].value.endswith(OPEN_ENDS) else "words"
    return "".join(f"{line}\n" for line in (kind, "", *(dialect.write(candidate, typed) for candidate in shown)))
