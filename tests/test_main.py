"""The root command: what it says alone, how errors are told, and what never appears in them."""

import json
import pwd
import re
import subprocess
from pathlib import Path

import pytest
from conftest import AIX, Aix

import aix as package
from aix import errors
from aix.config.paths import find_paths

KEY = "sk-canary-0123456789abcdef"


def test_alone_it_shows_its_help(aix: Aix) -> None:
    done = aix()
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == aix("--help").stdout


def test_it_knows_its_version(aix: Aix) -> None:
    assert aix("--version").stdout == f"aix {package.__version__}\n"


def test_a_wrong_command_is_told_with_near_ones(aix: Aix) -> None:
    done = aix("shwo")
    assert (done.stdout, done.status) == ("", 2)
    assert done.stderr == "aix: error: no such command 'shwo'. Did you mean 'show'?\n  hint: aix --help\n"


def test_a_traceback_is_shown_only_when_it_is_asked_for(aix: Aix) -> None:
    assert "Traceback" not in aix("run", "nope").stderr
    assert "Traceback" in aix("run", "nope", env={"AIX_DEBUG": "1"}).stderr


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_key_that_aix_knows_is_in_no_error(debug: str, aix: Aix) -> None:
    done = aix("run", KEY, "--json", env={"OPENAI_API_KEY": KEY, "AIX_DEBUG": debug})
    assert done.status == 5
    assert KEY not in done.stdout + done.stderr
    assert "sk-c***cdef" in done.stderr
    assert json.loads(done.stdout)["error"]["message"] == "there is no prompt 'sk-c***cdef'"


def test_every_documented_exit_status_is_the_one_in_the_code() -> None:
    table = Path(__file__).parent.parent.joinpath("docs", "exit-status.md").read_text()
    documented = {(int(number), name) for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", table, re.MULTILINE)}
    named = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    classes = [kind for kind in named if issubclass(kind, errors.AixError)]
    assert documented == {(kind.exit_code, kind.name) for kind in classes} | {(0, "OK")}


def test_json_is_asked_for_only_where_a_flag_can_stand(aix: Aix) -> None:
    assert aix("run", "nope", "--json").stdout != ""
    assert aix("run", "nope", "--", "--json").stdout == ""


def test_a_wrong_flag_leads_to_the_help_of_its_command(aix: Aix) -> None:
    assert aix("list", "--nope").stderr.splitlines()[-1] == "  hint: aix list --help"
    assert aix("--nope").stderr.splitlines()[-1] == "  hint: aix --help"


def test_a_key_in_the_environment_is_hidden_also_when_config_json_is_broken(aix: Aix, library: Path) -> None:
    library.joinpath("config.json").write_text("{")
    done = aix("run", KEY, env={"OPENAI_API_KEY": KEY})
    assert "sk-c***cdef" in done.stderr
    assert KEY not in done.stderr


def test_output_to_a_stream_adds_to_what_is_there(home: Path) -> None:
    log = home / "log"
    log.write_text("before\n")
    with log.open("a") as file:
        command: list[str | Path] = [
            AIX,
            "run",
            "hello",
            "--name",
            "Ada",
            "--provider",
            "echo",
            "-x",
            "-o",
            "/dev/stdout",
        ]
        assert subprocess.run(command, stdout=file, stdin=subprocess.DEVNULL, check=False).returncode == 0
    assert log.read_text().startswith("before\necho was asked")


def test_without_a_home_directory_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(errors.ConfigError, match="no home directory"):
        find_paths({}, tmp_path)
    assert find_paths({"AIX_HOME": "/prompts"}, tmp_path).library == Path("/prompts")


@pytest.mark.parametrize("flag", ["--model", "--provider"])
def test_an_unset_variable_does_not_choose_who_is_asked(flag: str, aix: Aix) -> None:
    done = aix("run", "hello", "--name", "Ada", "-x", flag, "")
    assert (done.stdout, done.status) == ("", 2)
    assert done.stderr.startswith(f"aix: error: {flag} is empty\n")


@pytest.mark.parametrize("base", ["https://llm.example.com", "https://llm.example.com/v1"])
def test_the_version_of_messages_stands_once_in_the_address(base: str, aix: Aix) -> None:
    done = aix(
        "run", "hello", "--name", "Ada", "--show-request", "--provider", "anthropic", env={"ANTHROPIC_BASE_URL": base}
    )
    assert done.stdout.splitlines()[0] == "POST https://llm.example.com/v1/messages"


def test_a_dash_for_the_output_is_stdout(aix: Aix, home: Path) -> None:
    assert aix("run", "hello", "--name", "Ada", "-o", "-").stdout.endswith("Say hello to Ada.\n")
    assert list(home.iterdir()) == []
