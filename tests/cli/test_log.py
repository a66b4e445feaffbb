"""`aix log` through the real command: what was run, found again, shown, exported and dropped."""

import json
import os
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import AIX, Aix, Result
from stage import Model, Terminal, configure, serving, write
from typer.main import get_command

from aix.app import App
from aix.cli.completion.answer import answer
from aix.cli.main import cli
from aix.llm.exchange import Attempt
from aix.runs import logfile
from aix.runs.logged import Choice, Logged, Said
from aix.runs.runlog import RunLog

MINUTE, DAY = 60_000, 86_400_000
DIGEST = f"sha256:{'a' * 64}"
EVIL = "Drop the comma\x1b[31m, please.\n"
FIGURES: dict[str, Any] = {"input_tokens": 1200, "output_tokens": 40, "estimated": 0, "cost": 1_234_000_000}


class Book:
    """The log of a test, written straight."""

    def __init__(self, home: Path) -> None:
        self.log = RunLog(home / ".local/share/aix/runs.db")

    def add(
        self, prompt: str, target: str = "openai:gpt-5.5", *, ago: int = MINUTE, said: Sequence[Said] = (), **more: Any
    ) -> int:
        """A run that began so many milliseconds ago; its number."""
        provider, _, model = target.partition(":")
        started = int(time.time() * 1000) - ago
        who = {"prompt": prompt, "layer": "user", "digest": DIGEST, "asked": target, "provider": provider}
        number = self.log.begin({**who, "model": model, "started": started, "estimated": 1, "reported": 0})
        columns = {"ended": started + 1500, "finish": "stop", "seconds": 1.5, "arguments": "{}", "options": "{}"}
        self.log.end(number, {**columns, **more}, [Attempt(provider, model, 200, "", 1.5, 0.4, "OPENAI_API_KEY")], said)
        return number

    def rows(self) -> list[Logged]:
        return [self.log.get(number) for number in range(1, self.log.get(None).id + 1)]


def spelt(value: object) -> str:
    """How a case is called: by the words of its command line."""
    return " ".join(value) if isinstance(value, list) and isinstance(value[0] if value else "", str) else ""


def talk(question: str, said: str) -> list[Said]:
    return [Said(0, "user", "text", question), Said(1, "answer", "text", said)]


@pytest.fixture
def book(home: Path) -> Book:
    return Book(home)


@pytest.fixture
def shelf(book: Book) -> Book:
    """Four runs: an old one, one with an attachment, one that failed, and one that never ended."""
    book.add("old/prompt", ago=100 * DAY, said=talk("A very old question", "An old answer\n"), **FIGURES)
    picture = Said(0, "user", "image", None, "image/png", "x.png", b"abc")
    book.add("commit", "ollama:qwen3:4b", ago=3 * DAY, said=[*talk(EVIL, "")[:1], picture], cost=0)
    failure: dict[str, Any] = {"finish": None, "error": "RATE_LIMIT", "reason": "rate_limit", "message": "groq is full"}
    book.add("commit", "groq:llama", said=talk("Again", "")[:1], **failure)
    book.add("review", arguments=None, options=None, ended=None, finish=None, seconds=None)
    return book


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as server:
        yield server


def objects(done: Result) -> Any:
    assert done.status == 0, done.stderr
    return json.loads(done.stdout)


# --- a run and its log ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("model")
def test_what_was_run_is_listed_shown_and_found(library: Path, aix: Aix) -> None:
    write(library, "greet", "Greet {{ name }}.")
    assert aix("run", "greet", "Ada", "-x").stdout == "Good day."
    number, _, prompt, who, *figures, ended = aix("log", "list").stdout.rstrip("\n").split("\t")
    assert [number, prompt, who, figures[:2], ended] == ["1", "greet", "box:tiny", ["11", "7"], "ok"]
    shown = aix("log", "show").stdout
    assert "argument:    name = Ada\n" in shown
    assert shown.endswith("## user\n\nGreet Ada.\n\n## answer\n\nGood day.")
    assert aix("log", "show", "1", "--answer").stdout == "Good day."
    assert [hit["run"] for hit in objects(aix("log", "search", "greet", "ada", "--json"))] == [1]


def test_without_a_command_the_help_is_shown(aix: Aix) -> None:
    done = aix("log")
    assert done.status == 0
    assert "aix log list --since 7d --failed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["list"], 0, "nothing is in the run log yet; aix run hello --name Ada -x would be the first"),
        (["list", "--json"], 0, "[]"),
        (["show"], 5, "no run is in the log yet\n  hint: aix run NAME -x\n"),
        (["show", "7"], 5, "there is no run 7 in the log"),
        (["show", "first"], 5, "there is no run 'first' in the log"),
        (["show", "9" * 30], 5, "there is no run"),
        (["export"], 0, ""),
        (["search", "x"], 0, "nothing is in the run log yet"),
        (["search", " "], 2, "there is no word to look for"),
        (["prune", "--yes"], 0, "dropped the texts of 0 runs"),
        (["prune", "--before", "7d", "--keep", "7"], 2, "leave one of them out"),
        (["list", "--since", "soon"], 2, "--since: 'soon' is not a time"),
        (["list", "--since", "today", "--until", "yesterday"], 2, "there is nothing from "),
        (["export", "--since", "2026-02", "--until", "2026-01"], 2, "from 2026-02-01 00:00 to 2026-02-01 00:00"),
        (["list", "--prompt", ""], 2, "--prompt is empty"),
        (["export", "1", "--since", "7d"], 2, "by their numbers or by flags, not by both"),
    ],
    ids=spelt,
)
def test_asking_an_empty_log_makes_none(arguments: list[str], status: int, said: str, home: Path, aix: Aix) -> None:
    done = aix("log", *arguments)
    assert (done.status, said in done.stdout + done.stderr) == (status, True)
    assert not (home / ".local").exists()


# --- list -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [4, 3, 2, 1]),
        (["--limit", "2"], [4, 3]),
        (["--limit", "2", "--all"], [4, 3, 2, 1]),
        (["--prompt", "commit"], [3, 2]),
        (["--provider", "custom:ollama"], [2]),
        (["--model", "qwen3:4b"], [2]),
        (["--model", "ollama:qwen3:4b"], [2]),
        (["--model", "openai:gpt-5.5", "--since", "7d"], [4]),
        (["--since", "7d", "--until", "1d"], [2]),
        (["--until", "30d"], [1]),
        (["--failed"], [3]),
    ],
    ids=spelt,
)
@pytest.mark.usefixtures("shelf")
def test_a_list_is_narrowed(arguments: list[str], expected: list[int], aix: Aix) -> None:
    assert [run["run"] for run in objects(aix("log", "list", "--json", *arguments))] == expected


@pytest.mark.usefixtures("shelf")
def test_a_pipe_gets_all_figures_of_a_run_on_a_line(aix: Aix) -> None:
    lines = [line.split("\t") for line in aix("log", "list").stdout.splitlines()]
    assert [len(line) for line in lines] == [9] * 4
    assert lines[3][2:] == ["old/prompt", "openai:gpt-5.5", "1200", "40", "0.001234", "1.5", "ok"]
    assert [line[6:] for line in lines[:2]] == [["unpriced", "", "unfinished"], ["unpriced", "1.5", "RATE_LIMIT"]]


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (40, "id  when        prompt      ended"),
        (80, "id  when        prompt      answered         in    out  cost      ended"),
        (200, "id  when        prompt      answered         in    out  cost      time   ended"),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_a_table_fits_its_terminal(columns: int, headings: str) -> None:
    terminal = Terminal("log", "list", columns=columns)
    assert terminal.end() == 0
    first, *rows = terminal.screen.splitlines()
    assert first == headings
    assert len(rows) == 4
    assert b"\x1b[1;31mRATE_LIMIT" in terminal.raw


def test_a_long_name_is_cut_in_its_middle_and_not_the_figures(book: Book) -> None:
    book.add("a-very-long-name/of-a-prompt", "openrouter:anthropic/claude-3.5-sonnet:beta", **FIGURES)
    terminal = Terminal("log", "list", columns=80)
    assert terminal.end() == 0
    row = terminal.screen.splitlines()[1]
    assert row.split(maxsplit=2)[2] == "a-very-l…-prompt  openrout…et:beta  1.2k  40   ~$0.0012  1.5 s  ok"


@pytest.mark.parametrize("name", ["漢字の長い名前" * 4, "\x1b]8;;http://evil/\x1b\\", "e\u0301" * 40, "🎉" * 30])
@pytest.mark.parametrize(("columns", "words"), [(40, ["list"]), (80, ["list"]), (60, ["search", "what"])])
def test_no_name_takes_the_room_of_what_else_is_known(columns: int, words: list[str], name: str, book: Book) -> None:
    book.add(name, f"openai:{name}", said=talk("What now?", "No."), **FIGURES)
    terminal = Terminal("log", *words, columns=columns)
    assert terminal.end() == 0
    first, row = terminal.screen.splitlines()
    assert (first.split()[0], row.split()[0]) == ("id", "1")
    assert row.endswith("What now?" if words[0] == "search" else "ok")


@pytest.mark.usefixtures("shelf")
def test_what_no_run_is_like_leads_to_those_that_there_are(aix: Aix) -> None:
    assert aix("log", "list", "--prompt", "x").stderr.endswith("; aix log list shows the last ones\n")
    assert aix("log", "search", "zebra").stderr.endswith("; aix log list shows the last runs\n")


def test_a_list_that_goes_on_says_so(book: Book) -> None:
    for _ in range(3):
        book.add("commit")
    terminal = Terminal("log", "list", "--limit", "2")
    assert terminal.end() == 0
    assert terminal.screen.splitlines()[-1] == "aix: these are the last 2; aix log list --all shows all"


# --- show -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("shelf")
def test_a_run_is_shown_with_what_was_said(aix: Aix) -> None:
    done = aix("log", "show", "2")
    head, _, texts = done.stdout.partition("\n\n")
    assert "prompt:      user:commit\n" in head
    assert "answered:    ollama:qwen3:4b\n" in head
    assert head.endswith("attempt:     ollama:qwen3:4b, 200 ok after 1.5 s, key from OPENAI_API_KEY")
    assert texts == f"## user\n\n{EVIL}[x.png: image/png, 3 bytes]\n"
    assert done.stderr == ""


def test_a_terminal_is_shown_no_control_characters(book: Book) -> None:
    book.add("evil\x1b[2J", said=talk(EVIL, "\x1b]0;title\x07done"))
    for arguments in (["list"], ["show"], ["show", "--answer"], ["search", "comma"], ["export"]):
        terminal = Terminal("log", *arguments, columns=200)
        assert terminal.end() == 0
        assert [code for code in (b"\x1b[2J", b"\x1b]0", b"comma\x1b[31m,") if code in terminal.raw] == []


@pytest.mark.parametrize(
    ("run", "said"),
    [("3", "it answered nothing"), ("4", "it has not ended, or was killed")],
)
@pytest.mark.usefixtures("shelf")
def test_an_answer_that_is_not_there_is_not_empty(run: str, said: str, aix: Aix) -> None:
    done = aix("log", "show", run, "--answer")
    assert (done.stdout, done.status, said in done.stderr) == ("", 5, True)


@pytest.mark.usefixtures("shelf")
def test_a_failure_is_shown_with_its_words(aix: Aix) -> None:
    shown = aix("log", "show", "3").stdout
    assert "last asked:  groq:llama\n" in shown
    assert "error:       RATE_LIMIT (rate_limit): groq is full\n" in shown


@pytest.mark.parametrize(("env", "secret"), [({"CI": "1"}, "false"), ({}, "true")], ids=["CI", "a secret value"])
def test_figures_alone_say_why(env: dict[str, str], secret: str, library: Path, home: Path, aix: Aix) -> None:
    write(library, "greet", f"---\nparams:\n  name: {{secret: {secret}}}\n---\nHello {{{{ name }}}}!")
    assert aix("run", "greet", "-x", "--provider", "echo", "-p", "name=open-sesame", env=env).status == 0
    assert b"open-sesame" not in (home / ".local/share/aix/runs.db").read_bytes()
    done = aix("log", "show")
    assert "## " not in done.stdout
    assert "aix: no texts are kept of it" in done.stderr
    whole = objects(aix("log", "show", "--json"))
    assert [whole[name] for name in ("arguments", "messages", "text", "tool_calls")] == [None] * 4


@pytest.mark.parametrize("text", ["", "Let me look.", "Let me look.\n"])
def test_an_answer_that_calls_a_tool_is_kept_as_it_was_printed(
    text: str, model: Model, library: Path, aix: Aix
) -> None:
    write(library, "greet", "Hello!")
    model.text, model.calls, model.finish = (text,), (("weather", '{"city": "Rome"}'),), "tool_calls"
    printed = aix("run", "greet", "-x").stdout
    assert printed.endswith('weather {"city": "Rome"}\n')
    assert aix("log", "show", "--answer").stdout == printed
    whole = objects(aix("log", "show", "--json"))
    assert (whole["text"], whole["tool_calls"]) == (text, [{"name": "weather", "arguments": '{"city": "Rome"}'}])


@pytest.mark.usefixtures("shelf")
def test_json_has_the_whole_run(aix: Aix) -> None:
    run = objects(aix("log", "show", "1", "--json"))
    assert (run["run"], run["ok"], run["cost"], run["estimated"]) == (1, True, "0.001234", False)
    assert run["prompt"] == {"name": "old/prompt", "layer": "user", "digest": DIGEST, "revision": None}
    assert run["usage"]["input_tokens"] == 1200
    assert [one["status"] for one in run["attempts"]] == [200]
    assert run["messages"] == [{"role": "user", "content": "A very old question"}]
    assert (run["text"], run["error"]) == ("An old answer\n", None)


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["old"], [1]),
        (["comma"], [2]),
        (["com", "drop"], [2]),
        (["comma", "old"], []),
        (["AGAIN"], [3]),
        (["aga"], [3]),
    ],
    ids=spelt,
)
@pytest.mark.usefixtures("shelf")
def test_runs_are_found_by_all_words(words: list[str], expected: list[int], aix: Aix) -> None:
    assert [run["run"] for run in objects(aix("log", "search", "--json", *words))] == expected


@pytest.mark.usefixtures("shelf")
def test_what_was_looked_for_stands_out() -> None:
    terminal = Terminal("log", "search", "comma")
    assert terminal.end() == 0
    assert b"Drop the \x1b[1;31mcomma\x1b[0m" in terminal.raw


# --- export and prune -------------------------------------------------------------------------------------------------


def test_nothing_is_older_than_a_keep_that_is_longer_than_time(library: Path, aix: Aix) -> None:
    configure(library, log_keep=10**11)
    done = aix("log", "prune", "--yes")
    assert (done.status, done.stderr[:33]) == (0, "aix: dropped the texts of 0 runs ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], [1, 2, 3, 4]), (["last", "1", "1"], [4, 1]), (["--prompt", "commit"], [2, 3]), (["--until", "7d"], [1])],
    ids=spelt,
)
@pytest.mark.usefixtures("shelf")
def test_runs_are_exported_as_lines(arguments: list[str], expected: list[int], aix: Aix) -> None:
    lines = aix("log", "export", *arguments).stdout.splitlines()
    assert [json.loads(line)["run"] for line in lines] == expected
    assert json.loads(lines[0]) == objects(aix("log", "show", str(expected[0]), "--json"))


@pytest.mark.usefixtures("shelf")
def test_an_exported_file_is_for_its_owner_alone(home: Path, aix: Aix) -> None:
    path = home / "runs.jsonl"
    path.write_text("old")
    path.chmod(0o644)
    assert aix("log", "export", "-o", "runs.jsonl") == Result("", "aix: 4 runs in runs.jsonl\n", 0)
    assert (stat.S_IMODE(path.stat().st_mode), len(path.read_text().splitlines())) == (0o600, 4)
    assert [left for left in os.listdir(home) if left.startswith(".aix")] == []


def test_runs_are_written_down_while_an_export_waits_for_its_reader(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "LOCK_SECONDS", 1.0)
    for _ in range(25):  # more than are read at once, and than a pipe holds
        book.add("commit", said=talk("word " * 2000, "Done"))
    with subprocess.Popen([AIX, "log", "export"], stdout=subprocess.PIPE, text=True) as export:
        assert export.stdout
        first = export.stdout.readline()
        assert book.add("late") == 26
        assert [json.loads(line)["run"] for line in (first, *export.stdout)] == list(range(1, 26))


def test_texts_are_dropped_and_figures_stay(shelf: Book, aix: Aix) -> None:
    figures = aix("log", "list").stdout
    done = aix("log", "prune", "--keep", "30", "--yes", "--json")
    assert objects(done) | {"before": ""} == {"before": "", "whole": False, "dropped": 1}
    assert aix("log", "list").stdout == figures
    assert shelf.log.said(1) == []
    assert shelf.log.said(2) != []


def test_whole_runs_are_dropped(shelf: Book, aix: Aix) -> None:
    done = aix("log", "prune", "--before", "1d", "--whole", "--yes")
    assert (done.status, "dropped all that is kept of 2 runs from before" in done.stderr) == (0, True)
    assert [run.id for run in shelf.log.list(Choice())] == [4, 3]


def test_without_a_time_what_is_older_than_log_keep_goes(shelf: Book, library: Path, aix: Aix) -> None:
    assert objects(aix("log", "prune", "--yes", "--json"))["dropped"] == 1
    configure(library, log_keep=2)
    assert objects(aix("log", "prune", "--yes", "--json"))["dropped"] == 1
    assert [bool(shelf.log.said(number)) for number in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize(("typed", "left"), [("y", False), ("n", True)])
def test_a_person_is_asked_before_texts_go(typed: str, left: bool, shelf: Book) -> None:
    terminal = Terminal("log", "prune", "--before", "30d", columns=200)
    terminal.wait_for("Drop the texts of 1 run from before")
    terminal.type(typed)
    assert (terminal.end(), bool(shelf.log.said(1))) == (0, left)


def test_nobody_to_ask_is_no_consent(shelf: Book, aix: Aix) -> None:
    done = aix("log", "prune", "--before", "30d")
    assert (done.status, "hint: add --yes" in done.stderr, bool(shelf.log.said(1))) == (2, True, True)


# --- a prompt's history -----------------------------------------------------------------------------------------------


def test_a_renamed_prompt_keeps_its_history(shelf: Book, library: Path, aix: Aix) -> None:
    write(library, "commit", "Commit.")
    assert aix("rename", "commit", "git/message").status == 0
    assert [run.prompt for run in shelf.rows()] == ["old/prompt", "git/message", "git/message", "review"]


def test_renaming_makes_no_log(library: Path, home: Path, aix: Aix) -> None:
    write(library, "commit", "Commit.")
    assert aix("rename", "commit", "message").status == 0
    assert not (home / ".local").exists()


def test_a_log_that_cannot_be_written_does_not_stop_a_renaming(shelf: Book, library: Path, aix: Aix) -> None:
    write(library, "commit", "Commit.")
    shelf.log.path.unlink()
    shelf.log.path.mkdir()
    done = aix("rename", "commit", "message")
    assert (done.status, (library / "message.md").exists()) == (0, True)
    assert "aix: warning: its runs are still in the log as 'commit': " in done.stderr


def test_a_limit_for_the_old_name_is_pointed_out(library: Path, aix: Aix) -> None:
    write(library, "commit", "Commit.")
    configure(library, limits=[{"per": "day", "calls": 5, "prompt": "commit"}])
    done = aix("rename", "commit", "message")
    assert (done.status, "a limit is still for 'commit'" in done.stderr) == (0, True)


def test_a_deleted_prompt_keeps_its_history(shelf: Book, library: Path, aix: Aix) -> None:
    write(library, "commit", "Commit.")
    assert aix("delete", "commit", "--yes").status == 0
    assert [run.prompt for run in shelf.rows()].count("commit") == 2


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["log", "show", ""], ["last", "4", "3", "2", "1"]),
        (["rerun", ""], ["last", "4", "3", "2", "1"]),
        (["log", "export", "1", ""], ["last", "4", "3", "2", "1"]),
        (["log", "list", "--prompt", "com"], ["commit"]),
        (["log", "list", "--since", "y"], ["yesterday"]),
        (["log", "list", "--provider", "ollam"], ["ollama"]),
        (["log", "p"], ["prune"]),
    ],
    ids=spelt,
)
@pytest.mark.usefixtures("shelf")
def test_runs_are_completed(words: list[str], expected: list[str]) -> None:
    found = answer(App(dict(os.environ), Path.cwd()), get_command(cli), "fish", words).splitlines()[2:]
    assert [value for line in found if (value := line.partition("\t")[0]).startswith(words[-1])] == expected
