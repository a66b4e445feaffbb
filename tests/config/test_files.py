"""Files that are private from birth and never half written, whoever is killed and whatever the disk says."""

import errno
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import AIX, Aix

from aix.config import files, gitignore
from aix.errors import AixError, StorageError, UsageError

KEY = "sk-0123456789abcdefghij"

WRITER = """
import sys
from aix.cli.main import execute
for number in range(int(sys.argv[2])):
    status = execute(["config", f"roles.{sys.argv[1]}-{number}", "x" * int(sys.argv[3])])
    if status:
        sys.exit(status)
    print(number, flush=True)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def temporaries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".aix-*"))


def start_writer(name: str, times: int, size: int) -> subprocess.Popen[str]:
    """A process that makes many changes, and prints the number of each when it is done."""
    command = [sys.executable, "-c", WRITER, name, str(times), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_config_json_is_private_from_birth_and_stays_so(umask: int, home: Path) -> None:
    library, config = home / ".prompts", home / ".prompts" / "config.json"
    for arguments in (["api_keys.openai", KEY], ["stream", "no"], ["--unset", "stream"], ["--reset", "--yes"]):
        subprocess.run([AIX, "config", *arguments], umask=umask, check=True, capture_output=True)
        assert (mode(config), mode(library), mode(library / ".aix.lock")) == (0o600, 0o700, 0o600)
    assert mode(library / ".gitignore") == 0o666 & ~umask
    assert json.loads(config.read_text()) == {"api_keys": {"openai": KEY}}


def test_there_is_no_moment_at_which_a_key_is_readable_by_others(home: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=open,openat,mkdir,mkdirat,/chmod,/rename"]
    if not shutil.which("strace") or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace does not work here")
    for value in (KEY, KEY + "2"):
        subprocess.run([*command, AIX, "config", "api_keys.openai", value], umask=0, check=True, capture_output=True)
        calls = [line for line in trace.read_text().splitlines() if ".prompts" in line and " = -1 " not in line]
        born = [line for line in calls if "O_CREAT" in line and ".gitignore" not in line and "shared" not in line]
        assert len(born) == 2  # the lock and the temporary file
        assert all("O_NOFOLLOW" in line and re.search(r", 0600\)", line) for line in born), born
        assert not [line for line in calls if "chmod" in line and "shared" not in line]
        assert not [line for line in calls if "mkdir" in line and not line.rstrip().endswith("0700) = 0")]


def test_what_is_missing_above_a_private_directory_is_private_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.make_private_directory(tmp_path / "state" / "aix" / "trust")
    made = [tmp_path, tmp_path / "state", tmp_path / "state" / "aix", tmp_path / "state" / "aix" / "trust"]
    assert [mode(path) for path in made] == [0o755, 0o700, 0o700, 0o700]


def test_a_file_that_was_open_to_all_is_private_after_a_change(aix: Aix, library: Path) -> None:
    config = library / "config.json"
    config.write_text('{"stream": false}')
    config.chmod(0o666)
    assert aix("config", "api_keys.openai", KEY).status == 0
    assert mode(config) == 0o600
    assert json.loads(config.read_text()) == {"stream": False, "api_keys": {"openai": KEY}}


def test_what_killed_writers_left_is_swept_by_the_next_one(aix: Aix, library: Path) -> None:
    hour_ago = 1_000_000_000
    for name in (".aix-00.tmp", ".aix-ff.tmp", ".aix-shared-old.tmp", ".aix-shared-young.tmp", "aix-notes.tmp"):
        (library / name).write_text(KEY)
    os.utime(library / ".aix-shared-old.tmp", (hour_ago, hour_ago))
    assert aix("list").status == 0
    assert len(temporaries(library)) == 4  # only a writer holds the lock, so only a writer sweeps
    assert aix("config", "stream", "no").status == 0
    assert temporaries(library) == [".aix-shared-young.tmp"]
    assert (library / "aix-notes.tmp").exists()


def test_concurrent_writers_lose_nothing(home: Path) -> None:
    writers = [start_writer(f"w{number}", 10, 5) for number in range(8)]
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert (writer.returncode, out.split()) == (0, [str(number) for number in range(10)])
    roles = json.loads((home / ".prompts" / "config.json").read_text())["roles"]
    assert sorted(roles) == sorted(f"w{writer}-{number}" for writer in range(8) for number in range(10))
    assert temporaries(home / ".prompts") == []
    assert (home / ".prompts" / ".gitignore").read_text().split() == list(files.IGNORED_BY_GIT)


def test_a_killed_writer_never_leaves_a_torn_file_or_loses_what_it_acknowledged(aix: Aix, home: Path) -> None:
    config, killed = home / ".prompts" / "config.json", 20
    for number in range(killed):
        writer = start_writer(f"w{number}", 100_000, 20_000)
        assert writer.stdout is not None
        for _ in range(1 + number % 4):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        out, _ = writer.communicate(timeout=30)
        acknowledged = int([str(acknowledged), *out.split()][-1])
        assert writer.returncode == -signal.SIGKILL
        roles = json.loads(config.read_text())["roles"]
        assert {f"w{number}-{index}" for index in range(acknowledged + 1)} <= set(roles)
        assert {len(text) for text in roles.values()} == {20_000}
        config.unlink()
    assert aix("config", "stream", "no").status == 0
    assert temporaries(home / ".prompts") == []
    print(f"{killed} kills, 0 torn, 0 acknowledged writes lost")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("mkdir .aix.lock", "is a directory"),
        ("mkdir .gitignore", "is a directory"),
        ("ln -s elsewhere .aix.lock", "too many levels of symbolic links"),
    ],
)
def test_a_library_that_cannot_be_written_is_a_storage_error(broken: str, says: str, aix: Aix, library: Path) -> None:
    config = library / "config.json"
    config.write_text('{"stream": false}')
    subprocess.run(broken.split(), cwd=library, check=True)
    done = aix("config", "api_keys.openai", KEY)
    assert (done.status, done.stdout) == (13, "")
    assert done.stderr.splitlines()[0].startswith(f"aix: error: cannot write {library}")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert config.read_text() == '{"stream": false}'


def test_a_library_that_cannot_be_made_is_a_storage_error(aix: Aix, home: Path) -> None:
    (home / "dangling").symlink_to(home / "nowhere")
    done = aix("config", "stream", "no", env={"AIX_HOME": str(home / "dangling")})
    assert (done.status, done.stdout) == (13, "")
    assert done.stderr == (
        f"aix: error: cannot write {home}/dangling/.gitignore: file exists\n"
        "  hint: what is there is no directory: move it away\n"
    )


def test_a_library_under_a_file_is_said_so(aix: Aix, home: Path) -> None:
    (home / "file").write_text("")
    done = aix("config", "stream", "no", env={"AIX_HOME": str(home / "file")})
    assert (done.status, done.stdout) == (12, "")
    assert done.stderr.startswith(f"aix: error: cannot read {home}/file/config.json: not a directory\n")


@pytest.mark.skipif(files.user_id() == 0, reason="root can write everywhere")
def test_a_read_only_library_is_a_storage_error(aix: Aix, library: Path) -> None:
    library.chmod(0o500)
    try:
        done = aix("config", "stream", "no")
    finally:
        library.chmod(0o700)
    assert (done.status, done.stdout) == (13, "")
    assert "permission denied" in done.stderr


@pytest.mark.parametrize("blocks", [0, 1, 4])
def test_a_full_disk_leaves_the_old_file_whole(blocks: int, home: Path, aix: Aix) -> None:
    assert aix("config", "api_keys.openai", KEY).status == 0
    before = (home / ".prompts" / "config.json").read_bytes()
    done = subprocess.run(
        ["sh", "-c", f'ulimit -f {blocks}; exec "$0" "$@"', AIX, "config", "roles.long", "x" * 8192],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (13, "")
    assert done.stderr == f"aix: error: cannot write {home}/.prompts/config.json: file too large\n"
    assert (home / ".prompts" / "config.json").read_bytes() == before
    assert temporaries(home / ".prompts") == []


def test_a_full_standard_output_is_a_storage_error(aix: Aix, home: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    aix("config", "stream", "no")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([AIX, "config", "--list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 13
    assert done.stderr.startswith("aix: error: cannot write standard output: no space left on device\n")


def test_a_lock_that_is_held_is_waited_for_but_not_for_ever(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.2)
    holding, release = threading.Event(), threading.Event()

    def hold(_: bytes | None) -> bytes:
        holding.set()
        assert release.wait(10)
        return b"first"

    first = threading.Thread(target=files.write_private, args=(library / "state", hold))
    first.start()
    assert holding.wait(10)
    with pytest.raises(StorageError, match="is locked by another aix"):
        files.write_private(library / "state", lambda _: b"second")
    release.set()
    first.join(10)
    assert (library / "state").read_bytes() == b"first"
    files.write_private(library / "state", lambda old: (old or b"") + b" third")
    assert (library / "state").read_bytes() == b"first third"


def test_a_change_that_fails_leaves_nothing_behind(library: Path) -> None:
    def fail(_: bytes | None) -> bytes:
        raise AixError("no")

    files.write_private(library / "state", lambda _: b"old")
    with pytest.raises(AixError):
        files.write_private(library / "state", fail)
    assert (library / "state").read_bytes() == b"old"
    assert temporaries(library) == []


def test_a_shared_file_keeps_its_mode(library: Path) -> None:
    path = library / "deeper" / "notes"
    before = os.umask(0o027)
    try:
        files.write_shared(path, b"one")
        assert mode(path) == 0o640
        path.chmod(0o604)
        files.write_shared(path, b"two")
    finally:
        os.umask(before)
    assert (mode(path), path.read_bytes()) == (0o604, b"two")


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(library: Path) -> None:
    (library / "notes").mkdir()
    with pytest.raises(StorageError, match="is a directory"):
        files.write_shared(library / "notes", b"one")
    assert [path.name for path in library.iterdir()] == ["notes"]


def test_of_many_who_create_a_file_one_wins_and_the_others_are_told(library: Path) -> None:
    results: list[bytes | None] = [None] * 8
    barrier = threading.Barrier(8)

    def create(number: int) -> None:
        barrier.wait(10)
        try:
            files.create_shared(library / "one.md", str(number).encode())
            results[number] = str(number).encode()
        except UsageError:
            pass

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    winners = [text for text in results if text is not None]
    assert winners == [(library / "one.md").read_bytes()]
    assert [path.name for path in library.iterdir()] == ["one.md"]


def move(library: Path, new: str) -> str:
    """Move `one.md`, or what is said against it."""
    try:
        files.move_shared(library / "one.md", library / new)
    except AixError as error:
        return error.message.replace(f"{library}/", "")
    return ""


def texts(library: Path) -> dict[str, str]:
    return {str(path.relative_to(library)): path.read_text() for path in library.rglob("*") if path.is_file()}


def test_a_file_is_moved_and_never_onto_another(library: Path) -> None:
    (library / "one.md").write_text("one")
    (library / "two.md").write_text("two")
    assert move(library, "two.md") == "two.md exists already"
    assert texts(library) == {"one.md": "one", "two.md": "two"}
    assert move(library, "deep/down/new.md") == ""
    assert texts(library) == {"deep/down/new.md": "one", "two.md": "two"}
    assert move(library, "again.md") == "one.md was moved or deleted by somebody else meanwhile"
    assert texts(library) == {"deep/down/new.md": "one", "two.md": "two"}


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_where_there_are_no_hard_links_it_is_moved_too(
    code: int, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(old: Path, new: Path, **_: bool) -> None:
        raise OSError(code, os.strerror(code), str(new))

    monkeypatch.setattr(os, "link", refuse)
    (library / "one.md").write_text("one")
    (library / "two.md").write_text("two")
    assert move(library, "two.md") == "two.md exists already"
    assert move(library, "new.md") == ""
    assert texts(library) == {"new.md": "one", "two.md": "two"}


def test_of_many_who_move_a_file_one_wins_and_the_others_are_told(library: Path) -> None:
    (library / "one.md").write_text("one")
    said = [""] * 8
    barrier = threading.Barrier(8)

    def race(number: int) -> None:
        barrier.wait(10)
        said[number] = move(library, f"{number}.md")

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(said) == ["", *["one.md was moved or deleted by somebody else meanwhile"] * 7]
    assert texts(library) == {f"{said.index('')}.md": "one"}


@pytest.mark.parametrize("old", [None, b"old"])
def test_an_answer_replaces_its_file_only_when_it_is_kept(old: bytes | None, home: Path) -> None:
    path = home / "answer.md"
    if old is not None:
        path.write_bytes(old)
    answer = files.Answer(path)
    assert answer.keep_partial("") is None
    assert answer.keep_partial("half") == home / "answer.md.partial"
    assert (path.read_bytes() if path.exists() else None) == old
    answer.keep("wholé")
    assert path.read_text() == "wholé"
    assert sorted(found.name for found in home.iterdir()) == ["answer.md", "answer.md.partial"]


@pytest.mark.parametrize(("name", "says"), [(".", "is a directory"), ("no/such/file", "does not exist")])
def test_an_answer_that_could_not_be_kept_is_refused_before_it_costs(name: str, says: str, home: Path) -> None:
    with pytest.raises(UsageError, match=says):
        files.Answer(home / name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, b"config.json\n.aix-*.tmp\n.aix.lock\n*.md.broken\n"),
        (b"", b"config.json\n.aix-*.tmp\n.aix.lock\n*.md.broken\n"),
        (b"*.bak\nconfig.json\n", b"*.bak\nconfig.json\n.aix-*.tmp\n.aix.lock\n*.md.broken\n"),
        (b"# mine\r\n\xff\xfe", b"# mine\r\n\xff\xfe\nconfig.json\n.aix-*.tmp\n.aix.lock\n*.md.broken\n"),
        (b"*.md.broken\n.aix.lock\n.aix-*.tmp\nconfig.json", b"*.md.broken\n.aix.lock\n.aix-*.tmp\nconfig.json"),
        (b"!config.json\n", b"!config.json\nconfig.json\n.aix-*.tmp\n.aix.lock\n*.md.broken\n"),
    ],
)
def test_gitignore_gets_the_lines_that_it_lacks_and_keeps_its_own(old: bytes | None, new: bytes, library: Path) -> None:
    if old is not None:
        (library / ".gitignore").write_bytes(old)
    for _ in range(2):
        gitignore.ignore_private_files(library)
        assert (library / ".gitignore").read_bytes() == new
