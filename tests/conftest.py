"""What every test stands on: an empty home, no keys in the environment, and no network beyond loopback."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, settings
from warm import Warm

TESTS = Path(__file__).parent
AIX = Path(sys.executable).parent / "aix"
"""The installed command, which tests of its start, of signals and of several at once use."""
WARM = Warm(AIX)
"""The same without the time that it takes to start."""
settings.register_profile("aix", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aix")  # how fast the machine is at the moment is no property of the program
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & has it ignored, by the commands under test too
KEPT = ("PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")

sys.path.insert(0, str(TESTS / "guard"))
import sitecustomize  # noqa: E402, F401 - the guard of this process is the guard of all others


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind. `status` is negative when a signal ended it; `memory` is in MiB, the most it used."""

    stdout: str
    stderr: str
    status: int
    memory: float = field(default=0.0, compare=False, repr=False)


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


@contextmanager
def _piped(data: bytes | None) -> Iterator[int]:
    """A descriptor to read the data from, as from a pipe; /dev/null where there is none."""
    if data is None:
        with open(os.devnull, "rb") as nothing:
            yield nothing.fileno()
        return
    out, into = os.pipe()

    def write() -> None:
        with suppress(BrokenPipeError), open(into, "wb") as pipe:
            pipe.write(data)

    writer = Thread(target=write)
    writer.start()
    try:
        yield out
    finally:
        os.close(out)
        writer.join()


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """The process that becomes each command ends with the tests."""
    with WARM:
        yield


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
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _piped(data) as into:
            running = WARM.run(
                arguments, {**os.environ, **(env or {})}, cwd or home, [into, out.fileno(), err.fileno()]
            )
            status = running.wait(timeout)
            for stream in (out, err):
                stream.seek(0)
            return Result(out.read().decode(), err.read().decode(), status, running.memory)

    return run
