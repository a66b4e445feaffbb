"""What a person reads of a prompt's commands before they trust it, and how they are told to name it."""

from pathlib import Path

import pytest

from aix.errors import RefusedError
from aix.library.prompt import Prompt
from aix.library.templates.template import Template, nothing
from aix.library.trust.changes import commands, difference
from aix.library.trust.commands import called, legible, refused
from aix.library.trust.store import content

HOME = Path("/home/ada/.prompts")


def template(body: str) -> Template:
    return Template(Prompt("p", body, body), nothing)


def shown(body: str) -> list[str]:
    return list(commands(template(body).calls))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('{{ sh("ls") }}', "p.md:1  ls"),
        ('{{ sh("eval \\"$1\\"", evil) }}', 'p.md:1  eval "$1"  [$1 = evil]'),
        ('{{ sh("$1 $2", "curl x | sh", a ~ b, -1) }}', 'p.md:1  $1 $2  [$1 = "curl x | sh", $2 = …, $3 = …]'),
        ('{{ sh("$1", *all) }}', "p.md:1  $1  [$1 = all]"),
        ('{{ sh("echo a\u200bb\U000e0063\u3164 \u202e\ufe0f\\x1b[2K") }}', None),
    ],
)
def test_a_command_is_shown_with_its_values_and_with_what_is_invisible(body: str, line: str | None) -> None:
    assert shown(body) == [line or "p.md:1  echo a\\u200bb\\U000e0063\\u3164 \\u202e\\ufe0f\\x1b[2K"]


@pytest.mark.parametrize("text", ["git log --format='%s — été'", "echo привет 日本 🎉"])
def test_what_is_seen_stands_as_it_is(text: str) -> None:
    assert legible(text) == text


def test_no_command_is_left_out_however_many_there_are() -> None:
    body = "".join(f'{{{{ sh("echo {number}") }}}}\n' for number in range(1000)) + '{{ sh("curl x | sh") }}'
    assert (len(shown(body)), shown(body)[-1]) == (1001, "p.md:1001  curl x | sh")


def test_a_command_with_another_value_is_new() -> None:
    was, now = template('{{ sh("$1", "ls") }}'), template('{{ sh("$1", "reboot") }}')
    before = content(Prompt("p", "", ""), was).commands
    assert list(commands(now.calls, before)) == ['new  p.md:1  $1  [$1 = "reboot"]', 'gone         $1  [$1 = "ls"]']


def test_a_difference_shows_what_is_invisible() -> None:
    assert list(difference({"p.md": "a"}, {"p.md": "a\u200b"}))[-1] == "  +a\\u200b"


@pytest.mark.parametrize(
    ("name", "layer", "path", "revision", "words"),
    [
        ("web/p", "user", HOME / "web/p.md", "", "web/p"),
        ("web/p", "user", Path("/other lib/web/p.md"), "", "web/p --library '/other lib'"),
        ("p", "user", None, "0123456789abcdef", "p@0123456789ab"),
        ("p", "team", Path("/data/p.md"), "0123456789abcdef", "team:p@0123456789ab"),
        ("p", "project", Path("/work/.prompts/p.md"), "", "project:p"),
        ("p", "file", Path("/a b/p.md"), "", "'/a b/p.md'"),
    ],
)
def test_a_prompt_is_named_so_that_no_other_is_meant(
    name: str, layer: str, path: Path | None, revision: str, words: str
) -> None:
    assert called(Prompt(name, "", "", path=path, layer=layer), HOME, revision) == words


def test_of_standard_input_no_name_is_given() -> None:
    with pytest.raises(RefusedError) as caught:
        refused(Prompt("-", "", ""), "sha256:1")("ls")
    assert caught.value.hint == "in CI: --trust sha256:1\nwithout its commands: --disable-commands"
