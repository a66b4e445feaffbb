"""What becomes of the run log when processes are killed, files are broken, and the system refuses."""

import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import AIX, Aix

from aix.errors import StorageError
from aix.llm.exchange import Attempt
from aix.runs import logfile
from aix.runs.logged import Choice, Said
from aix.runs.migrations import migrate, steps
from aix.runs.runlog import RunLog

KILLS = int(os.environ.get("AIX_KILLS", "25"))
"""How often processes are killed; the whole promise is 100."""

ROW: dict[str, Any] = {
    "started": 1000,
    "prompt": "greet",
    "layer": "user",
    "digest": "sha256:0",
    "asked": "acme:m-1",
    "provider": "acme",
    "model": "m-1",
    "estimated": 1,
    "reported": 0,
}
ENDED = {"ended": 2000, "arguments": "{}", "options": "{}"}
ASK = ("run", "ask", "-x", "--provider", "echo")
ANSWER = "echo was asked:\n\n[user]\nHello\n"


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "data" / "runs.db")


@pytest.fixture
def file(home: Path, library: Path) -> Path:
    """Where the log of the command is; there is a prompt to run, and no log yet."""
    (library / "ask.md").write_text("Hello")
    place = home / ".local" / "share" / "aix" / "runs.db"
    place.parent.mkdir(parents=True, mode=0o700)
    return place


# Processes that are killed


@contextmanager
def killed(dice: random.Random, work: Callable[[Callable[[str], None]], None]) -> Iterator[list[str]]:
    """What a process said until it was killed, at some moment after its first few lines: `work` is given what says
    one."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        try:
            work(lambda line: void(os.write(into, f"{line}\n".encode())))
        finally:
            os._exit(1)
    os.close(into)
    with open(out) as pipe:
        said = [pipe.readline() for _ in range(dice.randrange(4))]
        time.sleep(dice.uniform(0, 0.02))  # not for something to happen: it is the moment of the kill
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        yield [line.strip() for line in (*said, *pipe) if line]


def void(_: object) -> None:
    pass


def writing(log: RunLog) -> Callable[[Callable[[str], None]], None]:
    """Begin and end runs for ever, and say each that stands."""

    def work(say: Callable[[str], None]) -> None:
        while True:
            number = log.begin(ROW)
            say(f"begun {number}")
            texts = [Said(0, "user", "text", f"word {number} " * 500), Said(1, "answer", "text", "answer")]
            log.end(number, ENDED, [Attempt("acme", "m-1", 200, "", 1.0)], texts)
            say(f"ended {number}")

    return work


def boasting(log: RunLog) -> Callable[[Callable[[str], None]], None]:
    """The same, broken: it says that a run stands before it does."""

    def work(say: Callable[[str], None]) -> None:
        for number in range(log.begin(ROW) + 1, sys.maxsize):
            say(f"begun {number}")
            time.sleep(0.05)
            log.begin(ROW)

    return work


def lost(log: RunLog, said: list[str]) -> int:
    """How many runs are not as they were acknowledged, or not whole."""
    known = {run.id: run for run in log.list(Choice())}
    missing = 0
    for line in said:
        word, number = line.split()
        run = known.get(int(number))
        missing += run is None or (word == "ended" and run.ended is None)
    for run in known.values():
        whole = (1, 2) if run.ended else (0, 0)
        missing += (len(log.attempts(run.id)), len(log.said(run.id))) != whole
    return missing


def test_nothing_acknowledged_is_lost_when_writers_are_killed(log: RunLog) -> None:
    dice, said = random.Random(5), list[str]()
    for _ in range(KILLS):
        with killed(dice, writing(log)) as lines:
            said += lines
    with log.reading() as base:
        assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        base.execute("SELECT count(*) FROM words WHERE words MATCH 'answer'").fetchone()
    print(f"{KILLS} kills, {len(said)} acknowledged, {lost(log, said)} lost")
    assert (len(said) > KILLS, lost(log, said)) == (True, 0)


def test_a_writer_that_boasts_is_found_out(log: RunLog) -> None:
    dice, said = random.Random(5), list[str]()
    for _ in range(8):
        with killed(dice, boasting(log)) as lines:
            said += lines
    assert lost(log, said) > 0


def test_a_migration_that_is_killed_is_a_whole_number_of_steps(tmp_path: Path) -> None:
    dice, path = random.Random(6), tmp_path / "runs.db"
    script = "CREATE TABLE t{0} (x) STRICT;\nINSERT INTO t{0} VALUES ({1});\n"
    rows = ", ".join(["(randomblob(200))"] * 300).removeprefix("(").removesuffix(")")
    made = tuple(script.format(number, rows).replace("(x)", "(x BLOB)") for number in range(40))
    versions = set()
    for kill in range(KILLS):
        if kill % 5 == 0:
            path.unlink(missing_ok=True)

        def work(say: Callable[[str], None]) -> None:
            with closing(sqlite3.connect(path, isolation_level=None)) as base:
                base.set_trace_callback(lambda line: say(line) if line == "COMMIT" else None)
                migrate(base, made)

        with killed(dice, work), closing(sqlite3.connect(path, isolation_level=None)) as base:
            version = base.execute("PRAGMA user_version").fetchone()[0]
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master ORDER BY rowid")]
            assert tables == [f"t{number}" for number in range(version)]
            assert all(base.execute(f"SELECT count(*) FROM {name}").fetchone()[0] == 300 for name in tables)
            versions.add(version)
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        migrate(base, made)
        assert base.execute("PRAGMA user_version").fetchone()[0] == len(made)
    print(f"{KILLS} kills, met at versions {sorted(versions)}")
    assert len(versions) > 3


def test_a_step_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "runs.db", isolation_level=None)) as base:
        good = "CREATE TABLE a (x);\n"
        with pytest.raises(sqlite3.Error):
            migrate(base, (good, "CREATE TABLE b (x);\nCREATE TABLE a (x);\n"))
        tables = base.execute("SELECT group_concat(name) FROM sqlite_master").fetchone()[0]
        assert (tables, base.execute("PRAGMA user_version").fetchone()[0]) == ("a", 1)
        migrate(base, (good, "CREATE TABLE b (x);\n"))


def test_twenty_processes_lose_no_run_of_each_other(log: RunLog) -> None:
    children = []
    for _ in range(20):
        child = os.fork()
        if not child:
            status = 1
            try:
                for _ in range(5):
                    log.end(log.begin(ROW), ENDED, [], [Said(0, "user", "text", "word")])
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 20
    runs = log.list(Choice())
    assert (len(runs), all(run.ended for run in runs), len(log.search("word", 1000))) == (100, True, 100)


# Files that are none


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.executescript("CREATE TABLE runs (x); PRAGMA user_version = 2;")


def truncated(path: Path) -> None:
    RunLog(path).begin(ROW)
    path.write_bytes(path.read_bytes()[:5000])


def garbled(path: Path) -> None:
    """Sound at its beginning: only what ends a run meets the damage."""
    log = RunLog(path)
    log.end(log.begin(ROW), ENDED, [], [Said(0, "user", "text", "word")])
    with log.reading() as base:
        place = base.execute("SELECT rootpage FROM sqlite_master WHERE name = 'parts'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[4096 * (place - 1) : 4096 * place] = b"\xff" * 4096
    path.write_bytes(data)


BROKEN: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("not a database, but long enough to be taken for one" * 100),
    "zeroes": lambda path: path.write_bytes(b"\0" * 8192),
    "foreign": foreign,
    "truncated": truncated,
    "garbled": garbled,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_set_aside_and_the_run_is_logged(file: Path, name: str, aix: Aix) -> None:
    BROKEN[name](file)
    before = file.read_bytes()
    done = aix(*ASK)
    assert (done.status, done.stdout, done.stderr.count("warning")) == (0, ANSWER, 1)
    [aside] = file.parent.glob("runs.db.broken-*")
    assert str(aside) in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert name == "garbled" or aside.read_bytes() == before
    run = RunLog(file).get(None)
    assert (run.prompt, run.error, bool(run.ended), len(RunLog(file).said(run.id))) == ("ask", None, True, 2)
    assert aix(*ASK).stderr == ""


def test_what_was_set_aside_is_never_overwritten_and_takes_its_journal_along(log: RunLog) -> None:
    for number in range(3):
        log.path.parent.mkdir(exist_ok=True)
        log.path.write_text(f"broken {number} " * 1000)
        journal = log.path.with_name("runs.db-journal")
        with pytest.raises(StorageError) as met:
            log.begin(ROW)
        assert met.value.reason == logfile.DAMAGED
        journal.write_text(f"journal {number}")
        assert (log.set_aside() or journal).is_file()
        assert (log.set_aside(), journal.exists()) == (None, False)
    kept = sorted(path.read_text()[:8] for path in log.path.parent.glob("*.broken-*") if "journal" not in path.name)
    assert kept == ["broken 0", "broken 1", "broken 2"]
    journals = sorted(path.read_text() for path in log.path.parent.glob("*.broken-*-journal"))
    assert journals == ["journal 0", "journal 1", "journal 2"]


def test_of_two_that_met_the_same_broken_file_one_sets_it_aside(log: RunLog) -> None:
    other = RunLog(log.path)
    log.path.parent.mkdir()
    log.path.write_text("broken" * 1000)
    for one in (log, other):
        with pytest.raises(StorageError):
            one.begin(ROW)
    assert log.set_aside()
    number = log.begin(ROW)
    assert other.set_aside() is None
    assert (other.get(None).id, other.begin(ROW)) == (number, number + 1)


@pytest.mark.parametrize("name", ["text", "foreign", "truncated"])
def test_nothing_is_sent_where_limits_need_a_broken_log(file: Path, library: Path, name: str, aix: Aix) -> None:
    (library / "config.json").write_text('{"limits": [{"calls": 5, "per": "day"}]}')
    BROKEN[name](file)
    before = file.read_bytes()
    done = aix(*ASK)
    assert (done.status, done.stdout) == (13, "")
    assert f"mv {file} " in done.stderr
    assert (file.read_bytes(), list(file.parent.glob("*.broken-*"))) == (before, [])


def test_a_file_of_a_newer_aix_is_left_alone(file: Path, aix: Aix) -> None:
    RunLog(file).begin(ROW)
    with closing(sqlite3.connect(file)) as base:
        base.execute(f"PRAGMA user_version = {len(steps()) + 1}")
    before = file.read_bytes()
    done = aix(*ASK)
    assert (done.status, done.stdout, file.read_bytes()) == (0, ANSWER, before)
    assert done.stderr == "aix: warning: this run might not be logged: the run log is of a newer aix\n"
    assert aix("log", "list").status == 13


# What stands in its place, whose it is, and who may read it


@pytest.mark.parametrize("what", ["link", "directory", "pipe"])
def test_what_stands_in_its_place_is_left_alone(file: Path, tmp_path: Path, what: str, aix: Aix) -> None:
    make: dict[str, Callable[[], object]] = {
        "link": lambda: file.symlink_to(tmp_path / "elsewhere"),
        "directory": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
    }
    make[what]()
    done = aix(*ASK)
    assert (done.status, done.stdout) == (0, ANSWER)
    assert done.stderr == f"aix: warning: this run might not be logged: the run log {file} is a {what}, not a file\n"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_nobody_else_can_read_it_whatever_the_umask(log: RunLog, umask: int) -> None:
    log.path.parent.mkdir(mode=0o700)
    seen = {}

    def look(_: sqlite3.Connection) -> None:
        seen.update({path.name: stat.S_IMODE(path.stat().st_mode) for path in log.path.parent.iterdir()})

    def change(base: sqlite3.Connection) -> None:
        base.execute("UPDATE runs SET ended = 5")
        look(base)

    old = os.umask(umask)
    try:
        number = log.begin(ROW, look)
        log.change(number, {"ended": 1}, change)
    finally:
        os.umask(old)
    assert seen == {"runs.db": 0o600, "runs.db-journal": 0o600}


def traced(trace: Path, *options: str) -> list[Path | str]:
    """How a command is run so that its system calls are written down, or fail."""
    command: list[Path | str] = ["strace", "-f", "-o", trace, *options]
    if not shutil.which("strace") or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace does not work here")
    return command


def test_there_is_no_moment_at_which_others_can_read_it(log: RunLog, tmp_path: Path) -> None:
    log.path.parent.mkdir()
    log.path.parent.chmod(0o777)
    script = f"from pathlib import Path; from aix.runs.runlog import RunLog; log = RunLog(Path({str(log.path)!r}));"
    script += f"log.end(log.begin({ROW}), {ENDED}); log.prune(5000, whole=True)"
    trace, modes, changed = tmp_path / "trace", dict[str, str](), list[str]()
    command = traced(trace, "-e", "trace=open,openat,/unlink,/chmod,/rename")
    subprocess.run([*command, sys.executable, "-c", script], umask=0, check=True)
    for line in trace.read_text().splitlines():
        if " = -1 " in line or not (name := re.search(r"/(runs\.db[^/\"]*)\"", line)):
            continue
        if "O_CREAT" in line:  # what stands there keeps its mode
            modes.setdefault(name[1], line.rpartition(")")[0][-4:])
        elif "unlink" in line:
            del modes[name[1]]
        elif "O_" not in line:
            changed.append(line)
        assert set(modes.values()) <= {"0600"}, line
    assert (list(modes), changed) == (["runs.db"], [])


def test_a_file_that_others_could_read_is_closed_to_them(log: RunLog) -> None:
    log.begin(ROW)
    log.path.chmod(0o664)
    log.begin(ROW)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away, and be somebody else")
@pytest.mark.parametrize(
    ("theirs", "said"), [("file", "belongs to another user"), ("folder", "is in a directory that cannot be written")]
)
def test_what_belongs_to_another_user_is_said(tmp_path: Path, theirs: str, said: str) -> None:
    log = RunLog(tmp_path / "data" / "runs.db")
    log.begin(ROW)
    os.chown(log.path, 12345 if theirs == "folder" else 0, 0)
    log.path.parent.chmod(0o755)
    child = os.fork()
    if not child:
        status = 1
        try:
            for place in (log.path.parent, *log.path.parent.parents):
                place.chmod(place.stat().st_mode | 0o055) if place != place.parent else None
            os.setuid(12345)
            log.begin(ROW)
        except StorageError as error:
            status = 0 if said in error.message and error.hint else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_what_is_acknowledged_is_on_the_disk_when_the_power_goes(log: RunLog) -> None:
    """A killed process cannot tell, as the system writes what it left behind; so this is asked of SQLite itself."""
    log.begin(ROW)
    with logfile.opened(log.path) as base:
        asked = ("synchronous", "journal_mode", "secure_delete")
        assert [base.execute(f"PRAGMA {name}").fetchone()[0] for name in asked] == [3, "delete", 1]


def test_a_lock_that_is_held_is_waited_for_and_then_said(log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.begin(ROW)
    monkeypatch.setattr(logfile, "LOCK_SECONDS", 0.3)
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for ask in (lambda: log.begin(ROW), lambda: log.list(Choice())):
            with pytest.raises(StorageError, match="is held by another process"):
                ask()
    assert len(log.list(Choice())) == 1


@pytest.mark.parametrize("size", [0, 4096, 60_000])
def test_a_full_disk_costs_no_answer(file: Path, size: int) -> None:
    """A limit on the size of files stands for the disk: what is over it cannot be written."""
    line = f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    line += "from aix.cli.main import execute\nsys.exit(execute(sys.argv[1:]))"
    big = ["-p", f"x={'word ' * 4000}"]
    (file.parents[3] / ".prompts" / "ask.md").write_text("{{ x }}")
    done = subprocess.run([sys.executable, "-c", line, *ASK, *big], capture_output=True, text=True, check=False)
    assert (done.returncode, "word word" in done.stdout, "Traceback" in done.stderr) == (0, True, False)
    assert "logged: the run log " in done.stderr
    if size < 60_000:
        return
    assert RunLog(file).get(None).ended is None  # it was begun, with what it was expected to take
    assert not list(file.parent.glob("*.broken-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is small")
@pytest.mark.parametrize("free", [0, 12])
def test_a_full_disk_leaves_the_old_log_whole(file: Path, free: int, aix: Aix) -> None:
    """`free` is how many pages there is room for; after 12 what came of the run has none."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(file.parent)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        log = RunLog(file)
        log.end(log.begin({**ROW, "started": int(time.time() * 1000)}), ENDED, [], [Said(0, "user", "text", "word")])
        (file.parents[3] / ".prompts" / "ask.md").write_text("{{ x }}")
        left = os.statvfs(file.parent).f_bavail - free
        (file.parent / "rest").write_bytes(b"x" * 4096 * left)
        done = aix(*ASK, "-p", f"x={'word ' * 8000}")
        assert (done.status, "word word" in done.stdout, done.stderr.count("\n")) == (0, True, 1)
        assert re.match("aix: warning: .* might not be logged: the run log .* no space left on the disk", done.stderr)
        with log.reading() as base:
            assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert [run.ended for run in log.list(Choice())] == ([None, 2000] if free == 12 else [2000])
        assert len(log.search("word", 9)) == 1
    finally:
        subprocess.run(["umount", str(file.parent)], check=True)


def test_a_disk_that_fails_at_the_very_end_has_nothing_said_that_is_not_so(file: Path, tmp_path: Path) -> None:
    """It is after the journal went that the disk fails: the run stands there, but for how long nobody knows."""
    RunLog(file).begin(ROW)
    command = traced(tmp_path / "trace", "-e", "inject=/^f(data)?sync$:error=EIO:when=5")
    done = subprocess.run([*command, AIX, *ASK], capture_output=True, text=True, check=False)
    warning = f"aix: warning: this run might not be logged: the run log {file} cannot be written: the disk refuses"
    assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER, f"{warning}, or is full\n")
    assert [run.prompt for run in RunLog(file).list(Choice())] == ["ask", "greet"]
