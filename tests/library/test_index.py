"""The index says what the files say, whatever was done to them and to it, and spares reading what has not changed."""

import hashlib
import os
import random
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Aix
from full import full

import aix as package
from aix.library import index as module
from aix.library.index import LEAST, Entry, Index
from aix.library.layer import Layer

opened: list[str] = []
watched: list[str] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and watched and isinstance(arguments[0], str | os.PathLike):
        path = os.fspath(arguments[0])
        if str(path).startswith(watched[0]):
            opened.append(str(path))


sys.addaudithook(_note)  # there is no way to take one back, so it looks only where it is told to


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    for number in range(6):
        write(folder / f"area-{number % 2}" / f"p{number}.md", f"About {number}", "code, review")
    settle(tmp_path)
    return folder


def write(path: Path, description: str, tags: str = "code") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ndescription: {description}\ntags: [{tags}]\nmodel: strong\n---\n{{{{ x }}}}\n")


def settle(folder: Path) -> None:
    """Wait until the file system's clock has gone on, so that a later change has another time."""
    probe = folder / "probe"
    probe.touch()
    since = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == since:
        os.utime(probe)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "cache" / "index", least=0, racy=0)


def entries(index: Index, root: Path) -> dict[str, Entry]:
    return {entry.name: entry for entry in index.entries(Layer("user", root))}


def plain(root: Path) -> dict[str, Entry]:
    return entries(Index(), root)


def file_of(index: Index) -> Path:
    assert index.folder
    [path] = index.folder.glob("*.json")
    return path


def reads(index: Index, root: Path) -> list[str]:
    """The prompt files that are opened by asking for the entries."""
    opened.clear()
    watched.append(str(root) + os.sep)
    try:
        index.entries(Layer("user", root))
    finally:
        watched.clear()
    return [name for name in dict.fromkeys(opened) if name.endswith(".md")]


# What is read


def test_what_has_not_changed_is_not_opened_and_what_has_is_opened_alone(index: Index, root: Path) -> None:
    assert len(reads(index, root)) == 6
    assert reads(index, root) == []
    changed = root / "area-1" / "p3.md"
    write(changed, "Another")
    settle(root.parent)
    assert reads(index, root) == [str(changed)]
    assert reads(index, root) == []
    assert entries(index, root)["area-1/p3"].description == "Another"


def test_a_file_that_has_only_just_changed_is_read_again(index: Index, root: Path) -> None:
    assert index.folder
    careful = Index(index.folder, least=0)
    assert [len(reads(careful, root)) for _ in range(2)] == [6, 6]


def test_a_few_prompts_have_no_index(index: Index, root: Path) -> None:
    assert index.folder
    Index(index.folder, racy=0).entries(Layer("user", root))
    assert not index.folder.exists()


# It says what the files say


def _change(path: Path, dice: random.Random) -> None:
    write(path, f"Changed {dice.random()}", dice.choice(["a", "a, b", "c"]))


def _change_unseen(path: Path, _: random.Random) -> None:
    """Another text of the same size, and the time put back."""
    was = path.stat()
    path.write_bytes(path.read_bytes()[::-1].replace(b"---", b"===")[::-1])
    data = path.read_bytes().replace(b"===", b"---").replace(b"o", b"0")
    path.write_bytes(data)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _replace_unseen(path: Path, dice: random.Random) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    _change_unseen(other, dice)
    was = path.stat()
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(path)


def _rename(path: Path, dice: random.Random) -> None:
    path.rename(path.with_name(f"r{dice.randrange(5)}.md"))


def _swap(path: Path, dice: random.Random) -> None:
    """A file comes where another was, with its times."""
    other = path.with_name(f"s{dice.randrange(3)}.md")
    path.rename(other)
    write(path, "new")


def _break(path: Path, _: random.Random) -> None:
    path.write_bytes(b"---\nparams: 1\n---\n")


def _link_out(path: Path, _: random.Random) -> None:
    outside = path.parents[2] / "outside.md"
    write(outside, "SECRET")
    path.unlink()
    path.symlink_to(outside)


def _link_in(path: Path, _: random.Random) -> None:
    target = path.with_name(f"of-{path.name}")
    target.write_text("target")
    path.unlink()
    path.symlink_to(target.name)


def _rename_folder(path: Path, dice: random.Random) -> None:
    with suppress(OSError):  # there is one of that name
        path.parent.rename(path.parents[1] / f"area-{dice.randrange(100)}")


Change = Callable[[Path, random.Random], None]
CHANGES: tuple[Change, ...] = (
    _change,
    _change_unseen,
    _replace_unseen,
    _rename,
    _swap,
    _break,
    _link_out,
    _link_in,
    _rename_folder,
    lambda path, _: path.unlink(),
    lambda path, _: path.chmod(0o640),
    lambda path, dice: write(path.with_name(f"n{dice.randrange(9)}.md"), "New"),
    lambda path, _: write(path.parent / "deep" / "x.md", "Deep"),
)


def _differences(index: Index, root: Path, seed: int, steps: int) -> Iterator[int]:
    """The steps after which the entries with the index are others than without it."""
    dice = random.Random(seed)
    for step in range(steps):
        paths = sorted(path for path in root.rglob("*.md") if path.is_file())
        if not paths:
            return
        dice.choice(CHANGES)(dice.choice(paths), dice)
        settle(root.parent)
        if entries(index, root) != plain(root):
            yield step


@pytest.mark.parametrize("seed", range(full(4, 200)))
def test_after_any_change_it_says_what_the_files_say(index: Index, root: Path, seed: int) -> None:
    assert list(_differences(index, root, seed, steps=25)) == []


def test_an_index_that_goes_by_time_and_size_alone_would_be_caught(
    index: Index, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weak(file: os.DirEntry[str]) -> list[int]:
        status = file.stat(follow_symlinks=False)
        return [status.st_mtime_ns, 0, status.st_size, 0]

    monkeypatch.setattr(module, "_stamp", weak)
    index.entries(Layer("user", root))
    _change_unseen(root / "area-0" / "p0.md", random.Random(1))
    assert entries(index, root) != plain(root)


# It is never believed blindly


def _lie(path: Path, root: Path, word: str, other: str, version: str = package.__version__) -> None:
    """Another word in an index, as an aix of that version would have written it of that folder."""
    data = path.read_text().partition("\n")[2].replace(word, other)
    digest = hashlib.sha256(f"{module.FORMAT} {version} {root}\n{data}".encode()).hexdigest()
    path.write_text(f"{digest}\n{data}")


def _put_in_place(path: Path, make: Callable[[], None]) -> None:
    path.rename(path.with_name("away"))
    make()


BAD: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_text(""),
    "cut off": lambda path: path.write_text(path.read_text()[:-20]),
    "no JSON": lambda path: path.write_bytes(b"\x80\x04pickle"),
    "a list": lambda path: path.write_text("[]"),
    "very deep": lambda path: path.write_text("[" * 100_000),
    "of another folder": lambda path: _lie(path, path.parent, "About", "About"),
    "of another version": lambda path: _lie(path, path.parent, "About", "About", version="9"),
    "without a digest": lambda path: path.write_text(path.read_text().partition("\n")[2]),
    "another letter": lambda path: path.write_text(path.read_text().replace("About 3", "About 4")),
    "another name": lambda path: path.write_text(path.read_text().replace("area-0/p0", "../../etc")),
    "of others": lambda path: path.chmod(0o666),
    "a link": lambda path: _put_in_place(path, lambda: path.symlink_to("away")),
    "a pipe": lambda path: _put_in_place(path, lambda: os.mkfifo(path)),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_a_bad_index_is_thrown_away(index: Index, root: Path, spoil: Callable[[Path], object]) -> None:
    index.entries(Layer("user", root))
    path = file_of(index)
    good = path.read_text()
    spoil(path)
    assert entries(index, root) == plain(root)
    assert (path.read_text(), stat.S_IMODE(path.lstat().st_mode)) == (good, 0o600)


def test_only_the_user_can_read_it(index: Index, root: Path) -> None:
    index.entries(Layer("user", root))
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file_of(index), file_of(index).parent)] == [0o600, 0o700]


def test_one_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, root: Path) -> None:
    (tmp_path / "file").touch()
    assert entries(Index(tmp_path / "file" / "index", least=0, racy=0), root) == plain(root)


def test_several_that_write_at_the_same_time_leave_a_whole_one(index: Index, root: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: entries(index, root), range(16)))
    assert all(one == plain(root) for one in found)
    assert reads(index, root) == []


def test_a_long_description_is_not_kept(index: Index, root: Path) -> None:
    write(root / "long.md", "x" * 5000)
    settle(root.parent)
    index.entries(Layer("user", root))
    assert reads(index, root) == [str(root / "long.md")]


# Through the command


def test_a_run_and_show_read_the_file_whatever_the_index_says(aix: Aix, home: Path, library: Path) -> None:
    for number in range(LEAST):
        write(library / f"p{number}.md", f"About {number}")
    cache = home / ".cache" / "aix" / "index"
    index = Index(cache, racy=0)
    settle(home)
    index.entries(Layer("user", library))
    _lie(file_of(index), library, "About 7", "A lie")
    assert "p7\tuser\tA lie" in aix("list").stdout
    assert "description: About 7" in aix("show", "p7").stdout
    assert aix("run", "p7", "--x", "text").stdout == "text"
    write(library / "p7.md", "The truth")
    assert "p7\tuser\tThe truth" in aix("list").stdout
