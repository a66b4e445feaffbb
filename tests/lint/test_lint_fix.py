"""`--fix` changes what is mechanical, and nothing else."""

from pathlib import Path

import pytest
from bench import KNOWN, put

from aix.lint.file import File, look
from aix.lint.mend import changed, mended
from aix.lint.rules import Change


def fixed(folder: Path, data: bytes) -> tuple[bytes, int]:
    """The file after it was mended, and how many findings that took away."""
    file = File(put(folder, {}), "p.md")
    done = mended(data, lambda new: look(file, new, KNOWN).findings)
    return done.data, len(done.findings)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\ndesciption: x\n---\nhi", "---\ndescription: x\n---\nhi"),
        ("---\nmodle:  x # y\ntgas: [a,b]\n---\n", "---\nmodel:  x # y\ntags: [a,b]\n---\n"),
        ("---\nparams: {a: {typ: text}}\n---\n{{ a }}", "---\nparams: {a: {type: text}}\n---\n{{ a }}"),
        ("---\noptions:\n  temprature: 1\n---\n", "---\noptions:\n  temperature: 1\n---\n"),
        ("---\noutput: {fromat: json}\n---\n", "---\noutput: {format: json}\n---\n"),
        ("---\ndescription: a: b\n---\n", '---\ndescription: "a: b"\n---\n'),
        ("---\ndescription: @x\nmodle: y\n---\n", '---\ndescription: "@x"\nmodel: y\n---\n'),
        ("---\nparams:\n\ta:\n\t\ttype: text\n---\n{{ a }}", "---\nparams:\n  a:\n    type: text\n---\n{{ a }}"),
        ("---\r\ndesciption: x\r\n---\r\nhi\t\r\n", "---\r\ndescription: x\r\n---\r\nhi\t\r\n"),
        ("\ufeff---\rdesciption: x\r---\rhi", "\ufeff---\rdescription: x\r---\rhi"),
        (
            "---\nx: |\n  desciption: x\n# desciption:\ndesciption: y\n---\n",
            "---\nx: |\n  desciption: x\n# desciption:\ndescription: y\n---\n",
        ),
        ("---\nparms: {a: {}}\n---\n{{ a }}", "---\nparams: {a: {}}\n---\n{{ a }}"),
    ],
)
def test_what_is_mechanical_is_mended(before: str, after: str, tmp_path: Path) -> None:
    data, count = fixed(tmp_path, before.encode())
    assert data.decode() == after
    assert count > 0
    assert fixed(tmp_path, data) == (data, 0)


@pytest.mark.parametrize(
    "text",
    [
        "---\ndesciption: x\ndescriptoin: y\n---\n",
        "---\ndescription: a: b # c\n---\n",
        "---\noptions: {temprature: 0, temperature: 1}\n---\n",
        "---\ntemperature: true\n---\n",
        "---\nx-desciption: x\n---\n",
        "---\nzzzz: x\n---\n",
        "---\ndesciption: [x]\n---\n",  # it would be an error under its right name
        "---\nparms: {a: {}}\n---\n{{ b }}",  # b would not be declared
        "---\ndescription: x\ndesciption: y\n---\n",
        "---\n? desciption\n: x\n---\n",
        "---\n'desciption': x\n---\n",
        "---\nparams:\n\ta: {}\n b: {}\n---\n",
        "---\nparams: {a: {required: true, default: x}, b: {}}\n---\n{{ a }} {c} {cmd:ls}",
        "---\ndescription: x\n---\ndesciption: x\n{#1} #}",
    ],
)
def test_what_could_mean_something_else_is_left(text: str, tmp_path: Path) -> None:
    assert fixed(tmp_path, text.encode()) == (text.encode(), 0)


def test_a_line_that_is_another_by_now_is_left() -> None:
    assert changed(b"a\nb\n", [Change(2, "x", "y")]) == b"a\nb\n"
    assert changed(b"a\nb\n", [Change(9, "b", "y")]) == b"a\nb\n"
    assert changed(b"a\r\nb\r\n", [Change(2, "b", "y")]) == b"a\r\ny\r\n"
