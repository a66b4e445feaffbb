"""What Tab offers: a table of lines, and the shells themselves on a terminal."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest
from conftest import AIX, WARM, Aix
from stage import SECONDS, configure, write
from typer.main import get_command

from aix.app import App
from aix.cli.completion.answer import answer
from aix.cli.main import cli

BREAKS = " \t\n\"'><=;|&(:"

REVIEW = """---
description: Review a change
tags: [code, zeal]
params:
  diff: {type: text, required: true, stdin: true, help: The change}
  language: {default: python, choices: [python, go, rust], help: The language, short: L}
  strict: {type: boolean, help: Mind everything}
  picture: {type: image}
  tone: {choices: [two words, "it's", plain]}
  model: {type: string}
---
{{ diff }}{{ language }}{{ strict }}{{ tone }}{{ model }}
"""
HOSTILE = """---
description: "a\\tb\\nc $(touch planted) `touch planted` ; touch planted %F{red} \\e[31m : 'q\\" \\\\n"
tags: ["$(touch planted)", "a;touch planted", "x`touch planted`", "c:d", "e f"]
params:
  way:
    choices: ["$(touch planted)", "`touch planted`", "; touch planted", a:b c, "new\\nline", "q'u\\"o\\\\te!", "~root"]
---
{{ way }}
"""


@pytest.fixture
def shelf(library: Path) -> Path:
    """A library with a prompt for every kind of param, one in a folder, one hostile and one broken."""
    write(library, "review", REVIEW)
    write(library, "web/look", "{{ topic }}")
    write(library, "evil", HOSTILE)
    write(library, "broken", "---\nparams: [\n---\n")
    box = {"base_url": "http://127.0.0.1:9/v1", "default_model": "tiny", "api_key_command": "touch planted"}
    configure(
        library,
        custom_providers={"box": box},
        api_keys={"openai": "sk-1234567890abcdef"},
        roles={"mine": "openai:gpt-x"},
        openai_default_model="gpt-mine",
        models={"mine-1": {"provider": "box"}},
    )
    return library


def offered(*words: str, shell: str = "bash") -> tuple[str, list[str]]:
    """The kind and the values that a script of that shell is given."""
    arguments = [" ".join(("aix", *words)), BREAKS] if shell == "bash" else list(words)
    app = App(dict(os.environ), Path.cwd())
    kind, _, *lines = answer(app, get_command(cli), shell, arguments).splitlines()
    return kind, lines


def values(*words: str) -> list[str]:
    """The values alone, as no shell changes them."""
    return [line.partition("\t")[0] for line in offered(*words, shell="fish")[1]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ru", ["run"]),
        ("route rev", ["review", "review-json"]),
        ("route str", ["strong"]),
        ("route openai:gpt-m", ["gpt-mine"]),
        ("run rev", ["review", "review-json"]),
        ("run web/", ["web/look"]),
        ("run bro", ["broken"]),
        ("show web/l", ["web/look"]),
        ("run review --la", ["--language"]),
        ("run review --no-str", ["--no-strict", "--no-stream"]),
        ("run review --dif", ["--diff", "--diff-file"]),
        ("run review --language ", ["python", "go", "rust"]),
        ("run review -L r", ["rust"]),
        ("run review -xL r", ["rust"]),
        ("run review --language=g", ["go"]),
        ("run review --language go --lang", []),
        ("run review --param l", ["language="]),
        ("run review -p language=", ["python", "go", "rust"]),
        ("run review --param=language=r", ["rust"]),
        ("run review -p strict=", ["true", "false"]),
        ("run -p language=go review -p tone=p", ["plain"]),
        ("run web/look --to", ["--topic", "--topic-file", "--top-p"]),
        ("run nobody --lang", []),
        ("run broken --lang", []),
        ("run review --tone two\\ w", ["two\\ words"]),
        ("run review --tone 'two w", ["two words"]),
        ('run review --tone "it', ["it's"]),
        ("run review --tone 'it", ["it'\\''s"]),
        ("run review --provider op", ["openai", "openrouter"]),
        ("run review --provider custom:", ["box"]),
        ("run review -m s", ["strong"]),
        ("run review -m min", ["mine"]),
        ("run review -m openai:gpt-5.5-p", ["gpt-5.5-pro"]),
        ("run review -m openai:o3-m", []),
        ("run review -m box:", ["tiny", "mine-1"]),
        ("model info openai:gpt-5.5-p", ["gpt-5.5-pro"]),
        ("model info str", []),
        ("model test box:tiny groq:openai/gpt-oss-1", ["openai/gpt-oss-120b"]),
        ("model remove ", ["mine-1"]),
        ("model list --source se", ["seed"]),
        ("run review --provider openai -m gpt-5.5-p", ["gpt-5.5-pro"]),
        ("config openai_default_model gpt-5.5-p", ["gpt-5.5-pro"]),
        ("run review --extract ", ["code", "json"]),
        ("run review --effort m", ["minimal", "medium", "max"]),
        ("run review -m custom:b", ["box"]),
        ("run review -m box", ["box:tiny", "box:"]),
        ("run review --provider openai -m gpt-m", ["gpt-mine"]),
        ("api-key op", ["openai", "openrouter"]),
        ("api-key openai --action ", ["set", "get", "delete"]),
        ("config default_p", ["default_provider"]),
        ("config default_provider op", ["openai", "openrouter"]),
        ("config stream ", ["true", "false"]),
        ("config api_keys.ope", ["api_keys.openrouter", "api_keys.openai"]),
        ("config openai_", ["openai_default_model"]),
        ("config openai_default_model gpt-m", ["gpt-mine"]),
        ("config custom_providers.box.au", ["custom_providers.box.auth_type"]),
        ("config custom_providers.box.auth_type ", ["bearer", "api-key", "x-api-key", "x-goog-api-key", "none"]),
        ("config custom_providers.box.protocol a", ["anthropic-messages"]),
        ("config --set stream ", ["true", "false"]),
        ("config --set stream=t", ["true"]),
        ("config --set default_model=openai:gpt-m", ["gpt-mine"]),
        ("config --get stre", ["stream"]),
        ("config --unset str", []),
        ("config --unset api", ["api_keys.openai"]),
        ("create w", ["web/"]),
        ("show web/l", ["web/look"]),
        ("which rev", ["review", "review-json"]),
        ("edit rev", ["review", "review-json"]),
        ("delete rev", ["review"]),
        ("delete review rev", []),
        ("rm rev", ["review"]),
        ("mv rev", ["review"]),
        ("mv review w", ["web/"]),
        ("cp rev", ["review", "review-json"]),
        ("cp review w", ["web/"]),
        ("ls --js", ["--json"]),
        ("list --tag ze", ["zeal"]),
        ("search x --tag code,ze", ["code,zeal"]),
        ("completion ", ["bash", "zsh", "fish", "powershell"]),
        ("nothing ", []),
        ("run review -- --la", []),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_a_line_is_completed(line: str, expected: list[str]) -> None:
    kind, found = offered(line)
    assert kind in ("words", "open")
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run ./d", "files"),
        ("run ~/", "files"),
        ("run review -o ", "files"),
        ("run review --output=x", "files"),
        ("run review --param-file ", "files"),
        ("run review --diff-file ", "files"),
        ("run review --picture ", "files"),
        ("run review -p diff@", "files"),
        ("run review > o", "files"),
        ("run review --schema ", "files"),
        ("run review -a ", "files"),
        ("run review --library ", "folders"),
        ("list --library ", "folders"),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_files_and_folders_are_left_to_the_shell(line: str, expected: str) -> None:
    kind, found = offered(line)
    assert (kind, found) == (expected, [])


def test_the_params_of_a_prompt_come_before_the_flags_of_run(shelf: Path) -> None:
    found = values("run", "review", "--")
    own = ["--diff", "--diff-file", "--language", "--strict", "--no-strict", "--picture", "--tone"]
    assert found[: len(own)] == own
    assert found.index("--model") > len(own)  # the param of that name is left to -p


def test_commands_come_with_their_help_and_without_hidden_ones(shelf: Path) -> None:
    _, lines = offered("", shell="fish")
    found = dict(line.split("\t") for line in lines)
    assert found["run"].startswith("Render a prompt")
    assert not [name for name in found if name.startswith("_")]


def test_prompts_come_with_their_descriptions(shelf: Path) -> None:
    _, lines = offered("run", "rev", shell="zsh")
    assert "-review:Review a change" in lines


def test_names_come_from_the_library_that_is_given(shelf: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other, "theirs", "---\nparams: {way: {choices: [left, right]}}\n---\n{{ way }}")
    assert values("run", "--library", str(other), "the") == ["theirs"]
    assert values("run", "--library", str(other), "theirs", "--way", "") == ["left", "right"]
    assert values("run", "theirs", "--library", str(other), "--way", "") == ["left", "right"]


def test_the_params_of_a_file_are_known(home: Path) -> None:
    write(home, "draft", "---\nparams: {way: {choices: [left, right]}}\n---\n{{ way }}")
    assert values("run", "./draft.md", "--way", "l") == ["left"]


def test_providers_that_can_be_asked_come_first(shelf: Path) -> None:
    found = values("run", "review", "--provider", "")
    assert found.index("openai") < found.index("openrouter")
    assert {"box", "custom:box"} <= {*found}


def test_a_broken_config_hides_nothing_else(library: Path) -> None:
    (library / "config.json").write_text("{")
    assert "openai" in values("run", "hello", "--provider", "")
    assert "hello" in values("run", "hel")


def test_hostile_text_is_one_harmless_line(shelf: Path) -> None:
    for shell in ("zsh", "fish"):
        _, lines = offered("run", "evil", shell=shell)
        assert len(lines) == 1
        assert lines[0].isprintable() or lines[0].replace("\t", " ", 1).isprintable()
    assert "new\nline" not in values("run", "evil", "--way", "")
    assert len(values("run", "evil", "--way", "")) == 6


POWERSHELL = [
    ("run review --tone ", "'two words'\ttwo words\ttwo words"),
    ("run review --tone ", "'it''s'\tit's\tit's"),
    ("run evil --way ", "'$(touch planted)'\t$(touch planted)\t$(touch planted)"),
    ("run rev", "review\treview\tReview a change"),
]


@pytest.mark.parametrize(("line", "expected"), POWERSHELL)
def test_powershell_asks_through_the_environment(line: str, expected: str, shelf: Path, aix: Aix) -> None:
    done = aix("__complete", "powershell", env={"_AIX_WORDS": "\n".join(line.split(" "))})
    assert (done.status, done.stderr) == (0, "")
    assert expected in done.stdout.splitlines()[2:]


def test_every_quotation_mark_of_powershell_is_doubled(library: Path, aix: Aix) -> None:
    write(library, "curly", "---\nparams: {way: {choices: ['a’; b ‘c']}}\n---\n{{ way }}")
    done = aix("__complete", "powershell", env={"_AIX_WORDS": "run\ncurly\n--way\n"})
    assert done.stdout.splitlines()[2].startswith("'a’’; b ‘‘c'\t")


@pytest.mark.parametrize(
    ("shell", "says"),
    [
        ("bash", "complete -o default -F _aix_completion aix"),
        ("zsh", "#compdef aix"),
        ("fish", "complete -c aix"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName aix"),
        ("pwsh", "Register-ArgumentCompleter -Native -CommandName aix"),
    ],
)
def test_each_shell_has_its_script(shell: str, says: str, aix: Aix) -> None:
    done = aix("completion", shell)
    assert (done.status, done.stderr) == (0, "")
    assert says in done.stdout


def test_the_shell_is_the_one_in_the_environment(aix: Aix) -> None:
    assert aix("completion", env={"SHELL": "/usr/bin/fish"}).stdout == aix("completion", "fish").stdout
    for done in (aix("completion", env={"SHELL": "/bin/ksh"}), aix("completion", "ksh"), aix("completion")):
        assert done.status == 2
        assert "aix completion bash|zsh|fish|powershell" in done.stderr


def test_its_help_says_how_to_install_it(aix: Aix) -> None:
    help_ = aix("completion", "--help").stdout
    for place in (
        "~/.local/share/bash-completion/completions/aix",
        "~/.zfunc/_aix",
        "completions/aix.fish",
        "$PROFILE",
    ):
        assert place in help_


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch", "--", "run"),
        ("bash",),
        ("bash", "--", "aix run '", BREAKS),
        ("zsh", "--", "run", "broken", "--"),
        ("zsh", "--", "run", "/dev/null/x.md", "--"),
        ("zsh", "--", "run", "-", "--"),
    ],
)
def test_a_tab_is_silent_whatever_is_wrong(arguments: tuple[str, ...], library: Path, aix: Aix) -> None:
    write(library, "broken", "---\nparams: [\n---\n")
    (library / "config.json").write_text("{")
    done = aix("__complete", *arguments, env={"AIX_TIMEOUT": "soon"})
    assert (done.status, done.stderr) == (0, "")


def test_a_tab_writes_nothing_and_runs_no_command(shelf: Path, home: Path, aix: Aix) -> None:
    write(shelf, "cmd", "{{ sh('touch planted') }}{{ topic }}")
    before = sorted(path for path in home.rglob("*"))
    for words in (
        ["run", "cmd", "--"],
        ["run", "cmd", "--provider", ""],
        ["run", "cmd", "-m", "box:"],
        ["api-key", ""],
    ):
        assert aix("__complete", "fish", "--", *words).stdout.count("\n") > 2
    assert sorted(path for path in home.rglob("*")) == before
    assert not list(home.rglob("planted"))


LOADED = """
import json, sys
from aix.cli.main import execute
execute(sys.argv[1:])
sys.stdout.flush()
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


@pytest.mark.parametrize(
    ("words", "reads"),
    [
        (["ru"], set()),
        (["config", "--set", ""], set()),
        (["run", "--model", ""], set()),
        (["run", ""], {"yaml"}),
        (["run", "review", "--"], {"yaml"}),
    ],
    ids=str,
)
@pytest.mark.usefixtures("shelf")
def test_a_tab_loads_only_what_its_word_needs(words: list[str], reads: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "__complete", "fish", "--", *words],
        capture_output=True,
        env=dict(os.environ),
        check=True,
    )
    *lines, loaded = done.stdout.splitlines()
    assert len(lines) > 2
    assert {*json.loads(loaded)} & {"jinja2", "yaml", "httpx", "rich", "questionary", "ssl"} == reads


PLACES = {
    "bash": ".local/share/bash-completion/completions/aix",
    "bare bash": ".aix-completion",
    "zsh": ".zfunc/_aix",
    "fish": ".config/fish/completions/aix.fish",
}
"""Where the script of each shell goes, as the help says."""

FISH_KNOWS = ".local/share/fish/generated_completions"
"""Where this is not, fish reads every manual page of the machine in the background, long after the test has ended."""

FRAMEWORK = Path("/usr/share/bash-completion/bash_completion")
START = {
    "bash": (".bashrc", f"PS1='> '; . {FRAMEWORK}"),
    "bare bash": (".bashrc", "PS1='> '; . ~/.aix-completion"),
    "zsh": (".zshrc", "PS1='> '; fpath+=~/.zfunc; autoload -Uz compinit; compinit -u"),
    "fish": (".config/fish/config.fish", "function fish_prompt; echo '> '; end; set -g fish_greeting"),
}

SHOW = r"""#!/bin/sh
printf '%s\n' "$@" > "$HOME/shown"
printf 'sh%s' own
"""
"""Keeps the words that a shell made of a line."""


class Typist:
    """A shell on a terminal, with a person who types."""

    def __init__(self, name: str, home: Path) -> None:
        self._home = home
        folder = home / "bin"
        folder.mkdir()
        (folder / "aix").symlink_to(WARM.command)
        (folder / "show").write_text(SHOW)
        (folder / "show").chmod(0o755)
        path, line = START[name]
        for place, text in ((path, line + "\n"), (PLACES[name], self._script(name))):
            (home / place).parent.mkdir(parents=True, exist_ok=True)
            (home / place).write_text(text)
        (home / FISH_KNOWS).mkdir(parents=True)
        env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "LANG": "C.UTF-8", "HISTFILE": "/dev/null"}
        self._child: Any = pexpect.spawn(name.split()[-1], ["-i"], env=env, dimensions=(50, 100), timeout=SECONDS)
        self._child.delaybeforesend = None
        self._child.expect_exact(b"> ")

    def _script(self, name: str) -> str:
        done = subprocess.run([AIX, "completion", name.split()[-1]], capture_output=True, check=True, text=True)
        return done.stdout

    def words_of(self, typed: str) -> list[str]:
        """What `aix` would be called with, after a line with its Tabs is typed and sent."""
        self._child.send(f"{typed}\x01show \x05\r")
        self._child.expect_exact(b"shown")
        return (self._home / "shown").read_text().splitlines()

    def sees(self, typed: str, text: str) -> None:
        """Wait until the text stands in what the Tabs list."""
        self._child.send(typed)
        self._child.expect_exact(text.encode())

    def end(self) -> None:
        self._child.close(force=True)


@contextmanager
def at(name: str, home: Path) -> Iterator[Typist]:
    if shutil.which(name.split()[-1]) is None:
        pytest.skip(f"{name} is not installed")
    if name == "bash" and not FRAMEWORK.exists():
        pytest.skip("the package bash-completion is not installed")
    typist = Typist(name, home)
    try:
        yield typist
    finally:
        typist.end()


TYPED = [
    ("aix ru\thell\t", ["run", "hello"]),
    ('aix run review --tone "two\t-x', ["run", "review", "--tone", "two words", "-x"]),
    ("aix run review --tone 'two\t-x", ["run", "review", "--tone", "two words", "-x"]),
    ("aix run review --language=r\t-x", ["run", "review", "--language=rust", "-x"]),
    ("aix run review -p lang\tr\t", ["run", "review", "-p", "language=rust"]),
    ("aix run review -m openai:gpt-m\t-x", ["run", "review", "-m", "openai:gpt-mine", "-x"]),
    ("aix run review -o two\t-x", ["run", "review", "-o", "two files.txt", "-x"]),
    ("aix run review --output=two\t-x", ["run", "review", "--output=two files.txt", "-x"]),
    ("aix run review -p diff@two\t-x", ["run", "review", "-p", "diff@two files.txt", "-x"]),
    ("aix run ./dra\t-x", ["run", "./draft.md", "-x"]),
    ("aix list --library fol\t", ["list", "--library", "folder"]),
    ("aix ls --tag c:\t-l", ["ls", "--tag", "c:d", "-l"]),
    ("aix run evil --way a\t-x", ["run", "evil", "--way", "a:b c", "-x"]),
    ("aix run evil --way \\$\t-x", ["run", "evil", "--way", "$(touch planted)", "-x"]),
    ('aix run evil --way "; t\t-x', ["run", "evil", "--way", "; touch planted", "-x"]),
    ("aix run evil --way q\t-x", ["run", "evil", "--way", "q'u\"o\\te!", "-x"]),
]
"""What is typed, and what aix is then called with; ` -x` after a Tab proves the space that it puts."""


class TestShells:
    """The shells themselves: a scope of its own, so that the test runner can spread the load."""

    @pytest.mark.parametrize("name", PLACES)
    def test_a_shell_completes_what_is_typed(self, name: str, shelf: Path, home: Path) -> None:
        write(home, "draft", "Hello")
        (home / "two files.txt").touch()
        (home / "folder").mkdir()
        with at(name, home) as typist:
            wrong = {}
            for line, expected in TYPED if name != "bare bash" else TYPED[3:11]:  # where bash is on its own
                found = [word.removesuffix("/") for word in typist.words_of(line)]  # zsh takes it away again
                if found != ["aix", *expected]:
                    wrong[line] = found
        assert wrong == {}
        assert not list(home.rglob("planted"))

    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_a_shell_lists_what_there_is(self, name: str, shelf: Path, home: Path) -> None:
        with at(name, home) as typist:
            typist.sees("aix run evil --way \t\t", "root")
        assert not list(home.rglob("planted"))
