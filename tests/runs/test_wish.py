"""What a run asks for, out of its flags, its prompt, the settings and the project."""

import json
from pathlib import Path
from typing import Any

import pytest

from aix.config.paths import find_paths
from aix.config.settings import Settings
from aix.errors import ConfigError
from aix.library.prompt import Prompt
from aix.runs.failover import USUAL
from aix.runs.run import Order
from aix.runs.wish import policy_of, wish_of


def settings(library: Path, **data: Any) -> Settings:
    library.joinpath("config.json").write_text(json.dumps(data))
    return Settings(find_paths({"HOME": str(library.parent)}, library), {})


def test_a_wish_is_put_together_from_four_places(library: Path) -> None:
    own = settings(
        library, openai_default_model="m", fallback=["a"], allow=["openai"], packs={"p": {}}, roles={"r": "x"}
    )
    prompt = Prompt("", "", "", model="strong", fallback=("b",))
    wish = wish_of(Order(model="m", pack="p", fallback=("c",), alone=True), prompt, own, {"roles": {"r": "y"}})
    assert (wish.model, wish.prompt_model, wish.provider_defaults) == ("m", "strong", {"openai": "m"})
    assert (wish.fallback, wish.prompt_fallback, wish.own_fallback) == (("c",), ("b",), ("a",))
    assert (wish.roles, wish.project_roles, wish.packs, wish.pack) == ({"r": "x"}, {"r": "y"}, {"p": {}}, "p")
    assert (wish.allow, wish.deny, wish.alone) == (("openai",), (), True)


@pytest.mark.parametrize(
    ("fallback", "on"),
    [
        (None, USUAL),
        (["a"], USUAL),
        ({"targets": ["a"]}, USUAL),
        ({"on": [429, "503", "connect"]}, ("429", "503", "connect")),
    ],
)
def test_what_hands_on_can_be_set(fallback: Any, on: tuple[str, ...], library: Path) -> None:
    policy = policy_of(Order(alone=True), settings(library, fallback=fallback))
    assert (policy.on, policy.alone) == (frozenset(on), True)


@pytest.mark.parametrize("wrong", [{"fallback": {"on": [400]}}, {"fallback": "a"}, {"allow": []}, {"deny": "openai"}])
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], library: Path) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        wish_of(Order(), Prompt("", "", ""), settings(library, **wrong), {})
