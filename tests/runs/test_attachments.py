"""What a file becomes when it goes with a prompt, and what is refused before it is read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aix.errors import UsageError
from aix.messages import File, Image, Message, Part, Text
from aix.runs.attachments import KINDS, MB, Kind, attached, with_attachments

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 24
GIF = b"GIF89a" + b"\0" * 24
WEBP = b"RIFF\x10\0\0\0WEBPVP8 "
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
ZIP = b"PK\x03\x04\x14\0\0\0"


def parts(*names: str, stdin: bytes = b"") -> tuple[Part, ...]:
    return attached(names, Path, lambda limit: stdin[:limit])


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.png", PNG, Image(PNG, "image/png", "a.png")),
        ("a.jpg", JPEG, Image(JPEG, "image/jpeg", "a.jpg")),
        ("a.gif", GIF, Image(GIF, "image/gif", "a.gif")),
        ("a.webp", WEBP, Image(WEBP, "image/webp", "a.webp")),
        ("a.JPEG", PNG, Image(PNG, "image/png", "a.JPEG")),
        ("shot", PNG, Image(PNG, "image/png", "shot")),
        ("shot.txt", PNG, Image(PNG, "image/png", "shot.txt")),
        ("a.pdf", PDF, File(PDF, "application/pdf", "a.pdf")),
        ("late", b"\n \n" + PDF, File(b"\n \n" + PDF, "application/pdf", "late")),
        ("a.py", b"x = 1\n", Text("\n\na.py:\n\n```py\nx = 1\n```\n")),
        ("notes", b"\xef\xbb\xbfz\xc3\xbc", Text("\n\nnotes:\n\n```\nz\u00fc\n```\n")),
        ("a.md", b"```\nx\n```\n", Text("\n\na.md:\n\n````md\n```\nx\n```\n````\n")),
        ("a b\nc.txt", b"x", Text("\n\na b c.txt:\n\n```txt\nx\n```\n")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_is_what_its_content_says(name: str, data: bytes, part: Part, home: Path) -> None:
    Path(name).write_bytes(data)
    assert parts(name) == (part,)


def test_a_dash_is_standard_input() -> None:
    assert parts("-", stdin=PNG) == (Image(PNG, "image/png", "stdin"),)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("fake.png", b"text", "cannot attach fake.png: it is named like a PNG image, and its content is text"),
        ("fake.pdf", PNG, "cannot attach fake.pdf: it is named like a PDF, and its content is a PNG image"),
        ("fake.webp", ZIP, "cannot attach fake.webp: it is named like a WebP image, and its content is something else"),
        ("a.zip", ZIP, "cannot attach a.zip: it is not an image (PNG, JPEG, GIF, WebP), a PDF or UTF-8 text"),
        ("l1", b"caf\xe9", "cannot attach l1: it is not an image (PNG, JPEG, GIF, WebP), a PDF or UTF-8 text (byte 3)"),
        ("empty", b"", "cannot attach empty: it is empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_use_to_a_model_is_refused(name: str, data: bytes, said: str, home: Path) -> None:
    Path(name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        parts(name)
    assert caught.value.message == said


def _nothing(_: Path) -> None:
    """There is none."""


def _secret(path: Path) -> None:
    path.write_text("x")
    path.chmod(0)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("folder", Path.mkdir, "it is a directory"),
        ("pipe", os.mkfifo, "it is not a plain file"),
        ("nothing", _nothing, "no such file or directory"),
        pytest.param(
            "secret",
            _secret,
            "permission denied",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything"),
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_never_waited_for(
    name: str, make: Callable[[Path], None], said: str, home: Path
) -> None:
    make(Path(name))
    with pytest.raises(UsageError) as caught:
        parts(name)
    assert caught.value.message == f"cannot attach {name}: {said}"


def test_a_name_that_is_empty_is_an_unset_variable(home: Path) -> None:
    with pytest.raises(UsageError, match=r"^--attach is empty$"):
        parts("")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.says)
def test_what_is_too_large_is_not_read(kind: Kind, home: Path) -> None:
    starts = {"image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP, "application/pdf": PDF}
    with Path("big").open("wb") as file:
        file.write(starts.get(kind.media_type, b"x" * 1024))
        file.truncate(kind.limit + MB)
    with pytest.raises(UsageError) as caught:
        parts("big")
    size, most = kind.limit // MB + 1, kind.limit // MB
    assert caught.value.message == f"big, {kind.says}, is {size}.0 MB, and {most} MB is the most that can be attached"


def test_all_together_have_a_limit_too(home: Path) -> None:
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        with Path(name).open("wb") as file:
            file.write(PNG)
            file.truncate(19 * MB)
    with pytest.raises(UsageError, match="all that is attached is 57"):
        parts(*names)


def test_standard_input_that_is_empty_or_too_large_is_refused() -> None:
    with pytest.raises(UsageError, match="standard input is empty"):
        parts("-")
    with pytest.raises(UsageError, match="standard input, text, is 11"):
        parts("-", stdin=b"x" * 11 * MB)


SYSTEM, ASK, ANSWER = (Message(role, (Text(role),)) for role in ("system", "user", "assistant"))
SHOT = Image(PNG, "image/png", "a.png")


@pytest.mark.parametrize(
    ("messages", "whole"),
    [
        ([SYSTEM, ASK], [SYSTEM, Message("user", (Text("user"), SHOT))]),
        ([ASK, ANSWER, ASK, ANSWER], [ASK, ANSWER, Message("user", (Text("user"), SHOT)), ANSWER]),
        ([SYSTEM], [SYSTEM, Message("user", (SHOT,))]),
        ([], [Message("user", (SHOT,))]),
    ],
)
def test_they_go_with_the_last_user_message(messages: list[Message], whole: list[Message]) -> None:
    assert with_attachments(messages, (SHOT,)) == tuple(whole)
    assert with_attachments(messages, ()) == tuple(messages)
