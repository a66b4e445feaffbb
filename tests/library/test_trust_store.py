"""The trust store: what counts as an entry, and that none is lost or torn, whoever writes and whatever goes wrong."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from full import full

from aix.errors import StorageError
from aix.library.trust.store import MAX_TEXTS, Seen, Trusted, TrustStore

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
ENTRY = Trusted(DIGEST, (Seen("p", "user", "/x"),), commands=("date",), files={"p.md": 'ü \x1b {{ sh("date") }}'})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "trust"


@pytest.fixture
def store(folder: Path) -> TrustStore:
    return TrustStore(folder, lambda: 7.5)


@pytest.fixture
def path(store: TrustStore, folder: Path) -> Path:
    """The file of an entry."""
    store.add(ENTRY)
    return folder / f"{'a' * 64}.json"


def test_an_entry_is_kept_as_it_was_and_only_for_its_owner(store: TrustStore, path: Path) -> None:
    assert store.find(DIGEST) == Trusted(DIGEST, ENTRY.seen, 7.5, ENTRY.commands, ENTRY.files)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (DIGEST in store, OTHER in store) == (True, False)


def test_what_is_trusted_no_longer_is_gone(store: TrustStore, path: Path) -> None:
    assert (store.remove(DIGEST), store.remove(DIGEST), DIGEST in store) == (True, False, False)
    store.add(ENTRY)
    assert (store.remove_all(), list(store.all())) == (1, [])


def test_a_content_with_two_names_keeps_both(store: TrustStore, path: Path) -> None:
    store.add(Trusted(DIGEST, (Seen("q", "team"),)))
    assert [entry.seen for entry in store.all()] == [(Seen("q", "team"), Seen("p", "user", "/x"))]
    assert store.last(Seen("p", "user", "/x")) == store.last(Seen("p", "user", "/elsewhere")) == store.find(DIGEST)
    assert store.last(Seen("p", "project", "/x")) is None


def test_a_very_long_content_is_trusted_without_its_text(store: TrustStore) -> None:
    store.add(Trusted(DIGEST, ENTRY.seen, files={"p.md": "\0" * (MAX_TEXTS + 1)}))
    assert (DIGEST in store, store.all().__next__().files) == (True, {})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def swapped(path: Path) -> None:
    path.write_text(path.read_text().replace("a" * 64, "b" * 64))


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def anothers(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 4321, 4321)


def anothers_folder(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(path.parent, 4321, 4321)


def linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("real"))
    path.parent.symlink_to(path.parent.with_name("real"))


FAULTS: list[Callable[[Path], object]] = [
    cut,
    swapped,
    linked,
    a_pipe,
    a_folder,
    anothers,
    anothers_folder,
    linked_folder,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"\xff\xfe"),
    lambda path: path.write_text("[]"),
    lambda path: path.write_text("[" * 100_000),
    lambda path: path.write_text('{"digest": 1, "seen": 1, "since": "x", "commands": 1, "files": []}'),
    lambda path: path.chmod(0o666),
    lambda path: path.parent.chmod(0o777),
]


@pytest.mark.parametrize("spoil", FAULTS)
def test_what_others_may_have_written_or_is_torn_counts_for_nothing(
    spoil: Callable[[Path], object], path: Path, store: TrustStore
) -> None:
    spoil(path)
    assert (DIGEST in store, list(store.all()), store.last(ENTRY.seen[0])) == (False, [], None)


@pytest.mark.parametrize("digest", ["", "a" * 64, "sha256:../x", f"sha256:{'A' * 64}", DIGEST + "\n", DIGEST[:-1]])
def test_only_a_whole_digest_finds_anything(digest: str, path: Path, store: TrustStore) -> None:
    (path.parent.parent / "x.json").write_bytes(path.read_bytes())
    assert digest not in store


def test_a_folder_that_others_can_write_to_is_told_of(path: Path, store: TrustStore) -> None:
    path.parent.chmod(0o777)
    with pytest.raises(StorageError, match="can be written by others"):
        store.add(ENTRY)


def test_a_file_in_the_place_of_the_folder_is_told_of(folder: Path, store: TrustStore) -> None:
    folder.parent.mkdir()
    folder.write_text("")
    with pytest.raises(StorageError):
        store.add(ENTRY)


WRITER = """
import sys
from pathlib import Path
from aix.library.trust.store import Seen, Trusted, TrustStore
store = TrustStore(Path(sys.argv[1]), lambda: 1.0)
name = sys.argv[2]
for at in range(int(sys.argv[3])):
    store.add(Trusted(f"sha256:{at:064x}", (Seen(name, "user"),), files={"p.md": "x" * 1000}))
    print(at, flush=True)
"""


def writer(folder: Path, name: object, count: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(name), str(count)], stdout=subprocess.PIPE, cwd=folder.parent
    )


def test_many_who_trust_at_once_lose_nothing(tmp_path: Path) -> None:
    """They all add names to the same contents."""
    people, contents = full(4, 50), full(3, 20)
    running = [writer(tmp_path / "trust", person, contents) for person in range(people)]
    assert [process.communicate() and process.returncode for process in running] == [0] * people
    entries = list(TrustStore(tmp_path / "trust", float).all())
    assert [len(entry.seen) for entry in entries] == [people] * contents


def test_a_killed_writer_leaves_whole_entries_and_all_that_it_acknowledged(tmp_path: Path) -> None:
    for attempt in range(full(3, 500)):
        folder = tmp_path / str(attempt) / "trust"
        folder.parent.mkdir()
        process = writer(folder, "p", 10_000)
        assert process.stdout
        for _ in range(1 + attempt % 7):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = int(process.stdout.read().decode().split("\n")[-2:][0] or 0)
        process.wait()
        process.stdout.close()
        store = TrustStore(folder, float)
        assert all(f"sha256:{at:064x}" in store for at in range(said))
        assert len(list(store.all())) == len(list(folder.glob("*.json")))
        store.add(ENTRY)
        assert list(folder.glob(".aix-*.tmp")) == []
