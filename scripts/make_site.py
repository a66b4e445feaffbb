"""The documents as a small static site: plain HTML that needs no JavaScript and asks no other server for anything.

`scripts/make_site.py FOLDER` writes it. The navigation is the links of docs/index.md, in their order. A link or an
anchor that leads nowhere, or a page that docs/index.md does not name, ends the build with status 1.
"""

import html
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight  # type: ignore[import-untyped,unused-ignore]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped,unused-ignore]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped,unused-ignore]

ROOT = Path(__file__).parent.parent
INDEX = "docs/index.md"
STYLES = {"light": "xcode", "dark": "github-dark"}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LEXERS = {"": "text", "jinja": "html+jinja"}
REMOTE = re.compile(r"^[a-z]+:")


@dataclass(frozen=True, slots=True)
class Page:
    """A document: its path in the repository, and what it is made of."""

    path: str
    tokens: Sequence[Token]
    anchors: frozenset[str]

    @property
    def title(self) -> str:
        return next(spoken(inline) for opening, inline in headings(self.tokens) if opening.tag == "h1")

    @property
    def file(self) -> str:
        """Its name on the site."""
        return PurePosixPath(self.path).name.lower().replace("_", "-").removesuffix(".md") + ".html"


def headings(tokens: Sequence[Token]) -> list[tuple[Token, Token]]:
    """Each heading with its text."""
    return [(token, tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "heading_open"]


def spoken(inline: Token) -> str:
    """A text without its markup."""
    return "".join(token.content for token in inline.children or () if token.type in ("text", "code_inline"))


def slug(text: str) -> str:
    """The anchor that forges give a heading."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def read(path: str) -> Page:
    """A document, its headings marked with their anchors."""
    tokens = MARKDOWN.parse((ROOT / path).read_text())
    taken: list[str] = []
    for opening, inline in headings(tokens):
        name = slug(spoken(inline))
        times = sum(other == name for other in taken)
        taken.append(name)
        opening.attrSet("id", f"{name}-{times}" if times else name)
    return Page(path, tokens, frozenset(str(opening.attrs["id"]) for opening, _ in headings(tokens)))


def links(tokens: Sequence[Token]) -> list[tuple[Token, str]]:
    """Every link and picture, as its token and the attribute that holds the address."""
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {"link_open": "href", "image": "src"}
    return [(token, kinds[token.type]) for token in inline if token.type in kinds]


def place(page: str, link: str) -> str:
    """The path in the repository that a link on a page leads to; the page itself for a bare anchor."""
    target = link.partition("#")[0]
    return normpath(str(PurePosixPath(page).parent / target)) if target else page


def navigation(index: Page) -> dict[str, str]:
    """The documents that the index leads to, in its order, each with the words of its link."""
    inline = [child for token in index.tokens for child in token.children or ()]
    targets = [
        (str(token.attrs["href"]), inline[at + 1].content)
        for at, token in enumerate(inline)
        if token.type == "link_open"
    ]
    return {INDEX: index.title} | {place(INDEX, link): words for link, words in targets if link.endswith(".md")}


def faults(pages: Mapping[str, Page]) -> list[str]:
    """Every link that leads nowhere, and every page of docs/ that the navigation leaves out."""
    wrong = [f"{path}: {INDEX} does not lead to it" for path in documents() if path not in pages]
    for page in pages.values():
        for token, name in links(page.tokens):
            link = str(token.attrs[name])
            if not REMOTE.match(link) and not leads(page.path, link, pages):
                wrong.append(f"{page.path}: {link} leads nowhere")
    return wrong


def leads(page: str, link: str, pages: Mapping[str, Page]) -> bool:
    """Whether there is what a link names."""
    path, anchor = place(page, link), link.partition("#")[2]
    if path in pages:
        return not anchor or anchor in pages[path].anchors
    return not path.startswith("..") and (ROOT / path).is_file()


def documents() -> list[str]:
    """All documents that a user may read."""
    return sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def rendered(page: Page, pages: Mapping[str, Page], folder: Path) -> str:
    """The HTML of a page; its links lead to the site's files, and other files it names are copied beside it."""
    for token, name in links(page.tokens):
        link = str(token.attrs[name])
        if not REMOTE.match(link):
            token.attrSet(name, on_site(page.path, link, pages, folder))
    return str(MARKDOWN.renderer.render(page.tokens, MARKDOWN.options, {}))


def on_site(page: str, link: str, pages: Mapping[str, Page], folder: Path) -> str:
    """The address on the site of what a link names."""
    path, _, anchor = place(page, link), *link.partition("#")[1:]
    if path in pages:
        return pages[path].file + (f"#{anchor}" if anchor else "")
    shutil.copy(ROOT / path, folder)
    return PurePosixPath(path).name


def code(_: object, tokens: Sequence[Token], at: int, *__: object) -> str:
    """A block of code in colours; a second word after its language is the name of the file that it is."""
    language, _, name = tokens[at].info.partition(" ")
    caption = f'<span class="file">{html.escape(name)}</span>' if name else ""
    lexer = get_lexer_by_name(LEXERS.get(language, language), stripnl=False)
    return f"<pre>{caption}<code>{highlight(tokens[at].content, lexer, HtmlFormatter(nowrap=True))}</code></pre>"


def colours(theme: str) -> str:
    """The colours of code as CSS."""
    made: str = HtmlFormatter(style=STYLES[theme]).get_style_defs("pre")
    return "\n".join(line for line in made.splitlines() if line.startswith("pre ."))


def build(folder: Path) -> list[str]:
    """Write the site, unless something is wrong; what is wrong."""
    menu = navigation(read(INDEX))
    pages = {path: read(path) for path in menu if (ROOT / path).is_file()}
    if wrong := faults(pages):
        return wrong
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    template = environment.get_template("page.html")
    style = {theme: colours(theme) for theme in STYLES}
    for page in pages.values():
        body = rendered(page, pages, folder)
        text = template.render(page=page, pages=pages.values(), menu=menu, body=body, style=style)
        (folder / page.file).write_text(text)
    return []


def main(folder: str) -> int:
    """Build the site; the exit status."""
    MARKDOWN.add_render_rule("fence", code)
    wrong = build(Path(folder))
    print("\n".join(wrong) if wrong else f"built {folder}/index.html")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
