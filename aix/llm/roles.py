"""What a role means: a name for a model, or for several of which one is chosen. Pure."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from aix.config.settings import join_key
from aix.config.values import ROLE, ROLE_FIELDS
from aix.errors import ConfigError, NotFoundError
from aix.llm.routing import BUILT_IN_ROLES, Needs, Wish

PROJECT = ".prompts/config.json"
"""Where a project keeps its roles."""

NO_NEEDS = Needs()

DEEPEST = 16
"""How many roles may stand inside one another."""

Place = tuple[str, ...]
"""Where a role is said: the segments of its key, behind PROJECT where it is the project's."""


@dataclass(frozen=True, slots=True)
class Role:
    """`place` is where it is said, `models` what it names: models, or other roles."""

    place: Place
    models: tuple[str, ...]
    strategy: str = "ordered"
    needs: Needs = NO_NEEDS

    @property
    def plain(self) -> bool:
        """Whether it is another name for one thing, and no more."""
        return len(self.models) == 1 and self.strategy == "ordered" and self.needs == NO_NEEDS

    @property
    def says(self) -> str:
        return said_at(self.place)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What stands in a role and is none itself, with what every role on the way there wants."""

    text: str
    needs: tuple[Needs, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """Where roles are looked for; `taken` says whether a name is a provider's, which no role can take away from it."""

    wish: Wish
    taken: Callable[[str], bool]

    def is_role(self, text: str) -> bool:
        return self._is_own(text) or text in BUILT_IN_ROLES

    def find(self, name: str) -> Role | None:
        """What a role means: the pack's, else the user's, else the project's; None where only providers have it, or it
        is no role. Raises ConfigError or NotFoundError."""
        found = next(((place, rows[name]) for place, rows in self._places() if name in rows), None)
        return role((*found[0], name), found[1]) if found and not self.taken(name) else None

    def leaves(self, name: str) -> list[Leaf]:
        """All that a role comes to, each once, where it comes first. Raises ConfigError for a circle."""
        return list(self._leaves(name, (), (), set()))

    def _leaves(self, text: str, needs: tuple[Needs, ...], above: tuple[str, ...], seen: set[str]) -> Iterator[Leaf]:
        found = self.find(text)
        if found and (text in above or len(above) == DEEPEST):
            raise _endless((*above, text), found)
        if text in seen:
            return
        seen.add(text)
        if found is None:
            yield Leaf(text, needs)
            return
        wanted = needs if found.needs == NO_NEEDS else (*needs, found.needs)
        for one in found.models:
            yield from self._leaves(one, wanted, (*above, text), seen)

    def misnamed(self) -> list[str]:
        """The roles that bear a provider's name."""
        return [said_at((*place, name)) for place, rows in self._places() for name in rows if self.taken(name)]

    def _is_own(self, text: str) -> bool:
        return not self.taken(text) and any(text in rows for _, rows in self._places())

    def _places(self) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        wish = self.wish
        if wish.pack:
            yield ("packs", wish.pack), _pack(wish.pack, wish.packs)
        yield ("roles",), wish.roles
        yield (PROJECT, "roles"), wish.project_roles


def _pack(name: str, packs: Mapping[str, Any]) -> Mapping[str, Any]:
    if name not in packs:
        near = get_close_matches(name, packs, n=2)
        key = shlex.quote(join_key(("packs", name, "strong")))
        there = f"there are {', '.join(packs)}" if packs else f"aix config {key} PROVIDER:MODEL"
        raise NotFoundError(
            f"there is no pack '{name}'", hint=f"did you mean {' or '.join(near)}?" if near else there, reason="pack"
        )
    if not isinstance(packs[name], dict):
        raise _wrong(("packs", name), "an object of roles")
    rows: Mapping[str, Any] = packs[name]
    return rows


def role(place: Place, value: Any) -> Role:
    """A role as it is written: a text, a list of texts, or an object. Raises ConfigError."""
    if not ROLE.accepts(value):
        raise _faulty(place, value)
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


def said_at(place: Place) -> str:
    """A place as a person reads it."""
    return f"{PROJECT}: {join_key(place[1:])}" if place[0] == PROJECT else join_key(place)


def _faulty(place: Place, value: Any) -> ConfigError:
    """The error for a role that is none, which names the field that is wrong."""
    fields = value.items() if isinstance(value, dict) else ()
    wrong = next((name for name, inner in fields if name in ROLE_FIELDS and not ROLE_FIELDS[name].accepts(inner)), "")
    return _wrong((*place, wrong), ROLE_FIELDS[wrong].says) if wrong else _wrong(place, ROLE.says)


def _wrong(place: Place, says: str) -> ConfigError:
    if place[0] == PROJECT:
        return ConfigError(f"{said_at(place)} must be {says}", hint=f"mend {PROJECT}")
    key = join_key(place)
    return ConfigError(f"{key} in config.json must be {says}", hint=f"aix config --unset {shlex.quote(key)}")


def _endless(names: Sequence[str], found: Role) -> ConfigError:
    """The error for roles that name themselves, or one another without an end in sight."""
    round_ = names[names.index(names[-1]) :]
    said = f"{' -> '.join(round_)} go round in a circle" if len(round_) > 1 else f"{names[0]} … are nested too deeply"
    hint = f"mend {PROJECT}" if found.place[0] == PROJECT else f"aix config {shlex.quote(join_key(found.place))}"
    return ConfigError(f"the roles {said}", hint=hint)
