"""`--attach` and what a model does not take, through the real command and a server on this machine."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, Model, Terminal, configure, serving, write

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
PDF_URL = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
MODELS = {
    "box:tiny": {"capabilities": ["tools"], "context": 1000},
    "box:sees": {"capabilities": ["vision"]},
    "box:reads": {"capabilities": ["pdf", "vision"]},
}


@pytest.fixture
def look(home: Path, library: Path) -> Path:
    """A prompt with a system and a user message, and files that can go with it."""
    (home / "a.png").write_bytes(PNG)
    (home / "plan.pdf").write_bytes(PDF)
    (home / "notes.txt").write_text("one\n")
    return write(library, "look", "{% system %}Be brief.{% user %}Look.")


@pytest.fixture
def model(library: Path) -> Iterator[Model]:
    with serving(library) as model:
        yield model


def know(library: Path, model: Model) -> None:
    """Say in config.json what the models of `box` can do."""
    configure(library, default_provider="box", custom_providers={"box": model.provider}, models=MODELS)


def test_what_is_attached_follows_the_text_of_the_user(aix: Aix, model: Model, look: Path) -> None:
    done = aix("run", "look", "-x", "-a", "a.png", "--attach", "~/plan.pdf", "-anotes.txt")
    assert done == Result("Good day.", "", 0)
    system, user = model.asked[0]["messages"]
    assert system["content"] == "Be brief."
    assert user["content"] == [
        {"type": "text", "text": "Look."},
        {"type": "image_url", "image_url": {"url": PNG_URL}},
        {"type": "file", "file": {"filename": "plan.pdf", "file_data": PDF_URL}},
        {"type": "text", "text": "\n\nnotes.txt:\n\n```txt\none\n```\n"},
    ]


def test_a_rendering_names_what_is_attached(aix: Aix, look: Path) -> None:
    done = aix("run", "look", "-a", "a.png", "-a", "notes.txt", "-a", "plan.pdf")
    user = "Look.[a.png: image/png, 32 bytes]\n\nnotes.txt:\n\n```txt\none\n```\n[plan.pdf: application/pdf, 15 bytes]"
    assert done == Result(f"## system\n\nBe brief.\n\n## user\n\n{user}\n", NOT_SENT, 0)


def test_standard_input_can_be_attached_once(aix: Aix, model: Model, look: Path) -> None:
    assert aix("run", "look", "-x", "-a", "-", stdin=PNG) == Result("Good day.", "", 0)
    assert model.asked[0]["messages"][1]["content"][1] == {"type": "image_url", "image_url": {"url": PNG_URL}}
    done = aix("run", "-", "-x", "-a", "-", stdin="Hi")
    assert done == Result("", "aix: error: standard input can be read once\n", 2)


def test_a_30_mb_image_is_refused(aix: Aix, home: Path, model: Model, look: Path) -> None:
    with (home / "big.png").open("wb") as file:
        file.write(PNG)
        file.truncate(30_000_000)
    done = aix("run", "look", "-x", "-a", "big.png")
    said = "big.png, a PNG image, is 30.0 MB, and 20 MB is the most that can be attached"
    assert (done, model.asked) == (Result("", f"aix: error: {said}\n", 2), [])


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (
            ["-a", "a.png"],
            "aix: error: box:tiny cannot read images\n"
            "  hint: these can: box:reads, box:sees\n  hint: aix model list --vision\n",
        ),
        (
            ["-a", "plan.pdf", "-m", "box:sees"],
            "aix: error: box:sees cannot read PDF files\n"
            "  hint: these can: box:reads\n  hint: attach its text: pdftotext FILE - | aix run NAME -a -\n",
        ),
        (
            ["-a", "plan.pdf", "-m", "ollama:stranger"],
            "aix: error: ollama:stranger cannot read PDF files\n"
            "  hint: attach its text: pdftotext FILE - | aix run NAME -a -\n",
        ),
        (["-a", "a.png", "-a", "plan.pdf", "-m", "box:reads"], ""),
        (["-a", "a.png", "-m", "box:stranger"], ""),
        (["-a", "notes.txt"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_model_that_is_known_not_to_see_is_not_asked(
    flags: list[str], error: str, aix: Aix, model: Model, look: Path
) -> None:
    know(look.parent, model)
    done = aix("run", "look", "-x", *flags)
    assert done == (Result("", error, 2) if error else Result("Good day.", "", 0))
    assert len(model.asked) == (0 if error else 1)


def test_a_dry_run_counts_what_is_attached(aix: Aix, model: Model, look: Path) -> None:
    know(look.parent, model)
    done = aix("run", "look", "-n", "-a", "a.png", "-m", "box:reads")
    assert "aix: about 1005 tokens in (estimated), no limit set on the answer; unpriced\n" in done.stderr


def test_on_a_terminal_base64_is_cut(home: Path, library: Path, look: Path, aix: Aix) -> None:
    (home / "a.png").write_bytes(PNG + b"\0" * 3000)
    call = ("run", "look", "-m", "openai:own", "-a", "a.png", "--show-request")
    data = base64.b64encode(PNG + b"\0" * 3000).decode()
    assert data in aix(*call).stdout
    terminal = Terminal(*call, columns=200)
    assert terminal.end() == 0
    shown = terminal.raw.decode()
    assert f"{data[:60]}…({len(data)} characters of base64)" in shown
    assert data[:70] not in shown


def test_an_effort_that_is_none_is_refused_with_what_is_near(aix: Aix, look: Path) -> None:
    done = aix("run", "look", "--effort", "hihg")
    levels = "none, minimal, low, medium, high, xhigh, max"
    assert done == Result(
        "", f"aix: error: --effort must be one of {levels}, not 'hihg'\n  hint: did you mean high?\n", 2
    )


def test_what_a_model_does_not_take_is_left_out_and_said_once(aix: Aix, model: Model, look: Path) -> None:
    know(look.parent, model)
    write(look.parent, "look", "---\noptions: {effort: low, seed: 3}\n---\n" + "Look. " * 1000)
    done = aix("run", "look", "-x", "--effort", "high")
    assert done.stdout == "Good day."
    assert done.stderr.splitlines() == [
        "aix: warning: box:tiny takes no effort; it was left out",
        "aix: warning: about 1500 tokens (estimated) are more than the 1000 that box:tiny reads and writes",
    ]
    assert (model.asked[0]["seed"], model.asked[0].get("reasoning_effort")) == (3, None)
    aix("run", "look", "-x", "--effort", "high", "-m", "box:stranger")
    assert model.asked[1]["reasoning_effort"] == "high"


def test_a_model_that_there_is_not_is_met_with_one_that_is_near(aix: Aix, model: Model, look: Path) -> None:
    know(look.parent, model)
    model.error = (404, "no such model")
    for name, hint in (("box:readz", "did you mean box:reads?"), ("box:x", "aix model list --provider box --live")):
        done = aix("run", "look", "-x", "-m", name)
        assert done.stderr.splitlines()[-1] == f"  hint: {hint}"
        assert (done.stdout, done.status) == ("", 5)


def test_json_shows_what_is_attached(aix: Aix, look: Path) -> None:
    shown = json.loads(aix("run", "look", "--json", "-a", "a.png").stdout)
    assert shown["messages"][1] == {"role": "user", "content": "Look.[a.png: image/png, 32 bytes]"}
