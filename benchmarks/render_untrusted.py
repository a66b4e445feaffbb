"""What it costs to render a prompt that is not trusted in a child of its own: python benchmarks/render_untrusted.py

Prints the median seconds of the whole command, the same prompt trusted and not, in turn in one run, and the ratio."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

TIMES = 15
AIX = Path(sys.executable).parent / "aix"

PROMPTS: Mapping[str, str] = {
    "one line": "Say hello to {{ name }}.",
    "a loop and an include": "{% include '_style.md' %}{% for word in name %}{% user %}{{ word }}{% endfor %}",
    "a large text (1 MiB)": "{{ name }}\n" + "A line of a long text.\n" * 45_000,
    "a large output (9 MiB)": "{{ name * 3_000_000 }}",
    "a pattern": "---\nparams: {name: {pattern: '[A-Z][a-z]+'}}\n---\nSay hello to {{ name }}.",
}


def main() -> None:
    print(f"{'':<28}{'trusted':>12}{'not trusted':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder) / name for name in ("trusted", "stranger")]
        for home in homes:
            fill(home / ".prompts")
        for number, name in enumerate(PROMPTS):
            command = ("run", f"prompt-{number}", "--name", "Ada")
            run(homes[0], ("trust", "--yes", f"prompt-{number}"))
            trusted, stranger = measured(homes, command)
            print(f"{name:<28}{trusted:>10.4f} s{stranger:>12.4f} s{stranger / trusted:>8.2f}", flush=True)


def fill(library: Path) -> None:
    """A library that came from elsewhere, so that nothing in it is trusted."""
    library.mkdir(parents=True)
    (library / "_style.md").write_text("{% system %}Be brief.")
    for number, text in enumerate(PROMPTS.values()):
        (library / f"prompt-{number}.md").write_text(text)


def measured(homes: list[Path], command: tuple[str, ...]) -> list[float]:
    """The median seconds for each home, in turn, so that what else the machine does meets both alike."""
    times = [[seconds(home, command) for home in homes] for _ in range(TIMES)]
    return [median(column) for column in zip(*times, strict=True)]


def seconds(home: Path, command: tuple[str, ...]) -> float:
    started = time.monotonic()
    run(home, command)
    return time.monotonic() - started


def run(home: Path, command: tuple[str, ...]) -> None:
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "CI": "1"}
    subprocess.run([AIX, *command], env=env, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, check=True)


if __name__ == "__main__":
    main()
