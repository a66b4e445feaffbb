"""Whom each text that was given leads to: whoever is named first, then whoever stands in for them. Pure."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from aix.errors import AixError, AuthError, NotFoundError
from aix.llm.naming import Known, Naming
from aix.llm.permission import Permission
from aix.llm.providers import Provider
from aix.llm.roles import Leaf, Role, Roles
from aix.llm.routing import BUILT_IN_ROLES, Candidates, Group, Out, Target, Wish
from aix.llm.sieve import Named, Sieve


def candidates(wish: Wish, known: Known) -> Candidates:
    """Everybody who may be asked. Where none of them has a key, the first that was named is there all the same: who
    sends then learns what is missing; where nobody was named, a fallback that has one stands in. Raises NotFoundError,
    AuthError, RefusedError or ConfigError."""
    permission = Permission(wish.allow, wish.deny)
    naming = Naming(known, wish.default_provider, wish.provider_defaults, permission)
    selection = Selection(wish, known, naming, Roles(wish, lambda name: known.providers.find(name) is not None))
    sieve, nobody = Sieve(permission, known), Named(Group(()))
    others = [] if wish.alone else list(selection.fallbacks())
    try:
        first = selection.first()
    except AuthError:
        if all(map(sieve.lost, others)):
            raise
        first = nobody
    permitted = [target for target in first.group.targets if permission.permits(target)]
    if not permitted and first is not nobody:
        raise permission.refusal(first.group.targets[0])
    found = sieve.candidates([first, *others], permitted[0] if permitted else None, alone=wish.alone)
    lost = zip(wish.fallback, map(sieve.lost, others), strict=False)
    notes = (*selection.notes(), *(f"no fallback to {text}: {why}" for text, why in lost if why))
    return replace(found, steps=(*found.steps, *selection.set_aside()), notes=notes)


@dataclass(frozen=True, slots=True)
class Selection:
    """What each text that was given leads to."""

    wish: Wish
    known: Known
    naming: Naming
    roles: Roles

    def first(self) -> Named:
        """Who was named: by a flag, the prompt, a setting, or nobody."""
        if self.wish.provider:
            return self._at(self.known.providers.get(self.wish.provider))
        for origin, text in self._texts():
            return self._named(origin, text)
        target = self.naming.default_target()
        return Named(Group((target,)), f"nobody names a model, so {target.provider.name} is asked: {target.why}")

    def fallbacks(self) -> Iterator[Named]:
        """Who stands in for whom was named. What the command line names must be there, but may have no key; the rest
        may not be there either."""
        for text in self.wish.fallback:
            named = self._if_there("--fallback", text, AuthError)
            targets = tuple(replace(target, asked=True) for target in named.group.targets)
            yield replace(named, group=replace(named.group, targets=targets))
        for origin, text in () if self.wish.fallback else self._quiet_fallbacks():
            yield self._if_there(origin, text, AuthError, NotFoundError)

    def _if_there(self, origin: str, text: str, *missing: type[AixError]) -> Named:
        """What a text leads to; nobody, and why, after one of these errors."""
        try:
            return self._named(origin, text)
        except missing as error:
            return Named(Group(()), out=(Out(text, error.message),))

    def set_aside(self) -> Iterator[str]:
        """The step that says why fallbacks have no say."""
        wish = self.wish
        if not (wish.prompt_fallback or wish.own_fallback) or wish.fallback:
            return
        flag = "--no-fallback" if wish.alone else "--provider" if wish.provider else "--model" if wish.model else ""
        if flag:
            yield f"{flag} sets aside the fallbacks of the prompt and of config.json"

    def notes(self) -> Iterator[str]:
        """What is wrong with roles and packs, and stops nobody."""
        for place in self.roles.misnamed():
            yield f"{place} is not read: that is a provider's name"
        others = self.wish.fallback or [text for _, text in self._quiet_fallbacks()]
        asked = [*[text for _, text in self._texts()][:1], *others]
        if self.wish.pack and not any(map(self.roles.is_role, asked)):
            yield f"--pack {self.wish.pack} has no say, as no role is asked for"

    def _quiet_fallbacks(self) -> Iterator[tuple[str, str]]:
        if self.wish.provider or self.wish.model:
            return
        origin = "the prompt's fallback" if self.wish.prompt_fallback else "fallback in config.json"
        yield from ((origin, text) for text in self.wish.prompt_fallback or self.wish.own_fallback)

    def _texts(self) -> Iterator[tuple[str, str]]:
        """What names a model, the first of which decides."""
        wish = self.wish
        found = {"--model": wish.model, "the prompt's model": wish.prompt_model, "default_model": wish.default_model}
        yield from ((origin, text) for origin, text in found.items() if text)

    def _at(self, provider: Provider) -> Named:
        """The provider is named: a model given with it goes there whole, unless it is a role; one that is not given
        with it counts where it leads there."""
        if (model := self.wish.model) and not self.roles.is_role(model):
            why = f"--provider and --model name it as {provider.name}:{model}"
            return Named(Group((Target(provider, model, why=why),)), why)
        for origin, text in self._texts():
            if found := self._led(origin, text, provider):
                return found
            if self.wish.model:
                raise self._elsewhere(text, provider)
        target = self.naming.default_of(provider)
        return Named(Group((target,)), f"--provider {provider.name}: {target.why}")

    def _led(self, origin: str, text: str, provider: Provider) -> Named | None:
        """What a text leads to at a provider; None where it leads elsewhere."""
        with suppress(NotFoundError, AuthError):
            named = self._named(origin, text)
            own = tuple(replace(one, note="") for one in named.group.targets if one.provider.name == provider.name)
            if own:
                return Named(replace(named.group, targets=own), f"--provider {provider.name}, {named.step}")
        if text in BUILT_IN_ROLES:
            return Named(Group((self._built_in(text, provider),)), f"{origin} {text}: {provider.name} has that role")
        return None

    def _elsewhere(self, text: str, provider: Provider) -> NotFoundError:
        role = self.roles.find(text)
        means = ", ".join(role.models) if role else text
        return NotFoundError(
            f"the role '{text}' means {means}, which is not a model of {provider.name}",
            hint="leave out --provider, or name a model",
            reason="model",
        )

    def _named(self, origin: str, text: str) -> Named:
        """What a text leads to: a role, or a model. Raises NotFoundError, AuthError or ConfigError."""
        role = self.roles.find(text)
        if role is None:
            targets = self._targets(text)
            return Named(Group(targets), f"{origin} {text}: {targets[0].why}")
        leaves = self.roles.leaves(text)
        how = f"{origin} {text}: {role.says}"
        return self._named(f"{how} is", role.models[0]) if role.plain else self._of_role(role, leaves, how)

    def _of_role(self, role: Role, leaves: Sequence[Leaf], origin: str) -> Named:
        targets, out, errors = list[Target](), list[Out](), list[AixError]()
        for leaf in leaves:
            try:
                targets += (replace(target, needs=leaf.needs) for target in self._targets(leaf.text))
            except (NotFoundError, AuthError) as error:
                errors.append(error)
                out.append(Out(leaf.text, error.message))
        if not targets:
            raise errors[0]
        how = f"{origin} names {', '.join(role.models)}, {role.strategy}"
        return Named(Group(tuple(targets), role.strategy), how, tuple(out))

    def _targets(self, text: str) -> tuple[Target, ...]:
        if text not in BUILT_IN_ROLES:
            return self.naming.targets(text)
        given = self.wish.provider
        provider = self.known.providers.get(given) if given else self.naming.default_provider()
        return (self._built_in(text, provider),)

    def _built_in(self, role: str, provider: Provider) -> Target:
        """What a role means at a provider, where nobody else says."""
        if role in provider.roles:
            return Target(provider, provider.roles[role], why=f"{provider.name} has that role")
        return self.naming.default_of(provider, f"{provider.name} has no such role, but a default model")
