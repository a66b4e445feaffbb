"""Layers, qualified names, `aix which`, `list --layer` and `--no-project` through the real command."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import configure, write

COLLECTIONS = ("team", "club")


@pytest.fixture
def project(home: Path) -> Path:
    folder = home / "work"
    (folder / ".git").mkdir(parents=True)
    (folder / ".prompts").mkdir()
    return folder


@pytest.fixture
def everywhere(aix: Aix, library: Path, project: Path, tmp_path: Path) -> Path:
    """The project; in each of five layers there is a `commit`, and in all behind the first a prompt of its own."""
    for name in COLLECTIONS:
        write(tmp_path / name, "commit", f"of {name}")
        write(tmp_path / name, f"only-{name}", f"only of {name}")
        assert aix("collection", "add", str(tmp_path / name), "--name", name).status == 0
    write(library, "commit", "of user")
    write(project / ".prompts", "commit", "of project")
    write(project / ".prompts", "only-project", "only of project")
    return project


def test_the_first_layer_wins_and_each_can_be_named(everywhere: Path, aix: Aix) -> None:
    found = json.loads(aix("which", "commit", "--json", cwd=everywhere).stdout)
    names = ["user:commit", "project:commit", "team:commit", "club:commit", "builtin:commit"]
    assert [row["qualified"] for row in found] == names
    assert [row["used"] for row in found] == [True, False, False, False, False]
    said = [aix("run", row["qualified"], cwd=everywhere).stdout for row in found[:4]]
    assert said == ["of user", "of project", "of team", "of club"]
    assert aix("show", "builtin:commit", "--json", cwd=everywhere).stdout.count('"layer": "builtin"') == 1
    done = aix("which", "team:commit", cwd=everywhere)
    assert done.stdout == f"{found[2]['path']}\n"
    hidden = [f"aix: it hides {row['qualified']} {row['path']}" for row in found[3:]]
    assert done.stderr.splitlines() == [f"aix: user:commit hides it: {found[0]['path']}", *hidden]


def test_the_next_layer_steps_in_where_one_is_left_out(everywhere: Path, aix: Aix, library: Path) -> None:
    (library / "commit.md").unlink()
    assert aix("run", "commit", cwd=everywhere).stdout == "of project"
    assert aix("run", "commit", "--no-project", cwd=everywhere).stdout == "of team"
    assert aix("collection", "remove", "team", "--yes").status == 0
    assert aix("run", "commit", cwd=library).stdout == "of club"


def test_another_library_takes_only_the_users_place(everywhere: Path, aix: Aix, tmp_path: Path) -> None:
    write(tmp_path / "other", "mine", "of the other")
    done = aix("list", "--library", str(tmp_path / "other"), "--json", cwd=everywhere)
    found = {row["name"]: row["layer"] for row in json.loads(done.stdout)}
    assert {name: found[name] for name in ("mine", "commit", "only-team", "only-club", "hello")} == {
        "mine": "user",
        "commit": "project",
        "only-team": "team",
        "only-club": "club",
        "hello": "builtin",
    }


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("--layer", "user"), ["commit user"]),
        (("--layer", "project"), ["commit project", "only-project project"]),
        (("--layer", "club", "--layer", "team"), ["commit team", "only-club club", "only-team team"]),
        (("--layer", "project", "--no-project"), None),
    ],
)
def test_list_shows_the_layers_that_are_asked_for(
    flags: Sequence[str], names: list[str] | None, everywhere: Path, aix: Aix
) -> None:
    done = aix("list", *flags, cwd=everywhere)
    if names is None:
        said = "there is no layer 'project', only user, team, club and builtin"
        assert (done.status, done.stderr.splitlines()[0]) == (2, f"aix: error: {said}")
        return
    assert [" ".join(line.split("\t")[:2]) for line in done.stdout.splitlines()] == names


def test_a_layer_that_is_only_read_is_never_written(everywhere: Path, aix: Aix, library: Path) -> None:
    before = {path: path.read_bytes() for path in (library.parent / ".local").rglob("*.md")}
    said = {
        ("create", "team:new", "x"): "team is only read, so nothing can be written there",
        ("copy", "commit", "builtin:new"): "builtin is only read, so nothing can be written there",
        ("delete", "--yes", "team:commit"): "'commit' is of the collection team and cannot be deleted",
        ("rename", "team:commit", "new"): "'commit' is of the collection team and cannot be renamed",
        ("rename", "user:commit", "project:new"): "a new name is one in the same layer",
        ("create", "user:new", "x", "--project"): "'user:new' and --project name two layers",
    }
    for arguments, sentence in said.items():
        done = aix(*arguments, cwd=everywhere)
        assert (done.status, done.stderr.splitlines()[0]) == (2, f"aix: error: {sentence}")
    assert {path: path.read_bytes() for path in (library.parent / ".local").rglob("*.md")} == before != {}


def test_a_new_prompt_goes_where_its_name_says(project: Path, library: Path, aix: Aix) -> None:
    assert aix("create", "project:web/a", "x", cwd=project).stderr.startswith(
        f"aix: created {project}/.prompts/web/a.md"
    )
    assert aix("create", "user:web/a", "y", cwd=project).status == 0
    assert aix("copy", "project:web/a", "user:b", cwd=project).stderr.splitlines()[0] == f"aix: created {library}/b.md"
    assert aix("rename", "project:web/a", "project:c", cwd=project).status == 0
    assert aix("delete", "--yes", "user:b", cwd=project).status == 0
    own = [*library.rglob("*.md"), *(project / ".prompts").rglob("*.md")]
    assert own == [library / "web/a.md", project / ".prompts/c.md"]
    assert aix("create", "project:x", "x").stderr.startswith("aix: error: this is your home directory, not a project")


@pytest.mark.parametrize("there", [True, False])
def test_a_library_in_the_projects_own_folder_is_no_second_layer(project: Path, aix: Aix, there: bool) -> None:
    if not there:
        (project / ".prompts").rmdir()
    env = {"AIX_HOME": str(project / ".prompts")}
    done = aix("create", "project:x", "hi", cwd=project, env=env)
    assert (done.status, list(project.rglob("*.md"))) == (2, [])
    assert "there is no layer 'project'" in aix("list", "--layer", "project", cwd=project, env=env).stderr


def test_a_new_prompt_that_is_hidden_is_tried_by_its_layer(project: Path, library: Path, aix: Aix) -> None:
    write(library, "x", "of user")
    assert "try it: aix run project:x --help" in aix("create", "project:x", "hi", cwd=project).stderr


def test_a_loop_of_links_is_no_project_folder(project: Path, aix: Aix) -> None:
    (project / ".prompts").rmdir()
    (project / ".prompts").symlink_to(".prompts")
    assert "hello\tbuiltin" in aix("list", cwd=project).stdout


def test_nothing_is_written_through_a_link_that_stands_for_the_projects_folder(home: Path, aix: Aix) -> None:
    clone = home / "clone"
    (clone / ".git").mkdir(parents=True)
    (home / "elsewhere").mkdir()
    (clone / ".prompts").symlink_to("../elsewhere")
    done = aix("create", "x", "text", "--project", cwd=clone)
    assert (done.status, done.stderr.splitlines()[0]) == (2, f"aix: error: {clone}/.prompts leads out of the project")
    assert list((home / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("usr:hello", "there is no layer 'usr', only user, project and builtin", "did you mean user?"),
        (
            "x:y",
            "there is no layer 'x', only user, project and builtin",
            "aix list --long shows the layer of each prompt",
        ),
        ("user:hello", "there is no prompt 'hello' in user", "did you mean builtin:hello?"),
        ("builtin:trnslate", "there is no prompt 'trnslate' in builtin", "did you mean builtin:translate?"),
        ("user:qqqq", "there is no prompt 'qqqq' in user", "aix list --layer user"),
        ("user:../x", "there is no prompt '../x' in user", "aix list --layer user"),
    ],
)
def test_a_name_that_means_nothing_is_said_for_its_layer(
    name: str, said: str, hint: str, project: Path, aix: Aix
) -> None:
    for command in ("run", "show", "which", "tokens", "copy", "route"):
        found = aix(command, name, *(["new"] if command == "copy" else []), cwd=project)
        if command != "route" or not name.startswith(("usr", "x:")):  # there it may be a model
            assert found == Result("", f"aix: error: {said}\n  hint: {hint}\n", 5), command


def test_without_the_project_its_prompts_roles_and_limits_are_left_out(project: Path, library: Path, aix: Aix) -> None:
    configure(library, default_provider="echo")
    write(project / ".prompts", "greet", "hello of the project")
    told = {"roles": {"strong": "echo:theirs"}, "limits": [{"per": "day", "calls": 0}]}
    (project / ".prompts" / "config.json").write_text(json.dumps(told))
    for looking in (("list",), ("search", "hello")):
        assert "greet" in aix(*looking, cwd=project).stdout
        assert "greet" not in aix(*looking, "--no-project", cwd=project).stdout
    for command in ("show", "which", "tokens", "run", "route"):
        assert aix(command, "greet", cwd=project).status == 0
        assert aix(command, "greet", "--no-project", cwd=project).status == 5
    assert "echo:theirs" in aix("route", "strong", cwd=project).stdout
    assert "theirs" not in aix("route", "strong", "--no-project", cwd=project).stdout
    assert aix("run", "hello", "--name", "Ada", "-x", cwd=project).status == 11
    assert aix("run", "hello", "--name", "Ada", "-x", "--no-project", cwd=project).status == 0


def test_a_pipe_in_the_place_of_a_prompt_is_said(library: Path, aix: Aix) -> None:
    os.mkfifo(library / "x.md")
    said = f"there is no prompt 'x': {library}/x.md is a named pipe"
    for arguments in (("run", "x"), ("show", "x"), ("which", "user:x"), ("copy", "x", "y"), ("delete", "-y", "x")):
        done = aix(*arguments)
        assert (done.status, done.stderr.splitlines()[0].partition(": ")[2]) == (
            5,
            f"error: {said}".replace("'x'", "'x' in user" if "user:x" in arguments else "'x'"),
        )


def test_a_word_that_route_does_not_know_may_be_a_model(aix: Aix) -> None:
    hint = "aix list shows all prompts; aix route --model gpt-99 takes it for a model"
    assert aix("route", "gpt-99") == Result("", f"aix: error: there is no prompt 'gpt-99'\n  hint: {hint}\n", 5)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("show project:", ["project:greet", "project:web/page"]),
        ("show project:web", ["project:web/page"]),
        ("show proj", ["project:"]),
        ("run project:g", ["project:greet"]),
        ("delete builtin:", []),
        ("list --layer ", ["user", "project", "builtin"]),
    ],
)
def test_what_a_tab_makes_of_a_layer(word: str, found: list[str], project: Path, aix: Aix) -> None:
    write(project / ".prompts", "greet", "x")
    write(project / ".prompts", "web/page", "x")
    assert completed(aix, word, project) == found


def completed(aix: Aix, word: str, cwd: Path) -> list[str]:
    done = aix("__complete", "fish", "--", *word.split(" "), cwd=cwd)
    return [line.split("\t")[0] for line in done.stdout.splitlines()[2:]]
