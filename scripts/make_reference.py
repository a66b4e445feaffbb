"""What the documents say that the program knows itself: the commands, the providers and the starter prompts.

`scripts/make_reference.py` writes it into docs/; with `--check` it only says what is out of date.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aix.library.layer import Layer
from aix.library.prompt import Prompt
from aix.lint.rules import RULES

ROOT = Path(__file__).parent.parent
COMMANDS = ROOT / "docs" / "commands.md"
MADE = re.compile(r"(<!-- made by scripts/docs: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""A part of a page that is made: the word says which of PARTS."""

HEAD = """<!-- made by scripts/docs from the help of each command: change it there -->
# Commands

Every command with its flags, exactly as `aix COMMAND --help` prints them.

"""


def help_of(*command: str) -> str:
    """The help of a command, as it is in an empty home, 80 columns wide."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [sys.executable, "-m", "aix", *command, "--help"],
            env={"HOME": home, "COLUMNS": "80", "PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            cwd=home,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def commands(text: str) -> list[str]:
    """The names of the commands in a help text, in its order."""
    return re.findall(r"^  ([a-z-]+) {2,}\S", text.partition("Commands:\n")[2], re.MULTILINE)


def reference() -> str:
    """The page of all commands, those with commands of their own before them."""
    with ThreadPoolExecutor() as pool:
        nouns = commands(help_of())
        texts = dict(zip(nouns, pool.map(help_of, nouns), strict=True))
        inner = [f"{noun} {name}" for noun in nouns for name in commands(texts[noun])]
        texts |= zip(inner, pool.map(lambda name: help_of(*name.split()), inner), strict=True)
    names = sorted(texts, key=lambda name: nouns.index(name.split()[0]))
    rows = [f"| [`aix {name}`](#aix-{name.replace(' ', '-')}) | {summary(texts[name])} |" for name in names]
    sections = [f"## aix {name}\n\n```text\n{texts[name].rstrip()}\n```\n" for name in names]
    return HEAD + "\n".join(["| command | does |", "|---|---|", *rows, "", *sections])


def summary(text: str) -> str:
    """The first paragraph of a help text, as one line."""
    return " ".join(text.split("\n\n")[1].split())


def prompts() -> str:
    """The table of the starter prompts."""
    layer = Layer("builtin", ROOT / "prompts")
    found = [layer.prompt(name) for name in sorted(layer.names())]
    rows = ((f"`{each.name}`", each.description, ", ".join(each.tags), ", ".join(named(each))) for each in found)
    return table(("prompt", "what it is for", "tags", "params"), rows)


def providers() -> str:
    """The table of the built-in providers."""
    rows = json.loads((ROOT / "aix" / "data" / "providers.json").read_text())
    cells = (
        (f"`{name}`", key(row), row["base_url"], row.get("default_model") or "none: name one")
        for name, row in rows.items()
    )
    return table(("provider", "key", "address", "default model"), cells)


def rules() -> str:
    """The table of what lint looks for."""
    rows = ((f"`{name}`", rule.severity, rule.says, rule.mend) for name, rule in RULES.items())
    return table(("rule", "", "what is wrong", "what to do"), rows)


def key(row: dict[str, Any]) -> str:
    """Where the key of a provider is looked for in the environment."""
    names = ", ".join(f"`{name}`" for name in row.get("key_env", row.get("moved_key_env", ())))
    return f"{names}, if it wants one" if row.get("key_optional") else names or "none"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def named(prompt: Prompt) -> Iterator[str]:
    """The params: the required ones first, in bold; the one that a pipe fills says so."""
    for param in sorted(prompt.params or (), key=lambda param: not param.required):
        yield (f"**{param.name}**" if param.required else param.name) + (" *(stdin)*" if param.stdin else "")


PARTS: dict[str, Callable[[], str]] = {"prompts": prompts, "providers": providers, "rules": rules}


def renewed(text: str) -> str:
    """A page with each part that is made as it is now."""
    return MADE.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Write what is out of date, or with `--check` name it; the exit status."""
    fresh = {page: renewed(page.read_text()) for page in (ROOT / "docs").glob("*.md")} | {COMMANDS: reference()}
    stale = [path for path, text in fresh.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is out of date" if "--check" in sys.argv else f"wrote {path}")
        if "--check" not in sys.argv:
            path.write_text(fresh[path])
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
