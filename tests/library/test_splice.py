"""What a surgical edit changes, and that every other byte stays: by examples, and over files of every shape."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Aix
from full import full

from aix.app_prompts import built_in_prompts
from aix.config import yaml
from aix.errors import TemplateError
from aix.library.document import decode, parse, split
from aix.library.splice import Value, splice

Changes = dict[str, Value]
ALL: Changes = {"description": "One: two", "tags": ["c", "d"], "model": "m"}
NONE: Changes = {"description": None, "tags": None, "model": None}


@pytest.mark.parametrize(
    ("was", "changes", "now"),
    [
        # a value in the old one's place
        ("---\nmodel: a\n---\nx", {"model": "b"}, "---\nmodel: b\n---\nx"),
        ("---\nmodel  :   'a'   # why\n---\nx", {"model": "b"}, "---\nmodel  :   b   # why\n---\nx"),
        ('---\ndescription: "a\n  b"\n---\nx', {"description": "c"}, "---\ndescription: c\n---\nx"),
        ("---\ndescription: a\n  b\n\nmodel: m\n---\n", {"description": "c"}, "---\ndescription: c\n\nmodel: m\n---\n"),
        ("---\ndescription: |\n  a\n\n---\nx", {"description": "c"}, "---\ndescription: c\n\n---\nx"),
        ("---\nmodel:   # none yet\n---\nx", {"model": "b"}, "---\nmodel: b   # none yet\n---\nx"),
        ("---\ntags: [a,\n  b]  # two\n---\nx", {"tags": ["c"]}, "---\ntags: [c]  # two\n---\nx"),
        (
            "---\ntags: # these\n  - a\n  - b\n# next\nmodel: m\n---\n",
            {"tags": ["c", "d"]},
            "---\ntags: [c, d] # these\n# next\nmodel: m\n---\n",
        ),
        ("---\ntags:\n- a\n- b # last\n---\n", {"tags": ["c"]}, "---\ntags: [c] # last\n---\n"),
        ("---\n{model: a, tags: [b]}\n---\nx", {"model": "c"}, "---\n{model: c, tags: [b]}\n---\nx"),
        # added
        ("x", {"model": "m"}, "---\nmodel: m\n---\nx"),
        ("\ufeffx\r\ny", {"model": "m"}, "\ufeff---\r\nmodel: m\r\n---\r\nx\r\ny"),
        ("---\n---\nx", ALL, "---\ndescription: 'One: two'\ntags: [c, d]\nmodel: m\n---\nx"),
        ("---\n# all\n---\nx", {"tags": ["a"]}, "---\ntags: [a]\n# all\n---\nx"),
        (
            "---\ndescription: d # it\n\nparams: {}\n...\nx",
            {"model": "m"},
            "---\ndescription: d # it\nmodel: m\n\nparams: {}\n...\nx",
        ),
        ("---\n  params: {}\n---\nx", {"model": "m"}, "---\n  model: m\n  params: {}\n---\nx"),
        ("---\r\ntags: [a]\n---\nx", {"model": "m"}, "---\r\ntags: [a]\nmodel: m\r\n---\nx"),
        # taken away
        ("---\n# why\nmodel: a # so\ntags: [b]\n---\nx", {"model": None}, "---\n# why\ntags: [b]\n---\nx"),
        ("---\ntags:\n  - a\n  - b\n\nmodel: m\n---\n", {"tags": []}, "---\n\nmodel: m\n---\n"),
        ("---\ndescription: >\n  a\n  b\nmodel: m\n---\n", {"description": ""}, "---\nmodel: m\n---\n"),
        ("---\nmodel: a\n---\nx", NONE, "---\n---\nx"),
        ("---\n? model\n: a\n---\nx", {"model": None}, "---\n---\nx"),
        # nothing to do
        (
            "---\nmodel: 'a'\ntags: [ b,c ]\n---\nx",
            {"model": "a", "tags": ["b", "c"]},
            "---\nmodel: 'a'\ntags: [ b,c ]\n---\nx",
        ),
        ("x", NONE, "x"),
    ],
)
def test_only_what_is_meant_is_changed(was: str, changes: Changes, now: str) -> None:
    assert splice(was.encode(), changes, "p.md").decode() == now


@pytest.mark.parametrize(
    "said",
    [
        "1.10",
        "no",
        "null",
        "1:30",
        "0o17",
        "1e3",
        "a: b",
        "a #b",
        "'",
        '"',
        "- a",
        "[a]",
        "{a}",
        "&a",
        "*a",
        "@a",
        "%a",
        "|",
        ">",
        "two\nlines",
        " spaces ",
        "tab\there",
        "\u2028",
        "\x85",
        "\x1b[31m",
        "\x00",
        "\ufeff",
        "提示 🎉",
        "x" * 500,
        "word " * 100,
        "---",
        "...",
        "\\",
    ],
)
def test_any_text_is_kept_as_it_is(said: str) -> None:
    for start in (b"x", b"---\r\ndescription: old\r\ntags: [old]\r\n---\r\nx"):
        new = splice(start, {"description": said}, "p.md")
        assert parse(decode(new, "p.md"), "p").description == said
        assert splice(new, {"description": said}, "p.md") == new


@pytest.mark.parametrize(
    ("was", "changes", "message"),
    [
        (b"---\n{model: a}\n---\n", {"tags": ["b"]}, "p.md: the front matter is written in a way that only an editor"),
        (
            b"---\nx-note: |+\n  kept\nmodel: a\n\n---\n",  # the empty line would become one of the note's
            {"model": None},
            "p.md: the front matter is written in a way that only an editor",
        ),
        (b"---\nmodel: a\n---\n", {"model": " "}, "p.md:2: model must not be empty"),
        (b"---\nmodel: [\n---\n", {"model": "b"}, "p.md:"),
        (b"---\nmodel: a\n", {"model": "b"}, "p.md:1: the front matter has no end"),
        (b"---\nmodel: a\n---\n\xff", {"model": "b"}, "p.md:4: not UTF-8 text"),
    ],
)
def test_what_cannot_be_done_is_refused(was: bytes, changes: Changes, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        splice(was, changes, "p.md")
    assert caught.value.message.startswith(message)


# The round trip


DESCRIPTIONS = (
    "description: Plain",
    "description: 'It''s'",
    'description: "a\\tb"',
    "description: |\n  two\n  lines\n",
    "description: >-\n  folded\n  text",
    "description:",
    "description:  # later",
    "description: one\n  two",
)
TAGS = (
    "tags: [a, b]",
    "tags: a",
    "tags:\n- a\n- b",
    "tags:  # mine\n    - a   # first\n    # between\n    - 'b'",
    "tags: [\n  a,  # first\n  b ]",
)
MODELS = ("model: strong", "model: 'openai:gpt'   # dear", 'model   : "x"')
OTHERS = (
    "params:\n  diff: {type: text, required: true}\n  # a comment\n  n: {type: integer, default: 3}",
    "options: {temperature: 0.2,\n  max_tokens: 10}",
    "x-note: |+\n  kept\n\n# end",
    "x-list:\n  -\n  - a",
    "fallback:\n  - a",
    "output: {format: json}",
    "unknown: {a: [1, 'two', {b: ~}]}",
    "x-empty:",
)
BETWEEN = ("", "", "# a comment", "\n", "\n# two\n# lines\n", "   ")
BODIES = (
    "",
    "Say hi",
    "{% system %}\nBe brief.\n{% user %}\n{{ diff }}\n",
    "---\nno front matter\n---\n",
    "\n\n  text \t\n\n",
    "ä 提示 🎉\u2028\n",
)


def generated(dice: random.Random) -> bytes:
    """A prompt file of some shape, as a person or another tool may have written it."""
    groups = [DESCRIPTIONS, TAGS, MODELS, *((other,) for other in OTHERS)]
    keys = [dice.choice(group) for group in groups if dice.random() < 0.5]
    dice.shuffle(keys)
    lines = [line for key in keys for line in (dice.choice(BETWEEN), key)]
    front = "\n".join(line for line in [*lines, dice.choice(BETWEEN)] if line)
    body, end = dice.choice(BODIES), dice.choice(("---", "---", "...", "--- \t"))
    text = f"---{dice.choice(('', ' '))}\n{front}\n{end}\n{body}" if keys or dice.random() < 0.5 else body
    newline = dice.choice(("\n", "\n", "\r\n", "\r"))
    return dice.choice((b"", b"\xef\xbb\xbf")) + re.sub("\n", lambda _: newline, text).encode()


def _lines(data: bytes) -> list[bytes]:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n").encode().split(b"\n")


def _edited(front: str, key: str) -> tuple[int, int]:
    """The lines of a front matter that a key has, as a reader sees them: its own, and the deeper ones below."""
    lines = front.split("\n")
    start = next(number for number, line in enumerate(lines) if re.match(rf"{key}\s*:", line))
    end = start + 1
    while end < len(lines) and re.match(r"[ ]|- |-$|$", lines[end]):
        end += 1
    return start, end


def faults(data: bytes, changes: Changes, write: Callable[[bytes, Changes, str], bytes]) -> Iterator[str]:
    """What is wrong with an edit of one field: each line of another key, each comment, and the body is to stay."""
    try:
        new = write(data, changes, "p.md")
    except TemplateError as error:
        yield f"refused: {error.message}"
        return
    [(key, value)] = changes.items()
    if write(new, changes, "p.md") != new:
        yield "not the same when it is done again"
    text, made = (decode(one, "p.md") for one in (data, new))
    (front, _, _), (new_front, _, _) = split(text, "p.md"), split(made, "p.md")
    if data != new and front and not _stays(front, new_front, key):
        yield "another line has changed"
    before, after = (one.removeprefix(b"\xef\xbb\xbf") for one in (data, new))
    tail = before[len(before) - len(_raw_body(before)) :]
    if not after.endswith(tail) or (data != before) != (new != after):
        yield "the body has changed, or the mark at the start"
    if value and (made_of := parse(made, "p")) and getattr(made_of, key) != (tuple(value) if key == "tags" else value):
        yield "it does not say what it should"


def _raw_body(data: bytes) -> bytes:
    """The body with its own line ends: as many lines as the text has below its front matter."""
    text = decode(data, "p.md")
    _, _, first = split(text, "p.md")
    return b"".join(re.findall(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)", data)[first - 1 :])


def _stays(front: str, new: str, key: str) -> bool:
    """Whether what stands above and below a key is the same, line for line."""
    rest = []
    for one in (front, new):
        lines = one.split("\n")
        if re.search(rf"^{key}\s*:", one, re.MULTILINE):
            start, end = _edited(one, key)
            del lines[start:end]
        rest.append([line for line in lines if line.strip()])
    return rest[0] == rest[1]


EDITS: tuple[Changes, ...] = (
    {"description": "A new one: with a colon"},
    {"tags": ["x", "y z"]},
    {"model": "fast"},
    {"description": None},
    {"tags": None},
    {"model": ""},
)


def _case(seed: int) -> tuple[bytes, Changes]:
    dice = random.Random(seed)
    return generated(dice), dice.choice(EDITS)


def _round_trips(write: Callable[[bytes, Changes, str], bytes], count: int) -> list[tuple[int, list[str]]]:
    found = [(seed, list(faults(*_case(seed), write))) for seed in range(count)]
    return [(seed, said) for seed, said in found if said]


def test_generated_files_survive_an_edit_byte_for_byte() -> None:
    assert _round_trips(splice, full(200, 2000)) == []


def test_a_writer_that_dumps_the_front_matter_anew_is_caught() -> None:
    def dumped(data: bytes, changes: Changes, place: str) -> bytes:
        front, body, _ = split(decode(data, place), place)
        fields = {**(yaml.load(front).value or {}), **changes}
        return f"---\n{yaml.dump({key: value for key, value in fields.items() if value})}---\n{body}".encode()

    assert len(_round_trips(dumped, 200)) > 100


@pytest.mark.parametrize("path", sorted(built_in_prompts().rglob("*.md")), ids=lambda path: path.stem)
def test_the_starter_prompts_survive_an_edit_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    assert [list(faults(data, changes, splice)) for changes in EDITS] == [[]] * len(EDITS)


# Through the command


def test_edit_changes_fields_without_an_editor(aix: Aix, library: Path) -> None:
    path = library / "p.md"
    path.write_bytes(b"---\r\n# mine\r\nmodel: strong  # dear\r\n---\r\nHi \r\n")
    done = aix("edit", "p", "--desc", "Say: hi", "--tags", "a,b", "--model", "fast")
    assert path.read_bytes() == (
        b"---\r\ndescription: 'Say: hi'\r\ntags: [a, b]\r\n# mine\r\nmodel: fast  # dear\r\n---\r\nHi \r\n"
    )
    assert (done.status, done.stdout) == (0, "")
    assert f"aix: saved {path}\n" in done.stderr
    assert "-model: strong  # dear\n" in done.stderr
    assert "+model: fast  # dear\n" in done.stderr
    assert "nothing is changed" in aix("edit", "p", "--model", "fast").stderr
    aix("edit", "p", "--desc", "", "--tags", "", "--model", "")
    assert path.read_bytes() == b"---\r\n# mine\r\n---\r\nHi \r\n"


def test_a_model_that_nobody_has_is_kept_and_said(aix: Aix, library: Path) -> None:
    (library / "p.md").write_text("Hi")
    done = aix("edit", "p", "--model", "opneai:x")
    assert (done.status, (library / "p.md").read_text()) == (0, "---\nmodel: opneai:x\n---\nHi")
    assert "aix: warning: there is no provider 'opneai' (did you mean openai:x?)\n" in done.stderr


def test_an_edit_that_would_break_a_prompt_leaves_it(aix: Aix, library: Path) -> None:
    path = library / "p.md"
    path.write_bytes(b"---\n{model: strong}\n---\nHi")
    done = aix("edit", "p", "--desc", "x")
    assert (done.status, path.read_bytes()) == (6, b"---\n{model: strong}\n---\nHi")
    assert "only an editor can change" in done.stderr
