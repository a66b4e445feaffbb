"""The filters that a template has besides Jinja's own."""

import json
import re
from typing import Any


def to_json(value: Any, indent: int | None = None) -> str:
    """The value as JSON; what JSON has no form for, as text."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)


def fenced(value: Any, language: str = "") -> str:
    """A Markdown code block whose fence is longer than any in the text, so that neither the text nor the language can
    close it."""
    text = str(value)
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    ended = text if text.endswith("\n") else text + "\n"
    word = re.split(r"[`\s]", str(language).strip(), maxsplit=1)[0]
    return f"{fence}{word}\n{ended}{fence}"


def truncate_tokens(value: Any, count: int) -> str:
    """The beginning of the text, about `count` tokens of it (four characters each)."""
    text, length = str(value), max(count, 0) * 4
    return text if len(text) <= length else text[:length] + "…"
