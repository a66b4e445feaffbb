"""Collections against real repositories: what is taken of them, what is left out, and what stays when they change."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from repositories import Content, Link, Module, Repository, git, repository

from aix.errors import AixError, NotFoundError, RefusedError, UsageError
from aix.library.collections import folder, layers
from aix.library.collections.lock import Collection, read_lock
from aix.library.collections.shelf import Collections, Taken
from aix.library.collections.tree import Entry, sieved
from aix.library.layer import MAX_FILE

FILES: Mapping[str, Content] = {"review.md": "Review {{ x }}", "web/page.md": "Page", "_style.md": "Be kind."}
SECRET = "SECRET"


@pytest.fixture
def shelf(home: Path) -> Collections:
    return shelf_of(home / ".prompts", home)


@pytest.fixture
def team(tmp_path: Path) -> Repository:
    return repository(tmp_path / "team", FILES)


def shelf_of(library: Path, home: Path) -> Collections:
    return Collections(library / "collections.lock", home / "data" / "collections", dict(os.environ), lambda _: None)


def added(shelf: Collections, source: object, name: str = "", rev: str = "", path: str = "") -> Taken:
    return shelf.add(Collection(name, str(source), "", rev, path), Path.home(), Path.cwd())


def updated(shelf: Collections, name: str = "team") -> Collection:
    shelf.take(shelf.look(shelf.get(name)))
    return shelf.get(name)


def here(shelf: Collections, name: str = "team") -> Mapping[str, bytes]:
    return shelf.store.files(shelf.get(name))


def left_behind(home: Path) -> list[str]:
    """What is kept of collections, the notes of whose they are apart."""
    found = (home / "data" / "collections").rglob("*")
    return sorted(path.name for path in found if path.suffix in (".md", ".git", ".tmp") or "@" in path.name)


# What is taken


DAMAGE = {
    "no objects": "rm -rf */objects",
    "no packs": "rm -f */objects/pack/*.pack",
    "no settings": 'for file in */config; do echo "[x" > $file; done',
    "no HEAD": "for file in */HEAD; do echo junk > $file; done",
    "no names": "rm -rf */refs */packed-refs",
}


@pytest.mark.parametrize("how", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_repository_is_made_anew(how: str, shelf: Collections, team: Repository, home: Path) -> None:
    added(shelf, team.path)
    subprocess.run(["sh", "-c", how], cwd=home / "data" / "collections" / "repositories", check=True)
    assert updated(shelf, "team").pin == team.head
    head = team.commit({"review.md": "Other"})
    assert (updated(shelf).pin, here(shelf)) == (head, {"review.md": b"Other"})


def test_commits_may_be_named_by_sha256(shelf: Collections, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "new")
    new = Repository(tmp_path / "new")
    head = new.commit({"a.md": "A"})
    assert len(head) == 64
    assert added(shelf, new.path).collection.pin == head


def test_a_clone_without_history_is_a_source(shelf: Collections, team: Repository, tmp_path: Path) -> None:
    team.commit({"review.md": "Second"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{team.path}", "clone")
    assert added(shelf, tmp_path / "clone").collection.pin == team.head


def test_a_whole_disk_is_no_folder_of_prompts(
    shelf: Collections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").touch()
        (tmp_path / f"{number}").mkdir()
    monkeypatch.setattr(folder, "MAX_SEEN", 4)
    with pytest.raises(RefusedError, match="more than 4 files"):
        added(shelf, tmp_path, "all")


def test_the_files_of_a_commit_are_pinned_by_it(shelf: Collections, team: Repository) -> None:
    taken = added(shelf, team.path)
    assert (taken.collection.name, taken.collection.pin, taken.prompts) == ("team", team.head, ["review", "web/page"])
    assert here(shelf) == {name: str(text).encode() for name, text in FILES.items()}
    assert shelf.all() == (taken.collection,)


def test_files_are_private_and_their_layer_is_found_by_the_lock_alone(
    shelf: Collections, team: Repository, home: Path
) -> None:
    root = shelf.store.root(added(shelf, team.path).collection)
    warned: list[str] = []
    (layer,) = layers(home / ".prompts" / "collections.lock", home / "data" / "collections", warned.append)
    assert (layer.name, layer.root, sorted(layer.names()), warned) == ("team", root, ["review", "web/page"], [])
    assert {path.stat().st_mode & 0o077 for path in (root, root / "review.md")} == {0}


def test_no_filter_and_no_line_ending_is_applied(shelf: Collections, tmp_path: Path, home: Path) -> None:
    """What a checkout would change: what git keeps is what a collection has, on every machine the same."""
    attributes = (
        "*.md text eol=crlf ident filter=evil working-tree-encoding=UTF-16\ngone.md export-ignore\n*.md export-subst\n"
    )
    git(tmp_path, "config", "--global", "core.autocrlf", "true")
    git(tmp_path, "config", "--global", "filter.evil.smudge", f"touch {home}/ran; cat")
    files = {"a.md": b"one\ntwo\r\n$Id$ $Format:%H$\n", "gone.md": b"here", "b.md": b"\xff\xfe\n"}
    made = repository(tmp_path / "team", {".gitattributes": attributes, **files})
    added(shelf, made.path)
    assert here(shelf) == files
    assert not (home / "ran").exists()


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"

ODD: Mapping[str, tuple[Content, str]] = {
    "out.md": (Link("../../secret.md"), "a link"),
    "in.md": (Link("fine.md"), "a link"),
    "folder": (Link("/etc"), "a link"),
    "more": (Module("0123456789abcdef0123456789abcdef01234567"), "another repository"),
    "large.md": (LFS, "kept by Git LFS"),
    "two\nlines.md": ("x", "a name that no prompt can have"),
    'quo"te.md': ("x", "a name that no prompt can have"),
    "\udcff.md": ("x", "a name that no prompt can have"),
    "é.md": ("x", "a name that no prompt can have"),
    "-x.md": ("x", "a name that no prompt can have"),
    f"{'a' * 230}.md": ("x", "a name that no prompt can have"),
    "fine.MD.md": ("x", ""),
    "huge.md": ("x" * (10 * 1024 * 1024 + 1), "larger than 10 MiB"),
    "FINE.md": ("other", "another differs from it by capitals alone"),
    "picture.png": (b"\x89PNG", ""),
    ".github/page.md": ("x", ""),
}


def test_what_could_lead_out_or_confuse_is_left_out_and_said(shelf: Collections, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text(SECRET)
    made = repository(tmp_path / "team", {"fine.md": "fine", **{name: content for name, (content, _) in ODD.items()}})
    taken = added(shelf, made.path)
    shown = {name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"): name for name in ODD}
    assert set(here(shelf)) == {"FINE.md", "fine.MD.md"}  # capitals come first
    wanted = {name: why for name, (_, why) in ODD.items() if why and name != "FINE.md"}
    found = {shown.get(name, name): why for name, why in taken.tree.left_out.items()}
    assert found == {**wanted, "fine.md": "another differs from it by capitals alone"}
    root = shelf.store.root(taken.collection)
    assert [path for path in root.rglob("*") if path.is_symlink()] == []


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT", b".", b"a/b"])
def test_a_tree_that_no_git_would_write_is_refused_whole(
    name: bytes, shelf: Collections, team: Repository, home: Path
) -> None:
    blob = git(team.path, "hash-object", "-w", "--stdin", data=SECRET.encode())
    inner = b"100644 a.md\0" + bytes.fromhex(blob)
    tree = git(team.path, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=inner)
    outer = b"40000 " + name + b"\0" + bytes.fromhex(tree)
    whole = git(team.path, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=outer)
    commit = git(team.path, "commit-tree", "-m", "x", whole)
    git(team.path, "update-ref", "refs/heads/main", commit)
    with pytest.raises(RefusedError):
        added(shelf, team.path)
    assert left_behind(home) == []


@pytest.mark.parametrize("name", [b"../x.md", b"/etc/x.md", b".git/x.md", b"a/../../x.md", b"a/.git/x.md", b"..md"])
def test_a_name_that_leads_out_is_never_taken_whoever_lets_it_by(name: bytes) -> None:
    assert sieved([Entry(name, "100644", 1)])[0] == []


def test_more_than_a_collection_may_have_is_refused() -> None:
    with pytest.raises(RefusedError, match="at most 100000 files and 256 MiB; this one has 26 files and 260 MiB"):
        sieved(Entry(b"%d.md" % number, "100644", MAX_FILE) for number in range(26))


def test_one_folder_of_a_repository(shelf: Collections, tmp_path: Path) -> None:
    made = repository(tmp_path / "all", {"code/x.md": "no", ".prompts/deep/y.md": "yes"})
    taken = added(shelf, made.path, path="./.prompts/deep/")
    assert (here(shelf, "all"), taken.collection.path) == ({"y.md": b"yes"}, ".prompts/deep")


def test_a_repository_without_prompts_says_where_they_may_be(shelf: Collections, tmp_path: Path) -> None:
    made = repository(
        tmp_path / "all", {"README.md": "x", "a/README.md": "x", ".prompts/x.md": "1", ".prompts/y.md": ""}
    )
    assert added(shelf, made.path).folders[0] == ".prompts"


@pytest.mark.parametrize(("rev", "text"), [("", "main"), ("v1", "one"), ("other", "other"), ("COMMIT", "one")])
def test_a_branch_a_tag_or_a_commit(rev: str, text: str, shelf: Collections, tmp_path: Path) -> None:
    made = repository(tmp_path / "team", {"a.md": "one"})
    first = made.head
    git(made.path, "tag", "--annotate", "--message", "x", "v1", first)
    made.commit({"a.md": "other"})
    git(made.path, "branch", "other", "main")
    made.commit({"a.md": "main"})
    added(shelf, made.path, rev=rev.replace("COMMIT", first[:10]))
    assert here(shelf)["a.md"].decode() == text


def test_a_commit_that_no_branch_leads_to(shelf: Collections, team: Repository) -> None:
    first = team.head
    team.commit({"a.md": "anew"}, anew=True)
    assert added(shelf, team.path, rev=first).collection.pin == first


@pytest.mark.parametrize(
    "rev", ["nope", "-x", "main~1", "main:review.md", "@{-1}", "a..b", "HEAD^", "refs/heads/main x"]
)
def test_what_is_no_revision_leaves_nothing_behind(rev: str, shelf: Collections, team: Repository, home: Path) -> None:
    with pytest.raises((NotFoundError, UsageError)):
        added(shelf, team.path, rev=rev)
    assert (left_behind(home), shelf.all()) == ([], ())


def test_a_plain_folder_is_pinned_by_its_content(shelf: Collections, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "web").mkdir(parents=True)
    (folder / "web" / "a.md").write_bytes(b"one\r\n")
    (folder / "out.md").symlink_to("/etc/passwd")
    (folder / "out").symlink_to("/etc")
    os.mkfifo(folder / "pipe.md")
    taken = added(shelf, folder)
    assert (taken.collection.kind, here(shelf, "plain")) == ("folder", {"web/a.md": b"one\r\n"})
    assert taken.tree.left_out == {"out": "a link", "out.md": "a link", "pipe.md": "no file"}
    assert not shelf.look(taken.collection).moves
    (folder / "web" / "a.md").write_bytes(b"two")
    assert updated(shelf, "plain").pin != taken.collection.pin
    assert here(shelf, "plain") == {"web/a.md": b"two"}


@pytest.mark.parametrize("bare", [True, False])
def test_a_repository_with_settings_that_start_something_is_refused(
    bare: bool, shelf: Collections, team: Repository, tmp_path: Path, home: Path
) -> None:
    source = team.path
    if bare:
        source = tmp_path / "bare.git"
        git(tmp_path, "clone", "--quiet", "--bare", str(team.path), str(source))
    git(source, "config", "core.fsmonitor", f"touch {home}/ran")
    for named in (str(source), f"file://{source}"):
        with pytest.raises(RefusedError, match=r"core\.fsmonitor") as caught:
            added(shelf, named)
        assert caught.value.exit_code == 11
    assert (left_behind(home), (home / "ran").exists()) == ([], False)


@pytest.mark.parametrize("linked", [True, False])
def test_a_repository_that_is_elsewhere_is_to_be_named_itself(
    linked: bool, shelf: Collections, team: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "led"
    folder.mkdir()
    if linked:
        (folder / ".git").symlink_to(team.path / ".git")
    else:
        (folder / ".git").write_text(f"gitdir: {team.path}/.git")
    with pytest.raises(RefusedError, match="elsewhere"):
        added(shelf, folder)


def test_a_repository_beside_the_one_that_was_looked_at_is_not_taken(
    shelf: Collections, team: Repository, tmp_path: Path
) -> None:
    """git itself would look for NAME.git and NAME/.git too, where a directory is no whole repository."""
    (tmp_path / "half" / "objects").mkdir(parents=True)
    (tmp_path / "half" / "HEAD").write_text("ref: refs/heads/main\n")
    git(tmp_path, "clone", "--quiet", "--bare", str(team.path), str(tmp_path / "half.git"))
    with pytest.raises(AixError):
        added(shelf, tmp_path / "half")


def test_the_users_own_settings_of_git_lead_to_the_source(shelf: Collections, team: Repository, tmp_path: Path) -> None:
    git(tmp_path, "config", "--global", f"url.{tmp_path}/.insteadOf", "https://example.com/acme/")
    taken = added(shelf, "https://example.com/acme/team")
    assert (taken.collection.source, taken.collection.pin) == ("https://example.com/acme/team", team.head)


def test_ten_thousand_files_take_a_few_seconds(shelf: Collections, tmp_path: Path) -> None:
    made = repository(tmp_path / "team", {f"f{number % 100}/p{number}.md": f"{number}" for number in range(10_000)})
    began = time.monotonic()
    assert len(added(shelf, made.path).prompts) == 10_000
    assert time.monotonic() - began < 60  # a generous bound: it takes three seconds where nothing else runs
    assert len(here(shelf)) == 10_000


# What changes under a pin


def test_nothing_changes_until_it_is_taken(shelf: Collections, team: Repository) -> None:
    added(shelf, team.path)
    team.commit({"review.md": "Another", "new.md": '{{ sh("date") }}'})
    found = shelf.look(shelf.get("team"))
    assert [(change.how, change.name) for change in found.changes] == [
        ("removed", "_style"),
        ("added", "new"),
        ("changed", "review"),
        ("removed", "web/page"),
    ]
    assert (found.changes[1].new_commands, found.rewritten) == (("date",), False)
    assert here(shelf)["review.md"] == b"Review {{ x }}"
    assert updated(shelf).pin == team.head
    assert here(shelf)["review.md"] == b"Another"


def test_a_command_that_an_include_brings_is_told_of(shelf: Collections, tmp_path: Path) -> None:
    made = repository(tmp_path / "team", {"a.md": '{% include "_b.md" %}', "_b.md": "still"})
    added(shelf, made.path)
    made.commit({"a.md": '{% include "_b.md" %}', "_b.md": '{{ sh("rm -r x") }}'})
    found = {change.name: change for change in shelf.look(shelf.get("team")).changes}
    assert (found["_b"].how, found["a"].new_commands) == ("changed", ("rm -r x",))


def test_a_history_that_was_rewritten_is_told_of(shelf: Collections, team: Repository) -> None:
    was = added(shelf, team.path).collection
    team.commit({"review.md": "forced"}, anew=True)
    assert shelf.look(was).rewritten
    assert updated(shelf).pin == team.head


def test_what_is_looked_at_and_taken_is_the_same_though_more_was_pushed(shelf: Collections, team: Repository) -> None:
    added(shelf, team.path)
    seen = team.commit({"review.md": "seen"})
    found = shelf.look(shelf.get("team"))
    team.commit({"review.md": "unseen"})
    shelf.take(found)
    assert (shelf.get("team").pin, here(shelf)["review.md"]) == (seen, b"seen")


def test_an_update_gives_way_to_another(shelf: Collections, team: Repository) -> None:
    added(shelf, team.path)
    team.commit({"review.md": "two"})
    first, second = shelf.look(shelf.get("team")), shelf.look(shelf.get("team"))
    shelf.take(first)
    with pytest.raises(UsageError, match="somebody else"):
        shelf.take(second)


def test_a_source_that_vanishes_takes_nothing_with_it(shelf: Collections, team: Repository) -> None:
    was = added(shelf, team.path).collection
    team.vanish()
    with pytest.raises(NotFoundError):
        shelf.look(was)
    assert (shelf.all(), here(shelf)["web/page.md"]) == ((was,), b"Page")


def test_a_clone_of_the_library_gets_what_is_pinned(shelf: Collections, team: Repository, home: Path) -> None:
    pinned = added(shelf, team.path).collection
    team.commit({"review.md": "newer"})
    other = Collections(home / ".prompts" / "collections.lock", home / "elsewhere", dict(os.environ), lambda _: None)
    warned: list[str] = []
    assert layers(home / ".prompts" / "collections.lock", home / "elsewhere", warned.append) == []
    assert warned == ["the collection team is not on this machine: aix collection update team"]
    found = other.look(pinned)
    assert (found.missing, found.moves) == (True, False)
    other.take(found)
    assert (other.store.files(pinned)["review.md"], other.all()) == (b"Review {{ x }}", (pinned,))


def test_a_pin_that_is_gone_is_said_and_nothing_is_lost(shelf: Collections, team: Repository, home: Path) -> None:
    pinned = added(shelf, team.path).collection
    team.commit({"review.md": "forced"}, anew=True)
    git(team.path, "-c", "gc.reflogExpire=now", "gc", "--quiet", "--prune=now")
    git(team.path, "reflog", "expire", "--expire=now", "--all")
    git(team.path, "gc", "--quiet", "--prune=now")
    other = Collections(home / ".prompts" / "collections.lock", home / "elsewhere", dict(os.environ), lambda _: None)
    with pytest.raises(NotFoundError, match="no longer in"):
        other.look(pinned)
    assert (shelf.all(), here(shelf)["review.md"]) == ((pinned,), b"Review {{ x }}")


def test_one_that_was_removed_meanwhile_is_not_brought_back(shelf: Collections, team: Repository, home: Path) -> None:
    pinned = added(shelf, team.path).collection
    (shelf.store.root(pinned) / "review.md").unlink()
    found = shelf.look(pinned)
    shelf.remove(pinned)
    with pytest.raises(UsageError, match="by somebody else meanwhile"):
        shelf.take(found)
    assert (shelf.all(), left_behind(home)) == ((), [])


@pytest.mark.parametrize("there", [True, False], ids=["to a folder", "to nothing"])
def test_a_link_in_the_place_of_a_folder_goes_and_its_target_stays(
    there: bool, shelf: Collections, team: Repository, home: Path, tmp_path: Path
) -> None:
    root = shelf.store.root(added(shelf, team.path).collection)
    root.rename(tmp_path / "elsewhere")
    root.symlink_to(tmp_path / ("elsewhere" if there else "nowhere"))
    if not there:
        updated(shelf)
        assert not root.is_symlink()
        return
    shelf.remove(shelf.get("team"))
    assert left_behind(home) == []
    assert (tmp_path / "elsewhere" / "review.md").exists()


def test_files_that_somebody_changed_are_as_pinned_again(shelf: Collections, team: Repository) -> None:
    pinned = added(shelf, team.path).collection
    (shelf.store.root(pinned) / "review.md").write_text("mine")
    (shelf.store.root(pinned) / "_style.md").unlink()
    assert updated(shelf) == pinned
    assert here(shelf) == {name: str(text).encode() for name, text in FILES.items()}


# What is kept, and for whom


def test_a_name_is_taken_once_in_capitals_or_not(shelf: Collections, team: Repository, home: Path) -> None:
    added(shelf, team.path)
    kept = left_behind(home)
    for name in ("team", "TEAM", "user", "Project", "builtin", "file", "a b", "x.md"):
        with pytest.raises(UsageError):
            added(shelf, team.path, name=name)
    assert left_behind(home) == kept


def test_removing_one_keeps_what_another_uses(shelf: Collections, team: Repository, home: Path) -> None:
    added(shelf, team.path)
    added(shelf, team.path, name="again", path="web")
    shelf.remove(shelf.get("team"))
    assert [name for name in left_behind(home) if "@" in name or name.endswith(".git")] == sorted(
        [shelf.store.root(shelf.get("again")).name, shelf.store.repository(str(team.path)).name]
    )
    shelf.remove(shelf.get("again"))
    assert left_behind(home) == []


def test_two_libraries_can_use_one_collection(shelf: Collections, team: Repository, home: Path) -> None:
    other = shelf_of(home / "other", home)
    added(shelf, team.path)
    added(other, team.path)
    shelf.remove(shelf.get("team"))
    assert here(other)["review.md"] == b"Review {{ x }}"
    other.remove(other.get("team"))
    assert left_behind(home) == []


def test_where_a_lock_cannot_be_read_nothing_is_swept(shelf: Collections, team: Repository, home: Path) -> None:
    other = shelf_of(home / "other", home)
    added(shelf, team.path)
    (home / ".prompts" / "collections.lock").write_text("{")
    added(other, team.path, name="more")
    other.remove(other.get("more"))
    assert "review.md" in left_behind(home)


def test_files_without_a_repository_can_be_kept(shelf: Collections) -> None:
    pin = f"sha256:{'0' * 64}"
    shelf.install(Collection("packed", "packed.tar.gz", pin), {"a.md": b"a"})
    found = shelf.get("packed")
    assert (found.kind, bool(found.when), here(shelf, "packed")) == ("archive", True, {"a.md": b"a"})
    with pytest.raises(UsageError, match="archive"):
        shelf.look(found)


def test_an_update_keeps_the_place_in_the_order(shelf: Collections, team: Repository, tmp_path: Path) -> None:
    added(shelf, team.path)
    added(shelf, repository(tmp_path / "next", {"a.md": "a"}).path)
    team.commit({"review.md": "two"})
    updated(shelf)
    assert [one.name for one in read_lock(Path.home() / ".prompts" / "collections.lock").collections] == [
        "team",
        "next",
    ]
