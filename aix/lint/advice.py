"""What to write instead of what Jinja could not read."""

import re
from difflib import get_close_matches

from aix.library.templates.jinja import Environment

TAGS = (
    *("if", "elif", "else", "endif", "for", "endfor", "set", "endset", "raw", "endraw", "with", "endwith"),
    *("macro", "endmacro", "call", "endcall", "filter", "endfilter", "block", "endblock"),
    *("include", "import", "from", "extends", "system", "user", "assistant"),
)

OTHER_WORDS = (
    (re.compile(r"&&"), "Jinja's word for && is and"),
    (re.compile(r"\|\|"), "Jinja's word for || is or"),
    (re.compile(r"\{%-?\s*else\s+if\b"), "Jinja writes {% elif … %}"),
    (re.compile(r"\{\{[^}]*\?[^}]*:"), "Jinja writes {{ yes if it else no }}"),
    (re.compile(r"!(?!=)"), "Jinja's word for ! is not"),
)
"""What stands for it in other languages, in the line where Jinja stumbles over it."""

STUMBLED = re.compile(r"unexpected char|expected token")
UNKNOWN = re.compile(r"unknown tag '(\w+)'|No (filter|test) named '(\w+)'")
RAW = "what is only text goes between {% raw %} and {% endraw %}"


def advice(message: str, line: str, environment: Environment) -> str:
    """What to do about a fault in a line of a template."""
    if found := UNKNOWN.search(message):
        tag, kind, name = found.groups()
        known = TAGS if tag else environment.filters if kind == "filter" else environment.tests
        near = get_close_matches((tag or name).lower(), known, n=1)
        return f"did you mean {near[0]}?" if near and near[0] != tag else RAW if tag else ""
    code = "".join(re.findall(r"\{[{%].*", line))
    said = (word for shape, word in OTHER_WORDS if STUMBLED.search(message) and shape.search(code))
    return next(said, RAW)
