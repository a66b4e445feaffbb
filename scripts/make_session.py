"""docs/session.svg: a terminal session as it happens, drawn.

The real command runs on a terminal of its own, in an empty home, and asks the stand-in of stand_in.py.

`scripts/make_session.py` draws it anew; with `--check` it only says whether the words in it are still those.
"""

import html
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pexpect
import pyte  # type: ignore[import-not-found,unused-ignore]
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "session.svg"
COLUMNS, LINES, SECONDS = 84, 60, 30

BEFORE = """
git init --quiet && git config user.name Ada && git config user.email ada@example.com
printf 'def greet(name):\\n    return f"Hello, {name}!"\\n' > greet.py
git add . && git commit --quiet --message Start
printf 'def greet(name):\\n    return f"Hello, {name}!" if name else "Hello!"\\n' > greet.py
git add .
clear
"""
SESSION = (
    "aix list --tag git",
    "git diff --staged | aix run commit -x",
    'aix run explain "exit status 141" -x',
    "aix run commit --style haiku < greet.py",
)

TEXT, PAPER = (214, 219, 228), (24, 27, 33)
RED, GREEN, YELLOW = (240, 113, 120), (145, 201, 120), (229, 192, 110)
BLUE, MAGENTA, CYAN = (110, 170, 245), (200, 140, 230), (95, 200, 205)
GREY, WHITE = (125, 135, 150), (255, 255, 255)
COLOURS = [RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE]
THEME = TerminalTheme(PAPER, TEXT, [PAPER, *COLOURS], [GREY, *COLOURS])
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
FORMAT = f"""<svg class="rich-terminal" viewBox="0 0 {{width}} {{height}}" xmlns="http://www.w3.org/2000/svg">
<title>A terminal session with aix</title>
<style>
.{{unique_id}}-matrix {{{{ font-family: {MONOSPACE}; font-size: {{char_height}}px; line-height: {{line_height}}px; }}}}
.{{unique_id}}-title {{{{ font-family: {MONOSPACE}; font-size: 18px; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal"><rect width="{{terminal_width}}" height="{{terminal_height}}" /></clipPath>
{{lines}}
</defs>
{{chrome}}
<g transform="translate({{terminal_x}}, {{terminal_y}})" clip-path="url(#{{unique_id}}-clip-terminal)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>
"""


@contextmanager
def stand_in() -> Iterator[int]:
    """The port of a stand-in for a model server, while the `with` lasts."""
    program = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the pipes of the stand-in are missing")
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


def script() -> str:
    """The session as a shell script that shows each command before it runs it."""
    shown = (f"printf '\\033[1;32m$\\033[0m %s\\n' {quoted(command)}; {command}; printf '\\n'\n" for command in SESSION)
    return BEFORE + "".join(shown)


def quoted(text: str) -> str:
    """A text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def screen(port: int) -> pyte.Screen:
    """What a person sees at the end of the session."""
    written = io.BytesIO()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "AIX_PROVIDER": "ollama",
            "OLLAMA_HOST": f"http://127.0.0.1:{port}",
        }
        child = pexpect.spawn(
            "sh", ["-c", script()], env=environment, cwd=home, dimensions=(LINES, COLUMNS), timeout=SECONDS
        )
        child.logfile_read = written
        child.expect(pexpect.EOF)
        child.close()
    display = pyte.Screen(COLUMNS, LINES)
    pyte.ByteStream(display).feed(written.getvalue())
    return display


def lines(display: pyte.Screen) -> list[Text]:
    """The screen's lines with their colours, down to the first empty one after all that is said."""
    last = max(at for at, line in enumerate(display.display) if line.strip())
    return [line(display, at) for at in range(last + 2)]


def line(display: pyte.Screen, at: int) -> Text:
    """One line of the screen, in pieces that look alike."""
    cells = [display.buffer[at][column] for column in range(len(display.display[at].rstrip()))]
    return Text.assemble(*(("".join(cell.data for cell in alike), style) for style, alike in groupby(cells, look)))


def look(cell: pyte.screens.Char) -> Style:
    """How a cell of the screen looks."""
    return Style(color=colour(cell.fg), bold=cell.bold, italic=cell.italics, reverse=cell.reverse)


def colour(name: str) -> str | None:
    """A colour of the screen as rich names it."""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    plain = {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))
    return None if name == "default" else plain


def draw(drawn: list[Text]) -> str:
    """The lines as a picture that needs nothing from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for text in drawn:
        console.print(text)
    return console.export_svg(title="aix", theme=THEME, code_format=FORMAT, unique_id="aix")


def words(picture: str) -> list[str]:
    """What can be read in a picture, without what differs from run to run: how long an answer took."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", picture, re.DOTALL)
    return [re.sub(r"\d+\.\d(\+\d+\.\d)?\ss\b(,\s\d+/s)?", "… s", html.unescape(text)) for text in texts]


def main() -> int:
    """Draw the picture, or with `--check` compare; the exit status."""
    with stand_in() as port:
        picture = draw(lines(screen(port)))
    if PICTURE.exists() and words(PICTURE.read_text()) == words(picture):
        return 0
    if "--check" in sys.argv:
        print(f"{PICTURE.relative_to(ROOT)} is out of date")
        return 1
    PICTURE.write_text(picture)
    print(f"wrote {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
