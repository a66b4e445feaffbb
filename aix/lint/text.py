"""Text that is not what it looks like: what Jinja takes for its own, placeholders that are none, keys."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from aix.config.secrets import KEY_SHAPE, Secret, forms, mask
from aix.lint.syntax import Token

ACTIONS = (
    "github",
    "secrets",
    "env",
    "vars",
    "inputs",
    "matrix",
    "needs",
    "steps",
    "runner",
    "job",
    "jobs",
    "strategy",
)
"""What GitHub's own expressions begin with."""

TIGHT = re.compile(r"[^\s+-]")
COMMAND = re.compile(r"\{(?:cmd|exec):[^{}\n]+\}")
NAMED = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")
ALONE = re.compile(r"(?:^|(?<=\s))\{[A-Za-z_][A-Za-z0-9_]*\}(?=[\s.,:;!?]|$)", re.MULTILINE)
SHELL = re.compile(r"^\$\([^()\n]+\)[ \t]*$", re.MULTILINE)
CODE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[`~]*[ \t]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
RAW = "between {% raw %} and {% endraw %} it stays text"
OTHER_KEYS = re.compile(
    r"\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-)[A-Za-z0-9_-]{16,}|\bAKIA[A-Z0-9]{16}\b(?<!EXAMPLE)"
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16,}"
)
"""The keys of code hosts, chats and clouds, which no request that aix sends has."""
PIECE = re.compile(r"[A-Za-z0-9]{12,}")
"""What a key has and a name such as `sk-your-key-goes-here` has not: a long piece of letters and digits."""
VARIED = 8
"""How many different ones it has at least: `xxxxxxxxxxxx1` is no key."""


def lookalikes(tokens: Sequence[Token], declared: Mapping[str, int] | None) -> Iterator[tuple[int, str, str]]:
    """Where Jinja takes for its own what looks like text, with what to say and what to do."""
    for index, (before, token) in enumerate(pairwise(tokens)):
        if before.kind == "comment_begin" and TIGHT.match(token.text):
            shown = (before.text + token.text.split("\n")[0])[:30]
            yield (
                before.at,
                f"'{shown}…' is a comment to Jinja, and is left out",
                RAW + "; a comment has a space: {# … #}",
            )
        if token.kind == "variable_begin" and before.kind == "data" and before.text.endswith("$"):
            name = next((one.text for one in tokens[index + 2 : index + 4] if one.kind == "name"), "")
            if name in ACTIONS and name not in (declared or ()):
                yield token.at - 1, f"'${{{{ {name}… }}}}' is Jinja, with a variable '{name}', and not text", RAW


def placeholders(tokens: Sequence[Token], declared: Mapping[str, int] | None) -> Iterator[tuple[int, str, str]]:
    """Where a placeholder of older prompts stands that Jinja leaves as it is, each once. `/users/{id}` is text, and so
    is code."""
    plain = all(token.kind == "data" for token in tokens) and declared is None
    told = set[str]()
    for token in tokens:
        if token.kind == "data" and not token.raw:
            text = CODE.sub(lambda match: "·" * len(match[0]), token.text)
            shapes = [COMMAND, *((ALONE, SHELL) if plain else ())]
            for match in (match for shape in shapes for match in shape.finditer(text)):
                if match[0] in told:
                    continue
                told.add(match[0])
                yield token.at + match.start(), _older(match[0]), "aix create NEW --convert - < FILE makes Jinja of it"
            for match in NAMED.finditer(text):
                if match[1] in (declared or ()):
                    yield token.at + match.start(), _older(match[0]), f"the param is {{{{ {match[1]} }}}}"


def _older(text: str) -> str:
    return f"'{text if len(text) <= 40 else text[:40] + '…'}' is a placeholder of older prompts, and only text here"


def spellings(secrets: Sequence[Secret]) -> list[tuple[str, Secret]]:
    """Every way in which a key that is known may be written."""
    return [(form, secret) for secret in secrets for form in forms(secret)]


def keys(text: str, known: Sequence[tuple[str, Secret]]) -> Iterator[tuple[int, str]]:
    """Where a key stands, with what to say; the key is not in it."""
    places = {text.find(form): secret for form, secret in known if form in text}
    for at, secret in places.items():
        yield at, f"{secret!r} is a key that aix knows"
    for match in (match for shape in (KEY_SHAPE, OTHER_KEYS) for match in shape.finditer(text)):
        inside = any(match.start() <= at < match.end() for at in places)
        if not inside and any(map(_is_random, PIECE.findall(match[0]))):
            yield match.start(), f"{mask(match[0])} looks like a key"


def _is_random(piece: str) -> bool:
    return len(set(piece)) >= VARIED and not piece.isalpha() and not piece.isdigit()


def at_line(text: str, at: int, first: int) -> int:
    """The line of a place in a text whose first line is `first`."""
    return first + text.count("\n", 0, at)
