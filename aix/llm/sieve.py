"""Who is left of those who were named: who may be asked, can be, and is not handed on to from this machine. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aix.llm.naming import Known
from aix.llm.permission import Permission
from aix.llm.routing import Candidates, Group, Out, Target, is_near, stays, unasked


@dataclass(frozen=True, slots=True)
class Named:
    """What one text leads to; `step` says how, and `out` what of it leads nowhere."""

    group: Group
    step: str = ""
    out: tuple[Out, ...] = ()


@dataclass(frozen=True, slots=True)
class Sieve:
    """Keeps whoever may be asked, and can be."""

    permission: Permission
    known: Known

    def candidates(self, named: Sequence[Named], first: Target | None, *, alone: bool) -> Candidates:
        """Who is left; `first`, who was named, also where nobody is. With `alone` there is one of the first."""
        kept = [self._kept(one.group) for one in named]
        groups = _once([group for group in kept if group.targets])
        if first and not groups:
            groups = [Group((self._missing(named[0].group.targets, first),))]
        elif not kept[0].targets:
            groups[0] = _standing_in(groups[0], first)
        groups, gone = _alone(groups) if alone else _near(groups)
        left = {target.name for group in groups for target in group.targets}
        out = [*(aside for one in named for aside in (*self._asides(one.group), *one.out)), *gone]
        unique = {aside.name: aside for aside in reversed(out) if aside.name not in left}
        return Candidates(tuple(groups), tuple(reversed(unique.values())), tuple(one.step for one in named if one.step))

    def lost(self, named: Named) -> str:
        """Why nobody of what was named can be asked; empty where somebody can."""
        whys = [*map(self._why_not, named.group.targets), *(aside.why for aside in named.out)]
        return whys[0] if whys and all(whys) else ""

    def _missing(self, targets: Sequence[Target], first: Target) -> Target:
        """Who is named where nobody can be asked, as they have no key. Raises RefusedError where one has."""
        if barred := next((target for target in targets if self.known.usable(target.provider)), None):
            raise self.permission.refusal(barred)
        return replace(first, note="")

    def _kept(self, group: Group) -> Group:
        return replace(group, targets=tuple(target for target in group.targets if not self._why_not(target)))

    def _asides(self, group: Group) -> Iterator[Out]:
        return (Out(target.name, why) for target in group.targets if (why := self._why_not(target)))

    def _why_not(self, target: Target) -> str:
        no_key = "" if self.known.usable(target.provider) else f"no key; aix api-key {target.provider.name}"
        return self.permission.denied(target) or no_key


def _once(groups: Sequence[Group]) -> list[Group]:
    """The groups with each target where it comes first; one of which a role wants something is another. Who is asked
    for as a fallback is so wherever it comes."""
    seen: set[Any] = set()
    asked = {target.name for group in groups for target in group.targets if target.asked}
    found = [replace(group, targets=tuple(_new(group.targets, seen, asked))) for group in groups]
    return [group for group in found if group.targets]


def _new(targets: Sequence[Target], seen: set[Any], asked: set[str]) -> Iterator[Target]:
    for target in targets:
        if (known := (target.name, target.needs)) not in seen:
            seen.add(known)
            yield replace(target, asked=target.name in asked)


def _standing_in(group: Group, first: Target | None) -> Group:
    """A group that is asked because who comes first has no key; each says so."""
    why = f"{first.provider.name} has no key" if first else "nobody else has a key"
    noted = (replace(one, note=f"{why}, so {one.name} is asked") for one in group.targets)
    return replace(group, targets=tuple(noted))


def _alone(groups: Sequence[Group]) -> tuple[list[Group], list[Out]]:
    """The first group, of which one is to be asked."""
    group = groups[0]
    if group.strategy != "ordered":
        return [group], []
    first, *others = group.targets
    return [replace(group, targets=(first,))], [Out(other.name, "--no-fallback") for other in others]


def _near(groups: Sequence[Group]) -> tuple[list[Group], list[Out]]:
    """The groups without those to whom a local target does not hand on, where one is sure to come first."""
    lead = groups[0]
    sure = lead.strategy == "ordered" or all(is_near(target.provider) for target in lead.targets)
    flat = [target for group in groups for target in group.targets]
    gone = {target.name for target in unasked(flat[0], flat[1:])} if sure else set()
    left = [
        replace(group, targets=tuple(target for target in group.targets if target.name not in gone)) for group in groups
    ]
    return [group for group in left if group.targets], [
        stays(name) for name in dict.fromkeys(t.name for t in flat if t.name in gone)
    ]
