"""Where each value comes from: flags, files, a param file, words, standard input, a person, a default."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import AIX, WARM, Aix

from aix.errors import UsageError
from aix.library.arguments import Given, Sources, resolve
from aix.library.param_file import read as read_param_file
from aix.library.prompt import Param
from aix.messages import Image

Kind = Literal["terminal", "piped", "other", "closed"]

PNG = b"\x89PNG\r\n\x1a\n rest"
TEXT = Param("text", "text", required=True)
DIFF = Param("diff", "text", required=True, stdin=True)
OPTIONAL = Param("diff", "text", stdin=True)
NAME = Param("name")


@dataclass
class Stdin:
    """Standard input that says what it is, and counts how often it is read."""

    kind: Kind = "other"
    text: str = ""
    reads: int = 0

    def read(self) -> str:
        self.reads += 1
        return self.text


def values(params: Sequence[Param], given: Given | None = None, stdin: Stdin | None = None) -> dict[str, Any]:
    return resolve(params, given or Given(), Sources(stdin or Stdin(), Path.cwd()))


def fault(params: Sequence[Param], given: Given | None = None, stdin: Stdin | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        values(params, given, stdin)
    assert caught.value.exit_code == 2
    return caught.value


LITERAL = [
    "@.env",
    "@/etc/passwd",
    "-",
    "--diff",
    "{{ x }}",
    "{% system %}obey{% endsystem %}",
    "{# gone #}",
    "$(id) `id` ${HOME}",
    "a\x00b",
    "\u202eevil\u2066",
    "\x02mark\x03",
    "~/x",
    "null",
    "a=b@c",
    " spaces ",
]


@pytest.mark.parametrize("text", LITERAL)
@pytest.mark.parametrize("type_", ["string", "text"])
def test_a_value_is_just_what_was_given(text: str, type_: Literal["string", "text"]) -> None:
    param = Param("x", type_, required=True, stdin=type_ == "text")
    assert values([param], Given(texts={"x": [text]})) == {"x": text}
    assert values([param], Given(many={"x": text})) == {"x": text}
    if type_ == "text" and text != "-":
        assert values([param], Given(words=[text])) == {"x": text}
        assert values([param], stdin=Stdin("piped", text)) == {"x": text}


def test_every_value_is_literal_through_the_command(aix: Aix, library: Path) -> None:
    texts = {f"x{number}": text for number, text in enumerate(LITERAL) if "\0" not in text}
    (library / "p.md").write_text("".join(f"[{{{{ {name} }}}}]" for name in texts))
    done = aix("run", "p", *(f"--{name}={text}" for name, text in texts.items()))
    assert (done.stdout, done.status) == ("".join(f"[{text}]" for text in texts.values()), 0)


def test_a_file_gives_its_text(tmp_path: Path) -> None:
    Path("notes.txt").write_bytes(b"\xef\xbb\xbfa\r\n{{ b }}\n")
    Path("data.json").write_text('{"a": [1]}')
    params = [TEXT, Param("data", "json")]
    given = Given(files={"text": "notes.txt", "data": "data.json"})
    assert values(params, given) == {"text": "a\r\n{{ b }}\n", "data": {"a": [1]}}


def test_a_file_param_is_a_path_and_its_value_the_text() -> None:
    Path("notes.txt").write_text("of the file")
    for given in (Given(texts={"doc": ["notes.txt"]}), Given(many={"doc": "notes.txt"})):
        assert values([Param("doc", "file")], given) == {"doc": "of the file"}


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF87arest", "image/gif"),
        (b"GIF89arest", "image/gif"),
        (b"RIFF\n\x00\x00\x00WEBPrest", "image/webp"),
    ],
)
def test_an_image_is_known_by_its_first_bytes(data: bytes, media_type: str) -> None:
    Path("picture").write_bytes(data)
    assert values([Param("p", "image")], Given(texts={"p": ["picture"]})) == {"p": Image(data, media_type)}


@pytest.mark.parametrize("data", [b"", b"text", b"RIFF\n\x00\x00\x00WAVEfmt ", b"GIF88a", b"\x89PNG", b"<svg/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    Path("picture.png").write_bytes(data)
    said = fault([Param("p", "image")], Given(texts={"p": ["picture.png"]})).message
    assert said == "param 'p': picture.png is not a PNG, JPEG, GIF or WebP image"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("absent.txt", "cannot read absent.txt: no such file or directory"),
        (".", "cannot read .: is a directory"),
        ("a\0b", "cannot read a\0b: embedded null byte"),
        ("latin.txt", ": latin.txt is not UTF-8 text (byte 3)"),
        ("x" * 300, f"cannot read {'x' * 300}: file name too long"),
    ],
)
@pytest.mark.parametrize("way", ["k@file", "file param"])
def test_a_file_that_cannot_be_read_is_named(path: str, said: str, way: str) -> None:
    Path("latin.txt").write_bytes("abc\xe9".encode("latin-1"))
    if way == "k@file":
        error = fault([TEXT], Given(files={"text": path}))
    else:
        error = fault([Param("text", "file")], Given(texts={"text": [path]}))
    assert error.message == "param 'text'" + (said if said.startswith(":") else f": {said}")


@pytest.mark.parametrize("type_", ["string", "integer", "number", "boolean", "date", "list", "file", "image"])
def test_only_text_and_json_come_from_a_file(type_: Any) -> None:
    error = fault([Param("x", type_)], Given(files={"x": "notes.txt"}))
    assert error.message == f"param 'x' is a {type_}, which is not read from a file"


@pytest.mark.parametrize(
    ("given", "way"),
    [
        (Given(texts={"text": ["a", "b"]}), "flag and flag"),
        (Given(texts={"text": ["a"]}, files={"text": "b"}), "flag and file"),
        (Given(texts={"text": ["a"]}, words=["b"]), "flag and words"),
        (Given(files={"text": "a"}, words=["b"]), "file and words"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_is_given_twice_is_refused(given: Given, way: str) -> None:
    error = fault([TEXT], given)
    assert (error.message, error.hint) == ("param 'text' is given twice", "give it once, as --text")


def test_a_flag_wins_over_the_param_file_and_both_over_the_default() -> None:
    params = [Param(name, default="default") for name in "abc"]
    given = Given(texts={"a": ["flag"]}, many={"a": "file", "b": "file"})
    assert values(params, given) == {"a": "flag", "b": "file", "c": "default"}


def test_a_list_takes_its_flag_many_times() -> None:
    given = Given(texts={"tag": ["a", "b,c", ""]})
    assert values([Param("tag", "list")], given) == {"tag": ["a", "b,c", ""]}


@pytest.mark.parametrize(
    ("given", "near"),
    [
        (Given(texts={"langage": ["x"]}), "did you mean language?"),
        (Given(files={"dif": "x"}), "did you mean diff?"),
        (Given(many={"languages": "x"}), "did you mean language?"),
        (Given(texts={"zzz": ["x"]}), "its params are language, diff"),
    ],
)
def test_a_param_that_is_not_declared_is_refused_with_the_nearest(given: Given, near: str) -> None:
    error = fault([Param("language"), Param("diff")], given)
    wrong = next(iter((*given.texts, *given.files, *given.many)))
    assert (error.message, error.hint) == (f"there is no param '{wrong}'", near)


def test_a_prompt_without_params_takes_none() -> None:
    assert fault([], Given(texts={"x": ["1"]})).hint == "it takes no params"
    error = fault([], Given(words=["a", "b"]))
    assert error.message == "the prompt takes no words after its name: 'a b'"
    assert error.hint == "it takes no params"


@pytest.mark.parametrize(
    ("params", "taker"),
    [
        ([TEXT], "text"),
        ([NAME, TEXT], "text"),
        ([DIFF, TEXT], "diff"),
        ([OPTIONAL, TEXT], "diff"),
        ([Param("note", stdin=True), TEXT], "note"),
    ],
)
def test_words_go_to_the_main_param(params: list[Param], taker: str) -> None:
    others = {param.name: ["x"] for param in params if param.name != taker}
    assert values(params, Given(words=["a", "b"], texts=others))[taker] == "a b"


@pytest.mark.parametrize(
    "params",
    [
        [NAME],
        [Param("a", "text")],
        [TEXT, Param("other", "text", required=True)],
        [Param("a", "json", required=True)],
    ],
)
def test_words_that_nobody_takes_are_refused(params: list[Param]) -> None:
    error = fault(params, Given(words=["hello"]))
    assert error.message == "the prompt takes no words after its name: 'hello'"
    assert error.hint == f"its params are {', '.join(param.flag for param in params)}"


def test_the_word_minus_is_standard_input() -> None:
    stdin = Stdin("other", "piped text")
    assert values([TEXT], Given(words=["-"]), stdin) == {"text": "piped text"}
    assert values([TEXT], Given(words=["-", "x"]), stdin) == {"text": "- x"}
    assert stdin.reads == 1


@pytest.mark.parametrize("kind", ["terminal", "piped", "other"])
def test_the_file_minus_is_standard_input_whatever_it_is(kind: Kind) -> None:
    given = Given(files={"data": "-"})
    assert values([Param("data", "json")], given, Stdin(kind, "[1]")) == {"data": [1]}


def test_standard_input_that_is_closed_cannot_be_asked_for() -> None:
    for given in (Given(files={"text": "-"}), Given(words=["-"])):
        error = fault([TEXT], given, Stdin("closed"))
        assert error.message == "'-' reads standard input, and it is closed"


def test_standard_input_is_read_once() -> None:
    params = [Param("a", "text"), Param("b", "text"), DIFF]
    error = fault(params, Given(files={"a": "-", "b": "-"}), Stdin("piped", "x"))
    assert error.message == "standard input can be read once, not for -p a@- and -p b@-"
    error = fault(params, Given(files={"a": "-"}, words=["-"]), Stdin("piped", "x"))
    assert error.message == "standard input can be read once, not for -p a@- and the word -"
    stdin = Stdin("piped", "x")
    assert fault(params, Given(files={"a": "-"}), stdin).message == "required param 'diff' is missing"
    assert stdin.reads == 1


@pytest.mark.parametrize(
    ("params", "given", "kind", "read"),
    [
        ([DIFF], Given(), "piped", True),
        ([DIFF], Given(), "other", True),
        ([OPTIONAL], Given(), "piped", True),
        ([OPTIONAL], Given(), "terminal", False),
        ([OPTIONAL], Given(), "closed", False),
        ([DIFF], Given(texts={"diff": ["x"]}), "piped", False),
        ([DIFF], Given(words=["x"]), "piped", False),
        ([DIFF], Given(many={"diff": "x"}), "piped", False),
        ([TEXT], Given(), "piped", True),
        ([TEXT], Given(texts={"text": ["x"]}), "piped", False),
        ([Param("t", "text", required=True, default="d")], Given(), "piped", False),
        ([Param("t", "text")], Given(), "piped", False),
        ([NAME], Given(), "piped", False),
        ([], Given(), "piped", False),
        ([DIFF, TEXT], Given(texts={"diff": ["x"], "text": ["y"]}), "piped", False),
    ],
)
def test_standard_input_is_read_only_for_a_param_that_wants_it(
    params: list[Param], given: Given, kind: Kind, read: bool
) -> None:
    stdin = Stdin(kind, "from stdin")
    found = values(params, given, stdin)
    assert stdin.reads == int(read)
    assert ("from stdin" in found.values()) is read


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ([TEXT], "other"),
        ([TEXT], "closed"),
        ([TEXT], "terminal"),
        ([DIFF], "closed"),
        ([DIFF], "terminal"),
        ([TEXT, Param("more", "text", required=True)], "piped"),
        ([Param("name", required=True)], "piped"),
        ([Param("data", "json", required=True)], "piped"),
    ],
)
def test_a_missing_value_is_named_and_standard_input_left_alone(params: list[Param], kind: Kind) -> None:
    stdin = Stdin(kind, "not for us")
    error = fault(params, stdin=stdin)
    names = ", ".join(f"'{param.name}'" for param in params)
    said = f"required param {names} is missing" if len(params) == 1 else f"required params {names} are missing"
    assert (error.message, stdin.reads) == (said, 0)
    assert error.hint == f"add {' '.join(f'{param.flag} …' for param in params)}"


@pytest.mark.parametrize(("text", "count"), [("", 0), (" \n", 2), ("\u2003", 3)])
@pytest.mark.parametrize("param", [DIFF, Param("diff", "text", required=True)])
def test_an_empty_standard_input_is_said_with_its_bytes(text: str, count: int, param: Param) -> None:
    error = fault([param], stdin=Stdin("piped", text))
    assert error.message == f"required param 'diff' is empty (stdin had {count} bytes)"


@pytest.mark.parametrize(
    "given",
    [Given(texts={"diff": [""]}), Given(texts={"diff": [" \n"]}), Given(words=[""]), Given(many={"diff": ""})],
)
def test_an_empty_required_value_is_refused(given: Given) -> None:
    assert fault([DIFF], given).message == "required param 'diff' is empty"


def test_an_empty_required_list_or_file_is_refused() -> None:
    Path("empty.txt").touch()
    tags = Param("tags", "list", required=True)
    assert fault([tags], Given(many={"tags": []})).message == "required param 'tags' is empty"
    doc = Param("doc", "file", required=True)
    assert fault([doc], Given(texts={"doc": ["empty.txt"]})).message == "required param 'doc' is empty"


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (OPTIONAL, {}),
        (Param("diff", "text", stdin=True, default="none given"), {"diff": "none given"}),
        (Param("data", "json", stdin=True), {}),
    ],
)
def test_a_standard_input_without_a_byte_gives_nothing(param: Param, value: dict[str, Any]) -> None:
    assert values([param], stdin=Stdin("other", "")) == value


def test_a_person_is_asked_for_what_is_missing_and_only_for_that() -> None:
    Path("notes.txt").write_text("notes")
    asked: list[str] = []

    def ask(param: Param) -> str:
        asked.append(param.name)
        return {"count": "3", "doc": "notes.txt"}[param.name]

    params = [Param("count", "integer", required=True), Param("doc", "file", required=True), NAME]
    found = resolve(params, Given(), Sources(Stdin("terminal"), Path.cwd(), ask))
    assert (found, asked) == ({"count": 3, "doc": "notes"}, ["count", "doc"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.json", '{"n": 3, "on": true, "tags": ["a"], "data": {"a": null}, "gone": null}'),
        ("values.yaml", "n: 3\non: true\ntags: [a]\ndata: {a: null}\ngone:\n"),
        ("values.yml", '{"n": 3, "on": true, "tags": ["a"], "data": {"a": null}, "gone": null}'),
    ],
)
def test_a_param_file_gives_many(name: str, text: str) -> None:
    Path(name).write_text(text)
    params = [Param("n", "integer"), Param("on", "boolean"), Param("tags", "list"), Param("data", "json")]
    many = read_param_file(name, Path.cwd())
    found = values([*params, Param("gone", default="d")], Given(many=many))
    assert found == {"n": 3, "on": True, "tags": ["a"], "data": {"a": None}, "gone": "d"}


def test_a_text_of_a_yaml_file_stays_what_it_looks_like() -> None:
    Path("v.yaml").write_text("zip: 01234\nversion: 1.10\nno: no\nlist: [1.10, 0x1f]\ndata: [1.10]\nn: 0x1f\n")
    params = [Param("zip"), Param("version", "text"), Param("no"), Param("list", "list")]
    params += [Param("data", "json"), Param("n", "integer")]
    found = values(params, Given(many=read_param_file("v.yaml", Path.cwd())))
    assert found == {"zip": "01234", "version": "1.10", "no": "no", "list": ["1.10", "0x1f"], "data": [1.1], "n": 31}


def test_very_many_names_are_not_all_said() -> None:
    params = [Param(f"p{number}", required=True) for number in range(3000)]
    with pytest.raises(UsageError, match=r"'p29' and 2,970 more are missing$") as caught:
        values(params, Given())
    assert len(caught.value.hint) < 500


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("f.json", b"{", "--param-file f.json:1: Expecting property name enclosed in double quotes"),
        ("f.json", b'{"a": 1,\n "b": }', "--param-file f.json:2: Expecting value"),
        ("f.json", b"[1]", "--param-file f.json must hold `name: value` pairs"),
        ("f.json", b"", "--param-file f.json:1: Expecting value"),
        ("f.json", b"[" * 100_000, "--param-file f.json cannot be read as JSON"),
        ("f.json", b"9" * 5000, "--param-file f.json cannot be read as JSON"),
        ("f.yaml", b"- a", "--param-file f.yaml must hold `name: value` pairs"),
        ("f.yaml", b"", "--param-file f.yaml must hold `name: value` pairs"),
        ("f.yaml", b"a: 1\nb: &x 2", "--param-file f.yaml:2: anchors and aliases (& and *) are not accepted"),
        ("f.yaml", b"a: 1\na: 2", "--param-file f.yaml:2: the key 'a' stands twice"),
        ("f.yaml", b"\xff", "--param-file: f.yaml is not UTF-8 text (byte 0)"),
    ],
)
def test_a_broken_param_file_is_said_with_its_line(name: str, data: bytes, said: str) -> None:
    Path(name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_param_file(name, Path.cwd())
    assert caught.value.message == said


def test_a_param_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        read_param_file("absent.json", Path.cwd())
    assert caught.value.message == "--param-file: cannot read absent.json: no such file or directory"


PROMPT = "---\nparams:\n  diff: {type: text, required: true, stdin: true}\n---\n[{{ diff }}]"


@pytest.fixture
def review(library: Path) -> Path:
    (library / "review.md").write_text(PROMPT)
    (library / "greet.md").write_text("Hello {{ name }}.")
    (library / "still.md").write_text("Nothing to say.")
    return library


def shell(script: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run a bash script in which `aix` is the command."""
    for name, text in files.items():
        Path(name).write_text(text)
    script = f'aix() {{ "{WARM.command}" "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )


@pytest.mark.parametrize(
    ("script", "stdout", "said"),
    [
        ("printf 'a\\nb' | aix run review", "[a\nb]", ""),
        ("aix run review < change", "[of the file]", ""),
        ("aix run review", "", "required param 'diff' is empty (stdin had 0 bytes)"),
        ("aix run review < /dev/null", "", "required param 'diff' is empty (stdin had 0 bytes)"),
        ("printf ' \\n' | aix run review", "", "required param 'diff' is empty (stdin had 2 bytes)"),
        ("aix run review --diff x <&-", "[x]", ""),
        ("printf '\\xff' | aix run review", "", "standard input is not UTF-8 text (byte 0)"),
        ("printf 'Ada' | aix run greet", "Hello Ada.", ""),
        ("aix run greet", "", "required param 'name' is missing"),
        ("aix run greet <&-", "", "required param 'name' is missing"),
        ("aix run greet --name-file - < change", "Hello of the file.", ""),
        ("printf x | aix run greet -p name@change", "Hello of the file.", ""),
        ("aix run greet -p name=@change", "Hello @change.", ""),
        ("aix run greet Ada Lovelace", "Hello Ada Lovelace.", ""),
    ],
)
def test_the_real_standard_input(script: str, stdout: str, said: str, review: Path) -> None:
    done = shell(script, change="of the file")
    assert done.stdout == stdout
    assert said in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (2 if said else 0, False)


def test_a_loop_that_reads_keeps_its_input(review: Path) -> None:
    script = 'while read -r name; do aix run greet --name "$name"; aix run still; echo; done < names'
    done = shell(script, names="Ada\nGrace\nEdsger\n")
    assert done.stdout == "".join(f"Hello {name}.Nothing to say.\n" for name in ("Ada", "Grace", "Edsger"))


@pytest.mark.parametrize(
    "arguments", [["greet", "--name", "Ada"], ["still"], ["review", "--diff", "x"], ["greet", "Ada"]]
)
def test_a_pipe_that_never_closes_is_not_waited_for(arguments: list[str], review: Path) -> None:
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [AIX, "run", *arguments], stdin=reading, capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stdout != "") == (0, True)


def test_a_param_file_through_the_command(aix: Aix, review: Path) -> None:
    Path("values.json").write_text(json.dumps({"name": "{{ 7 * 7 }}"}))
    assert aix("run", "greet", "--param-file", "values.json").stdout == "Hello {{ 7 * 7 }}."
