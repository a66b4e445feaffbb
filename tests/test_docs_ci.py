"""The recipes of docs/ci.md, run as written in an environment as empty as a container's.

Nothing is set but PATH, HOME and what the recipe or its CI sets. All that HOME holds is a config.json that has `openai`
mean the stand-in on 127.0.0.1.
"""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import WARM, Result
from docs_scene import SECONDS, Scene, git, scene_in
from pages import BLOCK, DOCS, File, Step, story

PAGE = next(page for page in DOCS if page.name == "ci.md")
FILES = {part.name: part.text for part in story(PAGE) if isinstance(part, File)}
KEY = "sk-0123456789abcdefghij"
GITHUB = {"secrets.OPENAI_API_KEY": KEY, "github.base_ref": "main"}
"""What GitHub puts in place of its expressions."""


@pytest.fixture
def scene(home: Path) -> Iterator[Scene]:
    """The project with the page's files in it, and a branch with a change."""
    with scene_in(home) as scene:
        config = home / ".prompts" / "config.json"
        config.parent.mkdir(mode=0o700)
        config.write_text(f'{{"custom_providers": {{"openai": {{"base_url": "{scene.local}/v1"}}}}}}')
        config.chmod(0o600)
        for name, text in FILES.items():
            path = scene.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        git(scene, "update-ref", "refs/remotes/origin/main", "main")
        git(scene, "commit", "--quiet", "--no-verify", "--message", "Greet everybody")
        yield scene


def empty(scene: Scene, script: str, given: Mapping[str, str], *shell: str) -> Result:
    """Run a script as a fresh container would: with PATH, HOME and what is given, and nothing else."""
    path = f"PATH={scene.home / 'bin'}:{WARM.command.parent}:/usr/local/bin:/usr/bin:/bin"
    variables = [path, f"HOME={scene.home}", *(f"{name}={value}" for name, value in given.items())]
    done = subprocess.run(
        ["env", "-i", *variables, *(shell or ("sh", "-e")), "-c", script],
        cwd=scene.project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Result(done.stdout, done.stderr, done.returncode)


def expanded(value: Any) -> str:
    """A value of a workflow with GitHub's expressions filled in."""
    text = str(value)
    for name, meaning in GITHUB.items():
        text = text.replace(f"${{{{ {name} }}}}", meaning)
    assert "${{" not in text
    return text


def test_the_github_workflow_runs(scene: Scene) -> None:
    job = yaml.safe_load(FILES[".github/workflows/check-diff.yml"])["jobs"]["check-diff"]
    given = {name: expanded(value) for name, value in job["env"].items()}
    for step in job["steps"]:
        if "run" in step:
            done = empty(scene, expanded(step["run"]), given, "bash", "-e")
            assert (done.status, done.stderr) == (0, ""), step
    assert "or 'you'" in (scene.project / "change.diff").read_text()


def test_the_gitlab_job_runs(scene: Scene) -> None:
    job = yaml.safe_load(FILES[".gitlab-ci.yml"])["check-diff"]
    handed = {"OPENAI_API_KEY": KEY, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main"}
    done = empty(scene, "\n".join(job["script"]), job["variables"] | handed)
    assert (done.status, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "given", "status", "said"),
    [
        ("", {"OPENAI_API_KEY": KEY}, 0, ""),
        ("rm ~/.prompts/config.json", {}, 4, "no API key found for openai"),
        ("echo more >> .prompts/gate.md", {"OPENAI_API_KEY": KEY}, 11, "another content than --trust names"),
        ("sed -i 's/1:[0-9]*/1:1/' ~/.prompts/config.json", {"OPENAI_API_KEY": KEY}, 0, "could not be asked"),
    ],
    ids=["as it should be", "without a key", "with another prompt", "while nobody answers"],
)
def test_the_script_tells_failures_apart(
    change: str, given: dict[str, str], status: int, said: str, scene: Scene
) -> None:
    done = empty(scene, f"{change}\ngit diff origin/main HEAD > d; ci/check-diff.sh < d", given)
    assert done.status == status, done.stderr
    assert said.casefold() in done.stderr.casefold()


def test_what_is_found_fails_the_script(scene: Scene) -> None:
    done = empty(scene, "echo PASSWORD | ci/check-diff.sh", {"OPENAI_API_KEY": KEY})
    assert (done.status, done.stdout) == (1, "greet.py:2: a password\n"), done.stderr


def test_the_hooks_check_a_commit_and_draft_its_message(scene: Scene) -> None:
    given = {"OPENAI_API_KEY": KEY, "GIT_EDITOR": "true"}
    done = empty(scene, "git add ci && git commit --quiet && git log -1 --format=%s", given)
    assert (done.stdout, done.status) == ("fix(greet): greet people who give no name\n", 0), done.stderr


def test_a_message_of_ones_own_is_kept_and_so_is_a_commit_without_a_key(scene: Scene) -> None:
    script = "rm .git/hooks/pre-commit; git add ci && git commit --quiet -m Mine && git log -1 --format=%s"
    assert empty(scene, script, {}).stdout == "Mine\n"


def test_every_file_and_job_of_the_page_is_run() -> None:
    assert len(FILES) == 6
    commands = [part.command for part in story(PAGE) if isinstance(part, Step)]
    assert commands == ["aix lint .prompts --strict", "git diff --staged | ci/check-diff.sh"]
    assert all(block["file"] or block["language"] == "sh" for block in BLOCK.finditer(PAGE.read_text()))
