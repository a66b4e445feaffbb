"""How long a library of many prompts takes, against one of few: python benchmarks/list_prompts.py [PROMPTS]

Prints the median seconds of the whole command, in a pipe, and the ratio. `cold` is without an index of the library."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

FEW, MANY = 10, 10_000
TIMES, TIMES_COLD = 15, 3
AIX = Path(sys.executable).parent / "aix"
WORDS = tuple(Path(__file__).read_text().translate(str.maketrans("(){}[]\"':#", " " * 10)).split())

WARM = {
    "list": ("list",),
    "list --long": ("list", "--long"),
    "list --json": ("list", "--json"),
    "list --tag (rare)": ("list", "--tag", "unmistakable"),
    "search (in descriptions)": ("search", "unmistakable"),
    "search (nowhere)": ("search", "nowhere-at-all"),
    "run NAME": ("run", "area-1/prompt-1", "--diff", "x"),
    "run NAME (mistyped)": ("run", "area-1/promt-1"),
    "completion of a name": ("__complete", "bash", "--", "aix run area-1/prompt-1", " :=@"),
}
COLD = {"list (cold)": ("list",), "search (cold)": ("search", "unmistakable")}


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder) / str(count) for count in (FEW, many)]
        for home, count in zip(homes, (FEW, many), strict=True):
            fill(home / ".prompts", count)
        time.sleep(2.5)  # a file that has only just been changed is not in the index
        print(f"{'':<28}{FEW:>10}{many:>10}{'ratio':>8}")
        for name, command in COLD.items():
            show(name, measured(homes, command, TIMES_COLD, forget))
        for name, command in WARM.items():
            show(name, measured(homes, command, TIMES, lambda _: None))


def fill(library: Path, count: int) -> None:
    """So many prompts, in folders of a hundred."""
    for number, text in enumerate(texts(count)):
        path = library / f"area-{number // 100 + 1}" / f"prompt-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def texts(count: int) -> Iterator[str]:
    dice = random.Random(7)  # noqa: S311 - the same prompts every time
    for number in range(count):
        said, body = (" ".join(dice.choices(WORDS, k=length)) for length in (8, 80))
        rare = "unmistakable" if number == count // 2 else "usual"
        yield (
            f"---\ndescription: 'A {rare} prompt: {said}'\ntags: [{rare}, code]\nparams:\n"
            "  diff: {type: text, required: true, stdin: true, help: The change to review}\n"
            "  language: {default: python, choices: [python, go, rust]}\n"
            f"---\n{{% raw %}}{body}{{% endraw %}}\n{{{{ diff }}}}\n"
        )


def measured(
    homes: list[Path], command: tuple[str, ...], times: int, before: Callable[[Path], None]
) -> tuple[float, ...]:
    """The median seconds of a command in each home: in turn, so that what else the machine does meets all alike."""
    for home in homes:
        seconds(home, command)
    rows = []
    for _ in range(times):
        row = []
        for home in homes:
            before(home)
            row.append(seconds(home, command))
        rows.append(row)
    return tuple(map(median, zip(*rows, strict=True)))


def forget(home: Path) -> None:
    shutil.rmtree(home / ".cache" / "aix" / "index", ignore_errors=True)


def seconds(home: Path, command: tuple[str, ...]) -> float:
    """Compiled modules are kept, as an installed program has them."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "CI")}
    env = {**kept, "HOME": str(home), "PYTHONPYCACHEPREFIX": str(home.parent / "compiled")}
    started = time.monotonic()
    subprocess.run([AIX, *command], env=env, cwd=home, capture_output=True, check=False)
    return time.monotonic() - started


def show(name: str, row: tuple[float, ...]) -> None:
    few, many = row
    print(f"{name:<28}{few:>8.3f} s{many:>8.3f} s{many / few:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
