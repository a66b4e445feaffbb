"""Patterns for the names of providers, models and prompts."""

import pytest

from aix.config.pattern import fits


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("gpt-*", "GPT-4o", True),
        (" *mini ", "gpt-mini", True),
        ("*a*b*", "xaxxbx", True),
        ("*a*b*", "xbxxa", False),
        ("ab*ba", "aba", False),
        ("a.c", "abc", False),
        ("*", "", True),
        ("", "a", False),
        ("*a" * 200 + "b", "a" * 2000, False),
    ],
)
def test_a_star_stands_for_anything_and_soon_says_so(pattern: str, name: str, meant: bool) -> None:
    assert fits(pattern, name) is meant
