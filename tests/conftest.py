"""What every test stands on: an empty home, no keys in the environment, and no network beyond loopback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
AIX = Path(sys.executable).parent / "aix"
KEPT = ("PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")

sys.path.insert(0, str(TESTS / "guard"))
import sitecustomize  # noqa: E402, F401 - the guard of this process is the guard of all others


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind. `status` is negative when a signal ended it."""

    stdout: str
    stderr: str
    status: int


Aix = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory of the test's own, in which it also runs; nothing of the real environment is left."""
    for name in list(os.environ):
        if name not in KEPT and not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "guard"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(folder)
    yield folder


@pytest.fixture
def library(home: Path) -> Path:
    """The user's library, empty."""
    folder = home / ".prompts"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def aix(home: Path) -> Aix:
    """Run the real command: `aix("run", "hello", stdin="…", env={…})`. stdin is /dev/null unless it is given."""

    def run(
        *arguments: str,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [AIX, *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            env={**os.environ, **(env or {})},
            cwd=cwd or home,
            timeout=timeout,
            check=False,
        )
        return Result(done.stdout.decode(), done.stderr.decode(), done.returncode)

    return run
