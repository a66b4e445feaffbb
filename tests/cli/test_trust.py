"""`aix trust`, `aix untrust`, and what a run asks: through the real command."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import Terminal, configure, write
from writing import writing

SH = '{{ sh("echo ran >> ran; echo hi") }}\n'


@pytest.fixture
def path(library: Path) -> Path:
    return write(library, "p", SH)


def ran() -> bool:
    return Path("ran").exists()


def digest(aix: Aix, name: str = "p") -> str:
    return str(json.loads(aix("show", name, "--json").stdout)["digest"])


def trusted(aix: Aix, name: str = "p") -> bool:
    return bool(json.loads(aix("show", name, "--json").stdout)["trusted"])


# --- the question -----------------------------------------------------------------------------------------------------


def test_a_person_is_shown_the_commands_and_asked_once(path: Path, library: Path) -> None:
    write(library, "_x", 'more\n{{ sh("id \x1b[31m\\n  x.md:1  true") }}')
    path.write_text(SH + '{% include "_x.md" %}')
    terminal = Terminal("run", "p", columns=120)
    terminal.wait_for("Trust this content of 'p' to run them?")
    assert "  p.md:1   echo ran >> ran; echo hi\n  _x.md:2  id \\x1b[31m\n" in terminal.screen
    assert "         |   x.md:1  true\n" in terminal.screen
    assert not ran()
    terminal.type("n")
    assert (terminal.end(), ran()) == (11, False)


def test_a_yes_is_kept_and_the_next_run_does_not_ask(path: Path, aix: Aix) -> None:
    terminal = Terminal("run", "p")
    terminal.wait_for("Trust this content")
    terminal.type("y")
    assert (terminal.end(), "hi" in terminal.screen, "aix untrust p" in terminal.screen) == (0, True, True)
    assert aix("run", "p").stdout == "hi"
    assert Path("ran").read_text() == "ran\nran\n"


def test_a_yes_that_cannot_be_kept_runs_nothing(path: Path, home: Path) -> None:
    (home / ".local").write_text("")
    terminal = Terminal("run", "p")
    terminal.wait_for("Trust this content")
    terminal.type("y")
    assert (terminal.end(), ran()) == (13, False)


@pytest.mark.parametrize("answer", ["\r", "\x03"])
def test_the_default_is_no(answer: str, path: Path) -> None:
    terminal = Terminal("run", "p")
    terminal.wait_for("Trust this content")
    terminal.type(answer)
    assert (terminal.end(), ran()) == (11 if answer == "\r" else -2, False)


def test_what_changed_is_shown(path: Path, aix: Aix) -> None:
    assert aix("trust", "p", "--yes").status == 0
    path.write_text(SH.replace("echo hi", "curl example.com") + "tail\n")
    terminal = Terminal("run", "p", columns=120)
    terminal.wait_for("Trust this content")
    terminal.type("n")
    assert terminal.end() == 11
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DAY", terminal.screen).startswith(
        "aix: 'p' (user) is another content than the one that was trusted on DAY:\n"
        "  p.md:\n"
        "    @@ -1 +1,2 @@\n"
        '    -{{ sh("echo ran >> ran; echo hi") }}\n'
        '    +{{ sh("echo ran >> ran; curl example.com") }}\n'
        "    +tail\n"
        "  all of it: aix show p\n"
        "it runs these commands:\n"
        "  new  p.md:1  echo ran >> ran; curl example.com\n"
        "  gone         echo ran >> ran; echo hi\n"
    )


def test_two_clones_of_a_shared_library_and_a_change_that_is_pulled(home: Path, aix: Aix) -> None:
    """One of a team changes a command; the other, who trusted what it was, is asked again."""

    def git(where: str, *words: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        subprocess.run(["git", *who, *words], cwd=home / where, check=True, capture_output=True)

    def ask(answer: str) -> tuple[int, str]:
        terminal = Terminal("run", "log", columns=120, env={"AIX_HOME": str(home / "mine")})
        terminal.wait_for("Trust this content")
        terminal.type(answer)
        return terminal.end(), terminal.screen

    (home / "shared").mkdir()
    git("shared", "init", "--quiet", "-b", "main")
    (home / "shared" / "log.md").write_text('{{ sh("echo 1") }}\n')
    git("shared", "add", ".")
    git("shared", "commit", "--quiet", "-m", "A prompt")
    git(".", "clone", "--quiet", "shared", "theirs")
    git(".", "clone", "--quiet", "shared", "mine")
    assert ask("y")[0] == 0
    (home / "theirs" / "log.md").write_text('{{ sh("touch ran; echo 1") }}\n')
    git("theirs", "commit", "--quiet", "-a", "-m", "A change")
    git("mine", "pull", "--quiet", "../theirs", "main")
    status, screen = ask("n")
    assert (status, ran(), '+{{ sh("touch ran; echo 1") }}' in screen) == (11, False, True)
    git("mine", "checkout", "--quiet", "HEAD~1")
    assert aix("run", "log", env={"AIX_HOME": str(home / "mine")}).stdout == "1"


# --- a digest that is pinned ------------------------------------------------------------------------------------------


def test_a_pinned_content_runs_and_is_not_remembered(path: Path, aix: Aix) -> None:
    assert aix("run", "p", "--trust", digest(aix)).stdout == "hi"
    assert aix("run", "p").status == 11


def test_another_content_than_the_pinned_one_is_refused_though_it_is_trusted(path: Path, aix: Aix) -> None:
    pin = digest(aix)
    path.write_text(SH + "more")
    aix("trust", "p", "--yes")
    for command in ("run", "tokens"):
        done = aix(command, "p", "--trust", pin)
        assert (done.status, done.stdout, ran()) == (11, "", False)


@pytest.mark.parametrize("pin", ["sha256:12", "a" * 64, f"sha256:{'A' * 64}", "yes"])
def test_what_is_no_digest_is_told_with_the_one_that_is(pin: str, path: Path, aix: Aix) -> None:
    done = aix("run", "p", "--trust", pin)
    assert (done.status, ran(), digest(aix) in done.stderr) == (2, False, True)


# --- the command ------------------------------------------------------------------------------------------------------


def test_several_are_trusted_listed_and_untrusted(path: Path, library: Path, home: Path, aix: Aix) -> None:
    write(library, "plain", "text\n")
    write(home, "draft", SH + "draft")
    done = aix("trust", "p", "plain", "./draft.md", "hello", "--yes", "--json")
    rows = json.loads(done.stdout)["trusted"]
    assert [(row["name"], row["layer"], len(row["commands"])) for row in rows] == [
        ("p", "user", 1),
        ("plain", "user", 0),
        ("draft", "file", 1),
        ("hello", "builtin", 0),
    ]
    before = digest(aix)
    path.write_text(SH + "more")
    (library / "plain.md").unlink()
    listed = {row["name"]: row for row in json.loads(aix("trust", "--list", "--json").stdout)}
    assert {name: row["state"] for name, row in listed.items()} == {
        "p": "changed",
        "plain": "gone",
        str(home / "draft.md"): "same",
    }
    assert aix("untrust", "p") == Result("", f"aix: trusted no longer: {before} (user:p)\n", 0)
    assert aix("untrust", "plain").status == 0
    assert aix("untrust", "p").stderr == "aix: 'p' was not trusted\n"
    assert aix("untrust", "--all").stderr == "aix: 1 trusted before, nothing now\n"
    assert aix("trust", "--list") == Result("", "aix: nothing is trusted but what comes with aix\n", 0)


def test_all_that_was_trusted_under_a_name_is_untrusted_with_it(path: Path, aix: Aix) -> None:
    digests = []
    for text in (SH, SH + "2", SH + "3"):
        path.write_text(text)
        aix("trust", "p", "--yes")
        digests.append(digest(aix))
    assert "and 2 earlier contents of these" in aix("trust", "--list").stderr
    assert aix("untrust", "p").stderr.count("trusted no longer") == 3
    path.write_text(SH)
    assert (trusted(aix), aix("untrust", digests[0]).stderr) == (False, f"aix: '{digests[0]}' was not trusted\n")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["trust"], 2),
        (["trust", "p", "--list"], 2),
        (["trust", "p"], 2),
        (["trust", "p", "--json"], 2),
        (["trust", "nonesuch", "--yes"], 5),
        (["trust", "p", "nonesuch", "--yes"], 5),
        (["untrust"], 2),
        (["untrust", "p", "--all"], 2),
        (["untrust", "sha256:12"], 2),
        (["untrust", "nonesuch"], 5),
        (["untrust", "hello"], 2),
    ],
    ids=str,
)
def test_what_cannot_be_done_trusts_nothing(arguments: list[str], status: int, path: Path, aix: Aix) -> None:
    assert (aix(*arguments).status, trusted(aix)) == (status, False)


@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("n", False)])
def test_trust_asks_on_a_terminal(answer: str, yes: bool, path: Path, aix: Aix) -> None:
    terminal = Terminal("trust", "p")
    terminal.wait_for("Trust this content of 'p' to run them?")
    terminal.type(answer)
    assert (terminal.end(), trusted(aix), ran()) == (0, yes, False)


# --- what is written ---------------------------------------------------------------------------------------------


def test_what_is_created_copied_and_renamed_is_trusted_as_its_content_is(library: Path, aix: Aix) -> None:
    write(library, "_x", SH + "theirs")
    aix("create", "own", SH)
    aix("create", "piped", "-", stdin=SH + "from a download")
    aix("create", "foreign", '{% include "_x.md" %}')
    aix("copy", "own", "web/copy")
    aix("rename", "own", "new")
    aix("copy", "hello", "greeting")
    aix("copy", "foreign", "foreign2")
    names = ("web/copy", "new", "greeting", "foreign", "foreign2", "piped")
    assert [trusted(aix, name) for name in names] == [True, True, True, False, False, False]


def test_a_prompt_of_the_project_is_trusted_where_it_is_created(home: Path, aix: Aix) -> None:
    (home / "work").mkdir()
    aix("create", "own", SH, "--project", cwd=home / "work")
    assert aix("run", "own", cwd=home / "work").stdout == "hi"


@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("n", False)])
def test_an_edit_of_what_was_not_trusted_asks_after_saving(answer: str, yes: bool, path: Path, aix: Aix) -> None:
    terminal = writing("edit", "p", does='echo more >> "$2"')
    terminal.wait_for("Trust this content")
    terminal.type(answer)
    assert (terminal.end(), path.read_text(), trusted(aix)) == (0, SH + "more\n", yes)


def test_an_edit_of_what_was_trusted_asks_nothing(path: Path, aix: Aix) -> None:
    aix("trust", "p", "--yes")
    assert writing("edit", "p", does='echo more >> "$2"').end() == 0
    assert trusted(aix)


def test_what_is_saved_but_cannot_be_trusted_is_saved(library: Path, home: Path, aix: Aix) -> None:
    (home / ".local").write_text("")
    done = aix("create", "own", SH)
    assert (done.status, "is saved, and not trusted" in done.stderr) == (0, True)


# --- what a command sees -------------------------------------------------------------------------------------------


def test_a_command_sees_no_key_that_aix_knows(library: Path, aix: Aix) -> None:
    key = "sk-canary-0123456789"
    configure(library, api_keys={"openai": key + "a"}, custom_providers={"gw": {"api_key_env": "ANY"}})
    aix("create", "env", '{{ sh("env; cat /proc/self/cmdline") }}')
    names = {"ANY": key + "b\n", "OPENAI_API_KEY": key + "c", "COPY": key + "a", "HF_TOKEN": key + "d", "KEPT": "kept"}
    shown = aix("run", "env", env=names).stdout
    assert (key in shown, "KEPT=kept" in shown) == (False, True)


def test_a_secret_value_is_no_argument(library: Path, aix: Aix) -> None:
    write(library, "s", '---\nparams: {pin: {secret: true, required: true}}\n---\n{{ sh("echo $1", pin) }}')
    aix("trust", "s", "--yes")
    done = aix("run", "s", "--pin", "0000")
    assert (done.status, "is given a secret value" in done.stderr) == (6, True)


@pytest.mark.parametrize(("value", "status"), [("-5", 0), ("five", 2)])
def test_a_number_may_begin_with_a_dash(value: str, status: int, library: Path, aix: Aix) -> None:
    write(library, "n", '---\nparams: {n: {type: integer}}\n---\n{{ sh("echo $1", n) }}')
    aix("trust", "n", "--yes")
    assert aix("run", "n", f"--n={value}").status == status


def test_a_command_that_takes_long_is_told_of_on_a_terminal(library: Path, aix: Aix) -> None:
    aix("create", "slow", '{{ sh("sleep 1.3; echo done") }}')
    terminal = Terminal("run", "slow")
    terminal.wait_for("running sleep 1.3; echo done")
    assert terminal.end() == 0


def test_doctor_says_what_is_not_trusted(path: Path, aix: Aix) -> None:
    def said() -> list[str]:
        checks = json.loads(aix("doctor", "--json").stdout)["checks"]
        return [check["message"] for check in checks if check["name"] == "trust"]

    assert said() == ["not trusted to run their commands: p"]
    aix("trust", "p", "--yes")
    assert said() == ["one content is trusted besides what comes with aix"]


def test_a_full_or_foreign_state_directory_says_so(path: Path, home: Path, aix: Aix) -> None:
    folder = home / ".local" / "state" / "aix" / "trust"
    aix("trust", "p", "--yes")
    folder.chmod(0o777)
    assert (aix("run", "p").status, ran(), trusted(aix)) == (11, False, False)
    assert (aix("trust", "p", "--yes").status, ran()) == (13, False)
