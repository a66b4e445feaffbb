"""`aix init` as a newcomer meets it: on a terminal, again later, and without one."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix, Result
from stage import Model, Terminal, configure, serving

KEY = "sk-canary-0123456789abcdef"
WRONG = "sk-wrong-0123456789abcdef"
OPENROUTER_PAGE = "https://openrouter.ai/keys"
NEXT = "aix: next: aix list shows the prompts there are, aix doctor whether all is well\n"

WHO, KEY_OF, HOW, TRY = (
    "Who answers your prompts?",
    "Key for openai:",
    "What shall `aix run NAME` do?",
    "a first prompt now",
)
ENTER, UP = "\r", "\x1b[A"


@pytest.fixture
def model(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A model that stands for OpenAI, and takes one key; nothing else on this machine is a model server."""
    with serving(library) as model:
        (library / "config.json").unlink()
        model.key = KEY
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{model.port}/v1")
        monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
        yield model


def config(library: Path) -> Any:
    path = library / "config.json"
    return json.loads(path.read_text()) if path.exists() else None


# --- on a terminal ----------------------------------------------------------------------------------------------------


def test_the_first_minute(model: Model, library: Path) -> None:
    terminal = Terminal("init", columns=100)
    terminal.wait_for("no model: answers with what it was given")
    asked = terminal.screen.splitlines()
    assert len(asked) <= 16
    assert [line.split()[0] for line in asked[-4:]] == ["ollama", "(another)", "(more)", "echo"]
    terminal.type(f"{UP}{UP}{ENTER}")
    terminal.wait_for("(some letters narrow it)")
    terminal.type(f"openai{ENTER}")
    terminal.wait_for(KEY_OF)
    terminal.type(KEY + ENTER)
    terminal.wait_for(HOW)
    terminal.type(ENTER)
    terminal.wait_for(TRY)
    terminal.type("y")
    assert terminal.end() == 0
    assert config(library) == {"default_provider": "openai", "api_keys": {"openai": KEY}, "execute": False}
    assert (library / "config.json").stat().st_mode & 0o777 == 0o600
    assert "Good day." in terminal.screen
    assert "get a key at https://platform.openai.com/api-keys" in terminal.screen
    assert "Ada" in json.dumps(model.asked[0]["messages"])
    assert KEY.encode() not in terminal.raw


def test_a_key_that_is_refused_can_be_mended(model: Model, library: Path) -> None:
    terminal = Terminal("init", "--provider", "openai", "--no-try")
    terminal.wait_for(KEY_OF)
    terminal.type(WRONG + ENTER)
    terminal.wait_for("Enter another key?")
    terminal.type("y")
    terminal.wait_for(KEY_OF)
    terminal.type(KEY + ENTER)
    terminal.wait_for(HOW)
    terminal.choose("send right away")
    assert terminal.end() == 0
    assert config(library) == {"default_provider": "openai", "api_keys": {"openai": KEY}, "execute": True}


@pytest.mark.parametrize("question", [WHO, KEY_OF, HOW])
def test_control_c_at_any_question_writes_nothing(question: str, model: Model, library: Path) -> None:
    terminal = Terminal("init")
    answers: dict[str, Callable[[], None]] = {
        WHO: lambda: terminal.choose("openai"),
        KEY_OF: lambda: terminal.type(KEY + ENTER),
        HOW: lambda: terminal.type(ENTER),
    }
    for asked, answer in answers.items():
        terminal.wait_for(asked)
        if asked == question:
            break
        answer()
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert list(library.iterdir()) == []
    assert "Traceback" not in terminal.screen


def test_a_local_server_that_runs_is_offered_first_with_its_models(model: Model, library: Path, home: Path) -> None:
    model.key = ""
    terminal = Terminal("init", env={"OLLAMA_HOST": f"127.0.0.1:{model.port}"}, columns=100)
    terminal.wait_for("runs on this machine: tiny, big")
    terminal.type(ENTER)
    terminal.wait_for("Which model?")
    terminal.choose("big")
    terminal.wait_for(HOW)
    terminal.type(ENTER)
    terminal.wait_for(TRY)
    terminal.type("y")
    assert terminal.end() == 0
    assert config(library) == {"default_provider": "ollama", "ollama_default_model": "big", "execute": False}
    assert model.asked[0]["model"] == "big"


def test_a_second_time_keeps_what_is_set(model: Model, library: Path) -> None:
    before = {"default_provider": "openai", "api_keys": {"openai": KEY}, "execute": True, "temperature": 0.2}
    configure(library, **before)
    terminal = Terminal("init")
    terminal.wait_for(WHO)
    terminal.wait_for("has a key")
    terminal.type(ENTER)
    terminal.wait_for(HOW)
    terminal.type(ENTER)
    terminal.wait_for(TRY)
    terminal.type("n")
    assert terminal.end() == 0
    assert config(library) == before
    assert KEY_OF not in terminal.screen


def test_a_first_prompt_that_fails_keeps_what_was_set(model: Model, library: Path) -> None:
    model.error = (400, "out of order")
    terminal = Terminal("init", "--provider", "openai", "--no-execute", env={"OPENAI_API_KEY": KEY})
    terminal.wait_for(TRY)
    terminal.type("y")
    assert terminal.end() == 9
    assert "out of order" in terminal.screen
    assert config(library) == {"default_provider": "openai", "execute": False}


def test_a_key_that_cannot_be_tried_is_kept(library: Path) -> None:
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    terminal = Terminal("init", "--provider", "openai", "--no-execute", "--no-try", env=env)
    terminal.wait_for(KEY_OF)
    terminal.type(KEY + ENTER)
    assert terminal.end() == 0
    assert "the key could not be tried; aix doctor --online does so later" in terminal.screen
    assert config(library)["api_keys"] == {"openai": KEY}


# --- without a terminal -----------------------------------------------------------------------------------------------


def saved(library: Path) -> str:
    return f"aix: saved in {library / 'config.json'}\n"


MOVED = "aix: openai's address comes from OPENAI_BASE_URL: keep it set\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "env", "written"),
    [
        (["--provider", "echo"], None, {}, {"default_provider": "echo"}),
        (["--provider", "echo", "--execute"], None, {}, {"default_provider": "echo", "execute": True}),
        (["--provider", "openai"], f"{KEY}\n", {}, {"default_provider": "openai", "api_keys": {"openai": KEY}}),
        (
            ["--provider", "openai", "--no-execute"],
            None,
            {"OPENAI_API_KEY": KEY},
            {"default_provider": "openai", "execute": False},
        ),
        (
            ["--provider", "openai", "-m", "gpt-x"],
            None,
            {"OPENAI_API_KEY": KEY},
            {"default_provider": "openai", "openai_default_model": "gpt-x"},
        ),
    ],
    ids=["no key needed", "send right away", "a key from a pipe", "a key from the environment", "a model"],
)
def test_flags_stand_for_the_questions(
    arguments: list[str], stdin: str | None, env: dict[str, str], written: Any, aix: Aix, library: Path, model: Model
) -> None:
    moved = MOVED if written["default_provider"] == "openai" else ""
    assert aix("init", *arguments, stdin=stdin, env=env) == Result("", saved(library) + moved + NEXT, 0)
    assert config(library) == written


def test_try_runs_a_first_prompt(aix: Aix, library: Path, model: Model) -> None:
    done = aix("init", "--provider", "openai", "--try", env={"OPENAI_API_KEY": KEY})
    assert done == Result("Good day.", saved(library) + MOVED + NEXT, 0)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            [],
            2,
            "aix init asks questions, and there is no terminal\n  hint: aix init --provider NAME [--execute] [--try]\n",
        ),
        (["--provider", "opnai"], 5, "there is no provider 'opnai'\n  hint: did you mean openai?\n"),
        (["--provider", "openai"], 4, "No API key found for openai\n"),
    ],
    ids=["no provider", "an unknown one", "no key"],
)
def test_what_is_missing_is_said_and_nothing_written(
    arguments: list[str], status: int, said: str, aix: Aix, library: Path, model: Model
) -> None:
    done = aix("init", *arguments)
    assert (done.stdout, done.status) == ("", status)
    assert done.stderr.startswith(f"aix: error: {said}")
    assert config(library) is None


def test_what_the_environment_overrules_is_said(aix: Aix, library: Path) -> None:
    done = aix("init", "--provider", "echo", env={"AIX_PROVIDER": "openai"})
    assert "AIX_PROVIDER is set in the environment and wins over default_provider" in done.stderr


def test_a_broken_config_is_left_as_it_is(aix: Aix, library: Path) -> None:
    (library / "config.json").write_text('{"default_provider": ')
    assert aix("init", "--provider", "echo").status == 12
    assert (library / "config.json").read_text() == '{"default_provider": '
