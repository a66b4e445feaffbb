"""Bad input through the real command: each with its message, its status, and never a traceback."""

import errno
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, configure, shell, write

GREETING = "Hello Ada!"


@pytest.fixture
def prompts(library: Path) -> Path:
    """A library of prompts that each go wrong in one way."""
    write(library, "greet", "Hello {{ name }}!")
    write(library, "team/review", "---\nparams:\n  diff: {type: text, required: true, stdin: true}\n---\n{{ diff }}")
    write(library, "typed", TYPED)
    write(library, "broken", "---\ndescription: x\nparams:\n  n: {type: integr}\n---\nx")
    write(library, "colon", "---\ndescription: Review: all\n---\nx")
    write(library, "endless", "---\ndescription: x\n")
    write(library, "undefined", "---\nparams: {a: {}}\n---\nHi {{ a }},\n{{ nobody }}")
    write(library, "escape", "{{ ''.__class__ }}")
    write(library, "shell", 'Now {{ sh("touch ran") }}')
    write(library, "nothing", "---\nparams: {a: {}}\n---\n{{ a }}")
    write(library, "latin", "").write_bytes(b"one\ntwo \xe9\n")
    return library


TYPED = """---
params:
  count: {type: integer, required: true, min: 1, max: 9}
  ratio: {type: number}
  strict: {type: boolean}
  day: {type: date}
  data: {type: json}
  lang: {choices: [python, go]}
  slug: {pattern: "[a-z]+"}
  shot: {type: image}
---
{{ count }}"""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine at which nobody listens; it stays taken, so that nobody can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


NO_KEY_FOR_OPENAI = """\
No API key found for openai
  hint: get a key at https://platform.openai.com/api-keys
  hint: save it: aix api-key openai
  hint: or set OPENAI_API_KEY"""
NO_KEY = """\
No API key found
  hint: aix init sets up a provider
  hint: get a key at https://openrouter.ai/keys
  hint: save it: aix api-key openrouter
  hint: or set OPENROUTER_API_KEY
  hint: without a key: --provider ollama (a model on this machine), --provider echo (no model at all)"""
UNTRUSTED = """\
'shell' runs a command, and its content is not trusted: touch ran
  hint: look at it: aix show shell
  hint: trust this content: aix trust shell
  hint: in CI: --trust sha256:059f1b875d67ca57987508495c0a01f0dfa72eb41f2090a71bca341b61db7d58
  hint: without its commands: --disable-commands"""

BAD = [
    # names
    ("run greeet", 5, "there is no prompt 'greeet'\n  hint: did you mean greet?"),
    ("run team/reviw", 5, "there is no prompt 'team/reviw'\n  hint: did you mean team/review?"),
    ("run qqqq", 5, "there is no prompt 'qqqq'\n  hint: aix list shows all prompts"),
    ("show qqqq", 5, "there is no prompt 'qqqq'\n  hint: aix list shows all prompts"),
    ("rnu greet", 2, "no such command 'rnu'. Did you mean 'run'?\n  hint: aix --help"),
    ("qqqq", 2, "no such command 'qqqq'\n  hint: aix --help"),
    ("run greet --name Ada --bogus", 2, "no such option: --bogus\n  hint: aix run greet --help"),
    ("run greet --name Ada -q", 2, "no such option: -q\n  hint: aix run greet --help"),
    ("list -x", 2, "no such option: -x\n  hint: aix list --help"),
    # front matter and templates
    ("run broken", 6, "{home}/.prompts/broken.md:4: type must be one of string, text, integer, number, boolean, date, "
     "json, list, file, image\n  hint: did you mean integer?"),
    ("run colon", 6, "{home}/.prompts/colon.md:2: not valid YAML (mapping values are not allowed in this context)\n"
     '  hint: quote the value: description: "Review: all"'),
    ("run endless", 6, "{home}/.prompts/endless.md:1: the front matter has no end\n"
     "  hint: close it with a line that holds only ---"),
    ("run undefined --a you", 6, "{home}/.prompts/undefined.md:5: 'nobody' is undefined\n"
     "  hint: declare it under params, or write {{ nobody | default('') }}"),
    ("run latin", 6, "{home}/.prompts/latin.md:2: not UTF-8 text\n  hint: file {home}/.prompts/latin.md"),
    ("run shell", 11, UNTRUSTED),
    ("run shell -x --provider echo", 11, UNTRUSTED),
    # values
    ("run typed --count three", 2, "param 'count' must be a whole number, such as 3, not 'three'"),
    ("run typed --count 0", 2, "param 'count' must be at least 1, not '0'"),
    ("run typed --count 10", 2, "param 'count' must be at most 9, not '10'"),
    ("run typed --count 1 --ratio much", 2, "param 'ratio' must be a number, such as 0.5, not 'much'"),
    ("run typed --count 1 -p strict=maybe", 2, "param 'strict' must be true or false, not 'maybe'"),
    ("run typed --count 1 --day tomorrow", 2, "param 'day' must be a date, such as 2026-11-21, not 'tomorrow'"),
    ("run typed --count 1 --data {", 2, "param 'data' must be JSON, such as {\"a\": 1}, not '{'"),
    ("run typed --count 1 --lang rust", 2, "param 'lang' must be one of python, go, not 'rust'"),
    ("run typed --count 1 --slug X", 2, "param 'slug' must match [a-z]+, not 'X'"),
    ("run typed --count 1 --shot latin.txt", 2, "param 'shot': latin.txt is not a PNG, JPEG, GIF or WebP image"),
    ("run typed", 2, "required param 'count' is missing\n  hint: add --count …"),
    ("run greet", 2, "required param 'name' is missing\n  hint: add --name …"),
    ("run greet --name=", 2, "required param 'name' is empty\n  hint: give it some text: --name …"),
    ("run team/review", 2, "required param 'diff' is empty (stdin had 0 bytes)\n"
     "  hint: pipe something in, or give --diff"),
    ("run team/review --diff-file nope", 2, "param 'diff': cannot read nope: no such file or directory"),
    ("run team/review --diff-file .", 2, "param 'diff': cannot read .: is a directory"),
    ("run team/review --diff-file latin.txt", 2, "param 'diff': latin.txt is not UTF-8 text (byte 0)"),
    ("run team/review --diff a -p diff=b", 2, "param 'diff' is given twice\n  hint: give it once, as --diff"),
    ("run typed -p cuont=1", 2, "there is no param 'cuont'\n  hint: did you mean count?"),
    ("run typed -p count", 2, "-p 'count' is neither NAME=VALUE nor NAME@FILE\n  hint: aix run typed --help"),
    ("run typed --count 1 more words", 2, "the prompt takes no words after its name: 'more words'\n"
     "  hint: its params are --count, --ratio, --strict, --day, --data, --lang, --slug, --shot"),
    ("run typed --param-file nope.json", 2, "--param-file: cannot read nope.json: no such file or directory"),
    # files as prompts
    ("run ./nope.md", 5, "there is no file {home}/nope.md\n"
     "  hint: a prompt of the library is named without ./ and .md"),
    ("run ./latin.txt", 6, "{home}/latin.txt:1: not UTF-8 text\n  hint: file {home}/latin.txt"),
    # models
    ("run greet --name Ada -x", 4, NO_KEY),
    ("run greet --name Ada -x --provider openai", 4, NO_KEY_FOR_OPENAI),
    ("run greet --name Ada -x -m openai/gpt-5.5", 4, NO_KEY_FOR_OPENAI),
    ("run greet --name Ada -x --fallback echo --no-fallback", 2, "--fallback and --no-fallback contradict each other\n"
     "  hint: leave one of them out"),
    ("run greet --name Ada -x --output=", 2, "--output is empty\n"
     "  hint: an unset variable? leave the flag out for the default"),
    ("run greet --name Ada -x --stop=", 2, "--stop is empty\n"
     "  hint: an unset variable? leave the flag out for no stop"),
    ("run greet --name Ada -x --provider opanai", 5, "there is no provider 'opanai'\n  hint: did you mean openai?"),
    ("run greet --name Ada -x -m custom:box", 5, "there is no provider 'custom:box'\n"
     "  hint: aix provider list"),
    ("run nothing -x --provider echo", 2, "'nothing' renders to nothing, so there is nothing to send"),
    ("run nothing --show-request --provider echo", 2, "'nothing' renders to nothing, so there is nothing to send"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "status", "said"), BAD, ids=lambda value: value if isinstance(value, str) else None)
def test_bad_input_is_one_sentence_and_a_hint(
    line: str, status: int, said: str, aix: Aix, prompts: Path, home: Path
) -> None:
    (home / "latin.txt").write_bytes(b"\xff")
    assert aix(*line.split()) == Result("", f"aix: error: {said.replace('{home}', str(home))}\n", status)
    assert not (home / "ran").exists()


def test_the_sandbox_is_a_template_error(aix: Aix, prompts: Path) -> None:
    done = aix("run", "escape")
    assert (done.stdout, done.status) == ("", 6)
    assert done.stderr.startswith(f"aix: error: {prompts}/escape.md:1: ")
    assert "Traceback" not in done.stderr


def test_a_directory_is_no_prompt_file(aix: Aix, prompts: Path) -> None:
    done = aix("run", "./")
    assert (done.stdout, done.status) == ("", 5)
    assert done.stderr.startswith("aix: error: ")


def test_a_prompt_that_renders_to_nothing_is_shown_as_nothing(aix: Aix, prompts: Path) -> None:
    assert aix("run", "nothing") == Result("", NOT_SENT, 0)


def test_a_host_that_nobody_answers_at_is_named(aix: Aix, prompts: Path, closed_port: int) -> None:
    configure(
        prompts, custom_providers={"box": {"base_url": f"http://127.0.0.1:{closed_port}/v1", "default_model": "m"}}
    )
    done = aix("run", "greet", "--name", "Ada", "-x", "-m", "box")
    assert done == Result(
        "",
        f"aix: error: cannot connect to box at 127.0.0.1:{closed_port}\n"
        f"  cause: [Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}\n"
        "  hint: check that it runs, and its address\n"
        "  hint: aix rerun last\n",
        7,
    )


@pytest.mark.parametrize("arguments", [["run", "team/review"], ["run", "-"], ["create", "new", "-"]], ids=" ".join)
def test_stdin_that_is_no_text_is_refused(arguments: list[str], aix: Aix, prompts: Path) -> None:
    said = "aix: error: standard input is not UTF-8 text (byte 5)\n"
    assert aix(*arguments, stdin=b"half \xe2\x82") == Result("", said, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "greet", "--name", "\udcff"],
        ["run", "\udcff"],
        ["run", "greet", "--name=A\udced\udca0\udc80"],
        ["create", "new", "text \udcff"],
    ],
    ids=ascii,
)
def test_an_argument_that_is_no_text_is_refused(arguments: list[str], aix: Aix, prompts: Path) -> None:
    shown = next(word for word in arguments if not word.isascii()).encode("ascii", "backslashreplace").decode()
    said = f"aix: error: the argument '{shown}' is not UTF-8 text\n  hint: give it in a file, as UTF-8\n"
    assert aix(*arguments) == Result("", said, 2)
    assert not (prompts / "new.md").exists()


def test_half_a_letter_from_a_file_of_values_does_no_harm(aix: Aix, prompts: Path, home: Path) -> None:
    (home / "values.json").write_text('{"name": "\\ud83d!"}')
    whole = "Hello \ufffd!!"
    assert aix("run", "greet", "--param-file", "values.json") == Result(whole, NOT_SENT, 0)
    assert aix("run", "greet", "--param-file", "values.json", "-o", "out") == Result("", NOT_SENT, 0)
    assert (home / "out").read_text() == whole
    done = aix("run", "greet", "--param-file", "values.json", "--json")
    assert json.loads(done.stdout)["messages"][0]["content"] == whole


# --- a strange place to run in ----------------------------------------------------------------------------------------


def test_a_working_directory_that_is_gone_does_not_matter(prompts: Path, home: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$AIX" "$@"'
    assert shell(script, "run", "greet", "--name", "Ada", cwd=home) == Result(GREETING, NOT_SENT, 0)
    done = shell(script, "run", "./x.md", cwd=home)
    assert (done.status, done.stdout, done.stderr.count("\n")) == (5, "", 2)


CLOSED = [
    ("<&-", GREETING, NOT_SENT, 0),
    (">&-", "", "aix: error: cannot write standard output: it is closed\n  hint: write to a file: --output FILE\n", 13),
    ("2>&-", GREETING, "", 0),
    ("<&- 2>&-", GREETING, "", 0),
    ("<&- >&- 2>&-", "", "", 13),
    (">/dev/full", "", "aix: error: cannot write standard output: no space left on device\n"
     "  hint: free some disk space and run the command again\n", 13),
    ("2>/dev/full", GREETING, "", 0),
]  # fmt: skip


@pytest.mark.parametrize(("streams", "stdout", "stderr", "status"), CLOSED, ids=[row[0] for row in CLOSED])
def test_a_closed_stream_is_borne(streams: str, stdout: str, stderr: str, status: int, prompts: Path) -> None:
    if "/dev/full" in streams and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    assert shell(f'"$AIX" run greet --name Ada {streams}') == Result(stdout, stderr, status)


def test_an_answer_that_cannot_be_written_is_no_success(prompts: Path) -> None:
    for streams in (">&-", *([">/dev/full"] if Path("/dev/full").exists() else [])):
        done = shell(f'"$AIX" run greet --name Ada -x --provider echo {streams}')
        assert (done.stdout, done.status) == ("", 13)
        assert done.stderr.startswith("aix: error: cannot write standard output: ")


def test_a_closed_stdout_does_not_matter_to_a_file(prompts: Path, home: Path) -> None:
    assert shell('"$AIX" run greet --name Ada -o out >&-') == Result("", NOT_SENT, 0)
    assert (home / "out").read_text() == GREETING


def test_a_closed_stdin_has_no_value(prompts: Path) -> None:
    assert shell('"$AIX" run team/review <&-') == Result(
        "", "aix: error: required param 'diff' is missing\n  hint: add --diff …\n", 2
    )
    assert shell('"$AIX" run - <&-') == Result("", "aix: error: standard input is closed\n", 2)


def test_a_reader_that_leaves_ends_the_run_quietly(prompts: Path, home: Path) -> None:
    (home / "long.txt").write_text("word " * 50_000)
    script = '{ "$AIX" run team/review --diff-file long.txt; echo $? >&2; } | head -c 4'
    done = shell(script, cwd=home)
    assert (done.stdout, done.stderr) == ("word", "141\n")


def test_without_a_home_the_named_library_is_used(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIX_HOME", str(prompts))
    assert shell('"$AIX" run greet --name Ada', without=("HOME",)) == Result(GREETING, NOT_SENT, 0)


def test_a_home_that_cannot_be_written_is_only_read(aix: Aix) -> None:
    env = {"HOME": "/proc/nobody"}
    assert aix("run", "-", "--name", "Ada", stdin="Hello {{ name }}!", env=env) == Result(GREETING, NOT_SENT, 0)
    assert aix("list", env=env).status == 0
    for arguments in (["create", "new", "text"], ["config", "temperature", "1"]):
        done = aix(*arguments, env=env)
        assert (done.stdout, done.status) == ("", 13)
        assert done.stderr.startswith("aix: error: cannot write /proc/nobody/.prompts")
        assert "Traceback" not in done.stderr


def test_a_library_that_is_a_file_is_said_to_be_wrong(aix: Aix, home: Path) -> None:
    (home / "file").write_text("no library")
    env = {"AIX_HOME": str(home / "file")}
    for arguments, status in ((["run", "hello", "--name", "Ada"], 12), (["create", "new", "text"], 13)):
        done = aix(*arguments, env=env)
        assert (done.stdout, done.status) == ("", status)
        assert done.stderr.startswith("aix: error: cannot ")
        assert "Traceback" not in done.stderr
    assert (home / "file").read_text() == "no library"


PASTED = "sk-proj-abcdefghij1234567890"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["api-key", "openai", PASTED],
            2,
            "a key on a command line stays in the shell's history\n  hint: aix api-key openai",
        ),
        (["api-key", PASTED], 5, "there is no provider 'sk-p***7890'\n"),
        (["init", PASTED], 2, "got unexpected extra argument(s) (sk-p***7890)\n"),
        (["config", "default_model", PASTED], 2, "that looks like an API key, which default_model is not\n"),
        (["config", "default_provider", PASTED], 2, "that looks like an API key, which default_provider is not\n"),
        (["run", PASTED], 5, "there is no prompt 'sk-p***7890'\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_key_in_the_wrong_place_is_neither_shown_nor_kept(
    arguments: list[str], status: int, said: str, aix: Aix, library: Path
) -> None:
    done = aix(*arguments)
    assert done.status == status
    assert done.stderr.startswith(f"aix: error: {said}")
    assert PASTED not in done.stdout + done.stderr
    assert list(library.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["hello"], "aix run hello"),
        (["help"], "aix --help"),
        (["run", "hello", "--nme", "x"], "aix run hello --help"),
        (["list", "--nope"], "aix list --help"),
        (["provider", "info"], "aix provider info --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_word_gets_the_nearest_help(arguments: list[str], hint: str, aix: Aix) -> None:
    done = aix(*arguments)
    assert done.status == 2
    assert f"  hint: {hint}\n" in done.stderr


def test_a_provider_that_is_not_there_cannot_be_the_default(aix: Aix, library: Path) -> None:
    assert aix("config", "default_provider", "opnai").stderr.endswith("hint: did you mean openai?\n")
    assert list(library.iterdir()) == []
