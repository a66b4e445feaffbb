"""What a role means: a name for a model, or for several of which one is chosen. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from aix.config.values import ROLE
from aix.errors import ConfigError, NotFoundError
from aix.llm.routing import BUILT_IN_ROLES, Needs, Wish

PROJECT = ".prompts/config.json"
"""Where a project keeps its roles."""

NO_NEEDS = Needs()


@dataclass(frozen=True, slots=True)
class Role:
    """`place` is where it is said, `models` what it names: models, or other roles."""

    place: str
    models: tuple[str, ...]
    strategy: str = "ordered"
    needs: Needs = NO_NEEDS

    @property
    def plain(self) -> bool:
        """Whether it is another name for one thing, and no more."""
        return len(self.models) == 1 and self.strategy == "ordered" and self.needs == NO_NEEDS


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where roles are looked for; `taken` says whether a name is a provider's, which no role can take away from it."""

    wish: Wish
    taken: Callable[[str], bool]

    def is_role(self, text: str) -> bool:
        return self._is_own(text) or text in BUILT_IN_ROLES

    def find(self, name: str) -> Role | None:
        """What a role means: the pack's, else the user's, else the project's; None where only providers have it, or it
        is no role. Raises ConfigError or NotFoundError."""
        found = next(((place, rows[name]) for place, rows in self._places() if name in rows), None)
        return role(f"{found[0]}.{name}", found[1]) if found and not self.taken(name) else None

    def misnamed(self) -> list[str]:
        """The roles that bear a provider's name."""
        return [f"{place}.{name}" for place, rows in self._places() for name in rows if self.taken(name)]

    def _is_own(self, text: str) -> bool:
        return not self.taken(text) and any(text in rows for _, rows in self._places())

    def _places(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        wish = self.wish
        if wish.pack:
            yield f"packs.{wish.pack}", _pack(wish.pack, wish.packs)
        yield "roles", wish.roles
        yield f"{PROJECT}: roles", wish.project_roles


def _pack(name: str, packs: Mapping[str, Any]) -> Mapping[str, Any]:
    if name not in packs:
        near = get_close_matches(name, packs, n=2)
        there = f"there are {', '.join(packs)}" if packs else f"aix config packs.{name}.strong PROVIDER:MODEL"
        raise NotFoundError(
            f"there is no pack '{name}'", hint=f"did you mean {' or '.join(near)}?" if near else there, reason="pack"
        )
    if not isinstance(packs[name], dict):
        raise _wrong(f"packs.{name}", "an object of roles")
    rows: Mapping[str, Any] = packs[name]
    return rows


def role(place: str, value: Any) -> Role:
    """A role as it is written: a text, a list of texts, or an object. Raises ConfigError."""
    if not ROLE.accepts(value):
        raise _wrong(place, ROLE.says)
    if not isinstance(value, dict):
        return Role(place, tuple([value] if isinstance(value, str) else value))
    if "models" not in value:
        raise _wrong(place, "a role that names its models")
    needs = Needs(
        value.get("context"),
        frozenset(value.get("capabilities", ())),
        *(None if (price := value.get(name)) is None else Decimal(str(price)) for name in PRICES),
    )
    return Role(place, tuple(value["models"]), value.get("strategy", "ordered"), needs)


PRICES = ("max_input_price", "max_output_price")


def _wrong(place: str, says: str) -> ConfigError:
    if place.startswith(PROJECT):
        return ConfigError(f"{place} must be {says}", hint=f"mend {PROJECT}")
    return ConfigError(f"{place} in config.json must be {says}", hint=f"aix config --unset {place}")
