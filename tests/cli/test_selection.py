"""Which model answers, through the command: what is said when it is nobody, and roles and packs at work."""

import json
from pathlib import Path

import pytest
from conftest import Aix
from stage import configure, write

KEY = {"OPENAI_API_KEY": "sk-abcdefghijklmnop"}
DRY = ("run", "hello", "--name", "Ada", "-n")


@pytest.mark.parametrize(
    ("flags", "settings", "env", "status", "said"),
    [
        (["-m", "gpt-4o"], {}, {}, 4, "No API key found for openai\n"),
        (["-m", "anthropic/claude-haiku-4-5"], {}, KEY, 4, "No API key found for anthropic\n"),
        (["-m", "opnai:gpt-4o"], {}, KEY, 5, "there is no provider 'opnai'\n  hint: did you mean openai:gpt-4o?\n"),
        (["-m", "gpt-55"], {}, KEY, 5, "no provider is known to have a model 'gpt-55'\n  hint: did you mean openai:"),
        (["-m", "strong", "--pack", "cheep"], {"packs": {"cheap": {}}}, KEY, 5,
         "there is no pack 'cheep'\n  hint: did you mean cheap?\n"),
        (["-m", "openai:x"], {"deny": ["openai"]}, KEY, 11,
         "openai:x is not asked: deny in config.json rules it out\n  hint: aix config deny\n"),
        ([], {"fallback": {"on": [400]}}, KEY, 12, "fallback in config.json must be "),
        (["-m", "a"], {"roles": {"a": "b", "b": "a"}}, KEY, 12, "the roles a -> b -> a go round in a circle\n"),
    ],
)  # fmt: skip
def test_nobody_is_asked_and_the_reason_is_said(
    flags: list[str], settings: dict[str, object], env: dict[str, str], status: int, said: str, aix: Aix, library: Path
) -> None:
    configure(library, **settings)
    done = aix("run", "hello", "--name", "Ada", "-x", *flags, env=env)
    assert (done.stdout, done.status) == ("", status)
    assert done.stderr.startswith(f"aix: error: {said}")


def test_a_dry_run_without_a_key_says_who_would_be_asked(aix: Aix) -> None:
    assert "aix: would ask openai:gpt-4o at https://api.openai.com/v1\n" in aix(*DRY, "-m", "gpt-4o").stderr


def test_roles_are_set_and_asked_with_a_pack_before_them(aix: Aix, library: Path) -> None:
    write(library, "shared", "---\nmodel: strong\n---\nHi")
    for key, value in (("roles.strong", "ollama:big,ollama:bigger"), ("packs.small.strong", "ollama:tiny")):
        assert aix("config", key, value).status == 0
    assert aix("config", "roles.race.models", "ollama:a,openai:b").status == 0
    assert aix("config", "roles.race.strategy", "fastest").stderr == "aix: roles.race.strategy = fastest\n"
    assert json.loads((library / "config.json").read_text())["roles"]["race"]["strategy"] == "fastest"
    assert 'roles.strong = ["ollama:big", "ollama:bigger"] (config.json)\n' in aix("config", "--list").stdout
    assert "would ask ollama:big at" in aix("run", "shared", "-n").stderr
    assert "would ask ollama:tiny at" in aix("run", "shared", "-n", "--pack", "small").stderr
    told = "aix: warning: --pack small has no say, as no role is asked for\n"
    assert told in aix("run", "shared", "-n", "--pack", "small", "-m", "ollama:x").stderr


def test_a_role_cannot_bear_a_providers_name(aix: Aix, library: Path) -> None:
    done = aix("config", "roles.groq", "openai:x")
    assert (done.status, done.stderr) == (
        2, "aix: error: groq is a provider's name, so no role can have it\n  hint: such as my-groq\n"
    )  # fmt: skip
    assert aix("config", "packs.p.groq", "openai:x").status == 2
    configure(library, roles={"groq": "ollama:x"})
    done = aix(*DRY, "-m", "ollama:y")
    assert "aix: warning: roles.groq is not read: that is a provider's name\n" in done.stderr


def test_a_project_brings_roles_and_nothing_else(aix: Aix, home: Path, library: Path) -> None:
    configure(library, roles={"mine": "ollama:mine"})
    project = home / "project" / ".prompts"
    project.mkdir(parents=True)
    (project.parent / ".git").mkdir()
    roles = {"mine": "ollama:theirs", "team": "ollama:team"}
    (project / "config.json").write_text(json.dumps({"roles": roles, "default_provider": "echo"}))
    told = aix(*DRY, "-m", "team", cwd=project.parent).stderr
    assert "would ask ollama:team at" in told
    assert f"ignored in {project / 'config.json'}: 'default_provider'" in told
    assert "would ask ollama:mine at" in aix(*DRY, "-m", "mine", cwd=project.parent).stderr
    (project / "config.json").write_text("{")
    done = aix(*DRY, "-m", "team", cwd=project.parent)
    assert (done.status, "config.json is not valid JSON at line 1" in done.stderr) == (12, True)
    assert aix("doctor", cwd=project.parent).status == 12
