"""A prompt as of a revision: what git has, whatever is in the folder by now, and nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Aix
from repositories import Content, Link, Module, Repository, git, repository

from aix.errors import NotFoundError, TemplateError
from aix.library.layer import MAX_FILE, Layer
from aix.library.reference import Reference, reference
from aix.library.snapshot import Snapshot, around, snapshot
from aix.library.templates.template import Template

OLD = {"review.md": 'old {% include "_style.md" %}', "_style.md": "style 1", "web/page.md": "page"}
NEW = {"review.md": 'new {% include "_style.md" %}', "_style.md": "style 2"}


def library(folder: Path, *commits: Mapping[str, Content]) -> Repository:
    """A repository with a commit for each, tagged v1, v2, …; nothing is checked out."""
    made = repository(folder, commits[0])
    git(folder, "tag", "v1")
    for number, files in enumerate(commits[1:], 2):
        made.commit(files)
        git(folder, "tag", f"v{number}")
    return made


def then(root: Path, name: str, revision: str) -> Snapshot:
    return snapshot(Layer("user", root), Reference(name, revision=revision), around(root), os.environ)


def rendered(layer: Snapshot, name: str) -> str:
    return Template(layer.prompt(name), layer.read).render({}, {})[0].text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("review", Reference("review")),
        ("web\\review", Reference("web/review")),
        ("team:review", Reference("review", "team")),
        ("team:web\\review@v2", Reference("web/review", "team", "v2")),
        ("review@HEAD~1", Reference("review", "", "HEAD~1")),
        ("review@main@{yesterday}", Reference("review", "", "main@{yesterday}")),
        ("review@origin/main:x", Reference("review", "", "origin/main:x")),
        ("a:b:c", Reference("c", "a:b")),
        ("review@", Reference("review@")),
        (":review", Reference(":review")),
        ("@v1", Reference("@v1")),
    ],
)
def test_what_a_name_names(text: str, meant: Reference) -> None:
    assert reference(text) == meant
    assert reference(str(meant)) == meant


@pytest.mark.parametrize(
    ("revision", "text"),
    [("v1", "old style 1"), ("v2", "new style 2"), ("main~1", "old style 1"), ("HEAD", "new style 2")],
)
def test_a_prompt_and_what_it_includes_are_as_they_were(revision: str, text: str, tmp_path: Path) -> None:
    made = library(tmp_path / "l", OLD, NEW)
    (made.path / "review.md").write_text("not committed")
    found = then(made.path, "review", revision)
    assert rendered(found, "review") == text
    assert found.revision == git(made.path, "rev-parse", f"{revision}^{{commit}}")
    assert (found.prompt("review").path, found.prompt("review").layer) == (None, "user")


def test_a_prompt_that_is_gone_is_found_where_it_was(tmp_path: Path) -> None:
    made = library(tmp_path / "l", OLD, NEW)
    assert rendered(then(made.path, "web/page", "v1"), "web/page") == "page"


def test_a_layer_can_be_deep_in_its_repository(tmp_path: Path) -> None:
    made = library(tmp_path / "l", {f"a *[b/.prompts/{name}": text for name, text in OLD.items()})
    found = then(made.path / "a *[b" / ".prompts", "review", "v1")
    assert rendered(found, "review") == "old style 1"
    assert found.shown("review") == f"{made.head}:a *[b/.prompts/review.md"


def test_a_short_name_of_a_commit_and_an_annotated_tag_mean_the_commit(tmp_path: Path) -> None:
    made = library(tmp_path / "l", OLD)
    git(made.path, "tag", "-a", "-m", "x", "annotated")
    assert {then(made.path, "review", name).revision for name in (made.head[:9], "annotated")} == {made.head}


@pytest.mark.parametrize(
    ("name", "revision", "said"),
    [
        ("review", "v9", "the repository of user has no revision 'v9'"),
        ("review", "-x", "the repository of user has no revision '-x'"),
        ("review", "--upload-pack=touch x", "the repository of user has no revision '--upload-pack=touch x'"),
        ("review", "v1..v2", "the repository of user has no revision 'v1..v2'"),
        ("review", "^v1", "the repository of user has no revision '^v1'"),
        ("review", "v1:review.md", "the repository of user has no revision 'v1:review.md'"),
        ("review", "v1^{tree}", "the repository of user has no revision 'v1^{tree}'"),
        ("review", "v1\nv2", "the repository of user has no revision 'v1\nv2'"),
        ("review", "v1\0", "the repository of user has no revision 'v1\0'"),
        ("review", "x" * 300, f"the repository of user has no revision '{'x' * 300}'"),
        ("absent", "v1", "user has no prompt 'absent' at v1"),
        ("web/page", "v2", "user has no prompt 'web/page' at v2"),
        ("../l/review", "v1", "user has no prompt '../l/review' at v1"),
    ],
)
def test_what_is_not_there_is_said_with_how_to_look(name: str, revision: str, said: str, tmp_path: Path) -> None:
    made = library(tmp_path / "l", OLD, NEW)
    with pytest.raises(NotFoundError) as caught:
        then(made.path, name, revision)
    assert caught.value.message == said
    assert caught.value.hint == f"git -C {made.path} log --oneline --all -- {name}.md"


def test_a_folder_outside_of_git_has_no_past(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="user is in no git repository") as caught:
        then(tmp_path, "review", "v1")
    assert caught.value.hint == "without @v1 it is what is there now"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Link("../secret.md"), "x.md is no file at {}, but a link, a folder or another repository"),
        (Link("review.md"), "x.md is no file at {}, but a link, a folder or another repository"),
        (Module("1" * 40), "x.md is no file at {}, but a link, a folder or another repository"),
        ("x" * (MAX_FILE + 1), f"cannot read x.md at {{}}: more than {MAX_FILE} bytes"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "x.md is kept by Git LFS at {}, and is not fetched",
        ),
        (b"a\n\xff", "x@{}:2: not UTF-8 text"),
    ],
    ids=["link out", "link", "submodule", "huge", "LFS", "not UTF-8"],
)
def test_what_is_no_readable_file_in_the_commit_is_said(content: Content, said: str, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    made = library(tmp_path / "l", {"x.md": content, "review.md": "fine"})
    found = then(made.path, "x", "v1")
    with pytest.raises(TemplateError) as caught:
        found.prompt("x")
    assert caught.value.message == said.format(made.head[:12])


@pytest.mark.parametrize(
    "name", ["../secret.md", "/etc/passwd", "a/../../x.md", ".git/config", "config.json", "out/x.md"]
)
def test_no_include_leads_out_of_the_commit(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    made = library(tmp_path / "l", {**OLD, "out": Link(".."), "config.json": "SECRET"})
    with pytest.raises(TemplateError) as caught:
        then(made.path, "review", "v1").read(name)
    assert "SECRET" not in caught.value.message


def test_nothing_that_a_repository_names_is_run_and_nothing_is_touched(tmp_path: Path) -> None:
    made = library(tmp_path / "l", {**OLD, ".gitattributes": "*.md filter=x diff=x\n"}, NEW)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    keys = ("filter.x.smudge", "filter.x.process", "diff.x.textconv", "core.fsmonitor", "core.pager", "alias.cat-file")
    for key in keys:
        git(made.path, "config", key, f"!{trap}" if key.startswith("alias") else str(trap))
    git(made.path, "config", "core.hooksPath", str(tmp_path))
    before = {path: path.lstat().st_mtime_ns for path in made.path.rglob("*")}
    assert rendered(then(made.path, "review", "v1"), "review") == "old style 1"
    assert {path: path.lstat().st_mtime_ns for path in made.path.rglob("*")} == before
    assert not (tmp_path / "sprung").exists()


def test_the_command_runs_shows_and_copies_what_was(aix: Aix, home: Path, library: Path) -> None:
    project = home / "work"
    made = repository(project, {".prompts/review.md": "old", ".prompts/gone.md": "gone"})
    old = made.head
    made.commit({".prompts/review.md": "new"})
    git(project, "checkout", "--quiet", "-f", "main")
    assert aix("run", "review", cwd=project).stdout == "new"
    assert aix("run", "review@HEAD~1", cwd=project).stdout == "old"
    assert aix("run", f"project:gone@{old[:8]}", cwd=project).stdout == "gone"
    assert aix("show", "gone@HEAD~1", "--raw", cwd=project).stdout == "gone"
    assert aix("which", "gone@HEAD~1", cwd=project).stdout == f"{old}:.prompts/gone.md\n"
    assert aix("tokens", "gone@HEAD~1", cwd=project).status == 0
    assert aix("copy", "gone@HEAD~1", "user:back", cwd=project).status == 0
    assert (library / "back.md").read_text() == "gone"
    assert aix("run", "gone@HEAD~1", "--provider", "echo", "-x", cwd=project).status == 0
    assert f'"revision": "{old}"' in aix("log", "show", "last", "--json").stdout


@pytest.mark.parametrize("command", [("edit",), ("delete", "--yes"), ("rename",)])
def test_what_was_cannot_be_changed(command: tuple[str, ...], aix: Aix, library: Path) -> None:
    more = ("other",) if command == ("rename",) else ()
    done = aix(*command, "review@v1", *more)
    said = "aix: error: 'review@v1' is what a prompt was, and stays so\n  hint: aix copy review@v1 NEW-NAME\n"
    assert (done.status, done.stderr) == (2, said)
