"""Placeholders of older prompts as Jinja: `{name}` is a param, `$(cmd)`, `{cmd:…}` and `{exec:…}` are commands.

Jinja that stands in the text already is left as it is, so what is converted once is not changed by a second time; so is
`${VAR}`, which is a shell's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aix.library.document import RESERVED, split

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SHELL_VARIABLE = r"\$\{[^{}]*\}"

_TEXT = r'"(?:\\.|[^"\\])*"|' r"'(?:\\.|[^'\\])*'"
_INSIDE = rf"""(?:{_TEXT}|[^"'])*?"""
_JINJA = "|".join(
    [
        r"\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}",
        rf"\{{\{{{_INSIDE}\}}\}}",
        rf"\{{%{_INSIDE}%\}}",
        r"\{#.*?#\}",
    ]
)

_NO_JINJA = r"(?!\\?(?<!\$)\{[{%#])"
"""Holds where no Jinja begins: a command without an end must not find it in the Jinja that a first time put in."""

_QUOTED = rf"""{_NO_JINJA}\\.|"(?:{_NO_JINJA}(?:\\.|[^"\\]))*"|'(?:{_NO_JINJA}[^'])*'"""
_IN_BRACES = rf"""(?:{_QUOTED}|{_NO_JINJA}(?:[^{{}}"'\\]|\{{[^{{}}]*\}}))*"""
_IN_PARENTHESES = rf"""(?:{_QUOTED}|{_NO_JINJA}[^()"'\\])*"""
for _ in range(3):
    _IN_PARENTHESES = rf"""(?:{_QUOTED}|{_NO_JINJA}[^()"'\\]|\({_IN_PARENTHESES}\))*"""

_TOKEN = re.compile(
    rf"(?P<kept>{_JINJA}|{_SHELL_VARIABLE})"
    rf"|\{{(?:cmd|exec):(?P<command>{_IN_BRACES})\}}"
    rf"|\$\((?!\()(?P<shell>{_IN_PARENTHESES})\)"
    rf"|\{{(?P<param>{_NAME})\}}"
    r"|(?P<begin>\{\{|\{%|\{#|\{(?=\$\())",
    re.DOTALL,
)
_QUOTE = {"": '"${{{}}}"', '"': "${{{}}}", "'": "'\"${{{}}}\"'"}
"""How a shell's own param stands outside of quotes, in double ones and in single ones: always one word."""

_TAKEN = RESERVED | {"range", "dict", "cycler", "joiner", "namespace"}
"""Names that mean something in every template, so that no param can have them."""


@dataclass(frozen=True, slots=True)
class Converted:
    """`text` is the whole text, `found` the placeholders as they stood, each once."""

    text: str
    found: tuple[str, ...] = ()


def convert(text: str) -> Converted:
    """A prompt file's text with Jinja in the place of older placeholders; its front matter stays. Raises TemplateError
    when that has no end."""
    _, body, _ = split(text, "the text")
    found: dict[str, None] = {}

    def replaced(match: re.Match[str]) -> str:
        if match["kept"]:
            return match["kept"]
        if match["begin"]:
            return f"{{{{ '{match['begin']}' }}}}"
        found[match[0]] = None
        if match["param"]:
            return f"{{{{ {_param(match['param'])} }}}}"
        command, names = _positional((match["command"] or match["shell"] or "").strip())
        return f"{{{{ sh({', '.join([_literal(command), *names])}) }}}}"

    new = _TOKEN.sub(replaced, body)
    return Converted(text.removesuffix(body) + new, tuple(found))


def _param(name: str) -> str:
    """A param's name; one that it cannot have gets a mark."""
    return f"{name}_" if name in _TAKEN else name


def _positional(source: str) -> tuple[str, list[str]]:
    """A command in which `{name}` stands, as a shell gets it: with `$1` there, and the names in their order."""
    names: list[str] = []
    pieces: list[str] = []
    for text, quote in _quoted(source):
        name = re.fullmatch(rf"\{{({_NAME})\}}", text)
        if name is None:
            pieces.append(text)
            continue
        param = _param(name[1])
        names += [] if param in names else [param]
        pieces.append(_QUOTE[quote].format(names.index(param) + 1))
    return "".join(pieces), names


def _quoted(source: str) -> Iterator[tuple[str, str]]:
    """The placeholders, escapes and single letters of a command, each with the quote that it stands in."""
    quote = ""
    for match in re.finditer(rf"{_SHELL_VARIABLE}|\{{{_NAME}\}}|\\.|.", source, re.DOTALL):
        text = match[0]
        yield text, quote
        mark = text[-1] if quote == "'" else text  # a backslash escapes nothing there
        if mark in ("'", '"') and quote in ("", mark):
            quote = "" if quote else mark


def _literal(text: str) -> str:
    """A string literal of Jinja."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'
