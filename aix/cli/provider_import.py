"""`aix provider import`: providers from a TOML file, all of them or none."""

from typing import Annotated, Any

import typer

from aix.cli.options import Shell
from aix.cli.provider_draft import Draft, allow_http, exists, hides_built_in, key_setting, old_row
from aix.config.import_providers import Imported, read
from aix.config.paths import in_home
from aix.errors import UsageError

HELP = """Take over the [[providers]] of a TOML file, such as gptme's.

All of them are written, or none.

\b
  aix provider import ~/.config/gptme/gptme.toml --dry-run
  aix provider import ~/.config/gptme/gptme.toml
"""


def register(noun: typer.Typer) -> None:
    noun.command("import", help=HELP)(import_providers)


def import_providers(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A TOML file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Write nothing; say what would be.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace providers of the same names.")] = False,
) -> None:
    shell: Shell = ctx.obj
    found = read(in_home(file, shell.app.paths.home, shell.app.cwd))
    there = [provider.name for provider in found.providers if exists(shell, provider.name)]
    if there and not force:
        raise UsageError(
            f"there {'is' if len(there) == 1 else 'are'} already {', '.join(there)}", hint="replace with --force"
        )
    drafts = [_draft(provider) for provider in found.providers]
    said = [_said(draft, allow_http(draft, f"the base_url of {draft.name}")) for draft in drafts]
    values: dict[str, Any] = {}
    for draft in drafts:
        draft.provider(shell.app.env)
        values |= draft.values(old_row(shell, draft.name))
    if not dry_run:
        shell.app.settings.save_all(values)
    for draft in drafts:
        shell.console.line(f"{draft.name}\t{draft.row['base_url']}")
    for note in (note for notes in said for note in notes):
        shell.console.note(note)
    for variable in found.passed_over:
        shell.console.note(f"{variable} in [env] is not taken over: set it in your shell, or aix provider add NAME URL")
    count = f"{len(drafts)} provider{'' if len(drafts) == 1 else 's'}"
    if dry_run:
        shell.console.note(f"{count} would be saved; nothing is changed")
        return
    shell.console.note(f"saved {count} in {shell.app.paths.config}")
    shell.console.note(f"next: aix provider test {' '.join(draft.name for draft in drafts)}")


def _draft(provider: Imported) -> Draft:
    more = {key_setting(provider.name): provider.key} if provider.key else {}
    return Draft(provider.name, dict(provider.row), more)


def _said(draft: Draft, http: str) -> list[str]:
    """What is to be known of one that is taken over."""
    notes = [f"{draft.name} takes the place of the built-in {draft.name}"] if hides_built_in(draft.name) else []
    notes += [f"the key of {draft.name} goes to {key_setting(draft.name)}, apart from its row"] if draft.more else []
    return [*notes, *([f"{draft.name}: {http}"] if http else [])]
