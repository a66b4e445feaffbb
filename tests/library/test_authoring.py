"""What the user writes is trusted, what includes it stays so, and a stranger's commands are not trusted with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aix.library.layer import Layer
from aix.library.library import Library
from aix.library.place import Place
from aix.library.templates.template import Template
from aix.library.trust.authoring import Authoring
from aix.library.trust.store import TrustStore, content

SH = '{{ sh("date") }}\n'
OTHER = '{{ sh("id") }}\n'


class Desk:
    """A library whose prompts are written by the user, and changed by others."""

    def __init__(self, root: Path) -> None:
        self.layer = Layer("user", root / "prompts")
        self.layer.root.mkdir()
        self.library = Library([self.layer], lambda prompt, read: Template(prompt, read).includes)
        self.store = TrustStore(root / "trust", float)
        self.authoring = Authoring(self.store)

    def arrives(self, name: str, text: str) -> None:
        path = self.layer.path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def creates(self, name: str, text: str) -> bool:
        prompt = self.library.create(Place(name, self.layer), text.encode())
        return self.authoring.wrote(prompt, self.layer, {prompt.text})

    def edits(self, name: str, text: str, between: Callable[[], None] = lambda: None) -> bool:
        place = Place(name, self.layer)
        was = place.data()
        before = self.authoring.before(place, was)
        between()
        return self.authoring.saved(before, self.library.save(place, text.encode(), was), self.layer)

    def trusts(self, name: str) -> None:
        prompt = self.layer.prompt(name)
        self.store.add(content(prompt, Template(prompt, self.layer.read)))

    def trusted(self, name: str) -> bool:
        return Template(self.layer.prompt(name), self.layer.read).digest in self.store


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


INCLUDES = '{% include "_x.md" %}\n'


@pytest.mark.parametrize(
    ("include", "text", "trusted"),
    [
        ("", "plain\n", True),
        ("", SH, True),
        ("no commands\n", INCLUDES + SH, True),
        (SH, INCLUDES, False),
        (SH, INCLUDES + SH, False),
        (SH, '{% import "_x.md" as x %}' + SH, False),
        (SH, '{% extends "_x.md" %}', False),
        (SH, '{% include "_y.md" ignore missing %}' + SH, True),
    ],
)
def test_what_the_user_creates_is_trusted_but_for_a_strangers_commands(
    include: str, text: str, trusted: bool, desk: Desk
) -> None:
    desk.arrives("_x", include)
    assert (desk.creates("p", text), desk.trusted("p")) == (trusted, trusted)


def test_a_partial_of_the_users_own_can_be_included(desk: Desk) -> None:
    assert desk.creates("_x", SH)
    assert desk.creates("web/p", INCLUDES + '{% include "./none.md" ignore missing %}')
    desk.arrives("_x", OTHER)
    assert not desk.trusted("web/p")


def test_an_edit_keeps_trust_where_there_was_some(desk: Desk) -> None:
    desk.creates("p", SH)
    assert desk.edits("p", SH + OTHER)
    desk.arrives("p", OTHER)
    assert not desk.edits("p", OTHER + "more\n")
    assert not desk.trusted("p")


def test_an_edit_of_what_was_trusted_does_not_take_a_strangers_commands_in(desk: Desk) -> None:
    desk.creates("p", SH)
    desk.arrives("_x", OTHER)
    assert not desk.edits("p", SH + INCLUDES)
    assert not desk.trusted("p")


def test_an_include_that_is_swapped_during_the_edit_is_not_trusted(desk: Desk) -> None:
    desk.arrives("_x", SH)
    desk.arrives("p", INCLUDES)
    desk.trusts("p")
    assert not desk.edits("p", INCLUDES + "more\n", lambda: desk.arrives("_x", OTHER))
    assert not desk.trusted("p")


def test_a_partial_carries_trust_to_the_trusted_prompts_that_include_it_and_to_no_others(desk: Desk) -> None:
    desk.arrives("_x", SH)
    desk.arrives("_between", INCLUDES)
    for name in ("direct", "changed", "never"):
        desk.arrives(name, f"{name} {INCLUDES}")
    desk.arrives("through", '{% include "_between.md" %}')
    for name in ("direct", "through", "changed"):
        desk.trusts(name)
    desk.arrives("changed", f"{INCLUDES}{OTHER}")
    assert desk.edits("_x", OTHER)
    assert {name: desk.trusted(name) for name, _ in desk.library.names()} == {
        "direct": True,
        "through": True,
        "changed": False,
        "never": False,
    }


def test_a_partial_that_was_changed_by_others_before_carries_nothing(desk: Desk) -> None:
    desk.arrives("_x", SH)
    desk.arrives("p", INCLUDES)
    desk.trusts("p")
    desk.arrives("_x", OTHER)
    assert not desk.edits("_x", OTHER + "mine\n")
    assert not desk.trusted("p")


def test_the_same_text_elsewhere_vouches_for_nothing_else(desk: Desk) -> None:
    """A trusted `web/_x.md` says nothing of what `./_y.md` is beside another file of that text."""
    desk.arrives("a/_y", "plain\n")
    desk.arrives("b/_y", OTHER)
    for folder in ("a", "b"):
        desk.arrives(f"{folder}/_x", '{% include "./_y.md" %}' + SH)
    desk.arrives("p", '{% include "a/_x.md" %}')
    desk.trusts("p")
    assert not desk.edits("p", '{% include "b/_x.md" %}')
