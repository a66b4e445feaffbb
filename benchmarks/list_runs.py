"""How long it takes to ask a log of many runs, against a log of few: python benchmarks/list_runs.py [RUNS]

Prints seconds for the whole command, the fastest of several times, and the ratio."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from aix.runs.logged import Said
from aix.runs.runlog import RunLog

FEW, MANY = 200, 200_000
TIMES = 7
NOW = int(time.time() * 1000)
YEAR = 365 * 24 * 3600 * 1000
AIX = Path(sys.executable).parent / "aix"
WORDS = tuple(Path(__file__).read_text().replace("(", " ").replace(")", " ").split())
MODELS = (("openai", "gpt-5.5"), ("anthropic", "claude-opus-4-8"), ("groq", "llama-3.3-70b-versatile"))

QUESTIONS = {
    "log list": ("log", "list"),
    "log list --prompt": ("log", "list", "--prompt", "prompt-7"),
    "log list --model": ("log", "list", "--model", "gpt-5.5"),
    "log list --failed": ("log", "list", "--failed"),
    "log show": ("log", "show"),
    "log search (rare)": ("log", "search", "unmistakable"),
    "log search (common)": ("log", "search", "import"),
    "stats --by month": ("stats", "--by", "month"),
    "stats --by day --since 7d": ("stats", "--by", "day", "--since", "7d"),
}


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as few_home, tempfile.TemporaryDirectory() as many_home:
        homes = {FEW: Path(few_home), many: Path(many_home)}
        for count, home in homes.items():
            started = time.monotonic()
            path = filled(home, count)
            size = path.stat().st_size / 2**20
            print(f"{count} runs: {size:.1f} MiB, made in {time.monotonic() - started:.1f} s", flush=True)
        print(f"\n{'':<28}{FEW:>10}{many:>10}{'ratio':>8}")
        for name, arguments in QUESTIONS.items():
            few, more = measured([(home, arguments) for home in homes.values()])
            print(f"{name:<28}{few:>8.3f} s{more:>8.3f} s{more / few:>8.2f}", flush=True)


def filled(home: Path, count: int) -> Path:
    """A log of so many runs of the last year."""
    log = RunLog(home / ".local" / "share" / "aix" / "runs.db")
    with log._writing() as base:  # noqa: SLF001 - one commit for all, as no run is sent
        for number, (row, texts) in enumerate(runs(count), 1):
            names = ", ".join(row)
            base.execute(f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608 - our names
            attempt = (number, 1, row["provider"], row["model"], "", 200, "", 1.5, 0.4, 1)
            base.execute(f"INSERT INTO attempts VALUES ({', '.join('?' * len(attempt))})", attempt)  # noqa: S608 - as many as there are
            base.executemany(
                "INSERT INTO parts (run, message, role, kind, text, media_type, name, data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, *(getattr(part, field.name) for field in fields(Said))) for part in texts],
            )
    return log.path


def runs(count: int) -> Iterator[tuple[dict[str, object], list[Said]]]:
    dice = random.Random(7)  # noqa: S311 - the same runs every time
    for number in range(count):
        provider, model = dice.choice(MODELS)
        asked, answer = (" ".join(dice.choices(WORDS, k=30)) for _ in range(2))
        rare = " unmistakable" if number == count // 2 else ""
        started = NOW - YEAR + YEAR * number // count
        row = {
            "started": started,
            "ended": started + 1500,
            "prompt": f"prompt-{dice.randrange(40)}",
            "layer": "user",
            "digest": f"sha256:{dice.getrandbits(256):064x}",
            "asked": f"{provider}:{model}",
            "provider": provider,
            "model": model,
            "error": "PROVIDER" if dice.random() < 0.02 else None,
            "finish": "stop",
            "input_tokens": dice.randrange(5000),
            "output_tokens": dice.randrange(2000),
            "estimated": 0,
            "cost": dice.randrange(10**10),
            "reported": 0,
            "seconds": 1.5,
            "first_token": 0.4,
            "arguments": '{"topic": "a value of usual length"}',
            "options": '{"temperature": 0.7, "format": "markdown"}',
        }
        yield row, [Said(0, "user", "text", asked + rare), Said(1, "answer", "text", answer)]


def measured(commands: list[tuple[Path, tuple[str, ...]]]) -> list[float]:
    """The seconds of each command, in turn, so that what else the machine does meets all alike."""
    times = [[seconds(home, arguments) for home, arguments in commands] for _ in range(TIMES)]
    return [min(column) for column in zip(*times, strict=True)]


def seconds(home: Path, arguments: tuple[str, ...]) -> float:
    started = time.monotonic()
    subprocess.run([AIX, *arguments], env={**os.environ, "HOME": str(home)}, capture_output=True, check=True)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
