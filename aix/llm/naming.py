"""What a text names: the providers and the model behind `openai:gpt-5.5`, `groq/…`, `custom:box` or a bare id. Pure."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from aix.errors import NotFoundError
from aix.llm.catalogue import ANY, DATE, Catalogue
from aix.llm.permission import Permission
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Target, is_near, no_default_model, nobody

NEAR = 0.75
"""How much a word must look like a provider's name to be taken for a slip."""

MOST = 3
"""So many models are named that look like one that there is not."""

Targets = tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """`usable` says whether a provider can be asked: it has a key, or needs none; `listens` whether a local one seems
    to run, and is asked only where there is nobody else. The catalogue is read when it is needed."""

    providers: Providers
    catalogue: Callable[[], Catalogue]
    usable: Callable[[Provider], bool]
    listens: Callable[[Provider], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Naming:
    """`default` is the user's own default provider, `models` the default models that they have set; `permission` says
    who may be asked where nobody is named."""

    known: Known
    default: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    permission: Permission = field(default_factory=Permission)

    def targets(self, text: str) -> Targets:
        """Whom a text means, in the order in which they are to be asked. Raises NotFoundError or AuthError."""
        rules = (
            self._custom,
            self._before_colon,
            self._of_the_default,
            self._before_slash,
            self._bare_name,
            self._listings,
            self._with_the_default,
        )
        for rule in rules:
            if found := rule(text):
                return found
        raise self._unknown(text)

    def default_target(self) -> Target:
        """Who is asked where nobody is named. Raises NotFoundError or AuthError."""
        provider = self.default_provider()
        why = "it is your default_provider" if self.default else "it is the first that has a key"
        return self.default_of(provider, why)

    def default_of(self, provider: Provider, why: str = "its default model") -> Target:
        """The model that a provider is asked for where none is named. Raises NotFoundError."""
        if not (model := self._default_model(provider)):
            raise no_default_model(provider)
        return Target(provider, model, why=why)

    def default_provider(self) -> Provider:
        """The user's own, else the first that has a key. Raises NotFoundError, AuthError or RefusedError."""
        if self.default:
            return self.known.providers.get(self.default)
        if found := self.find_default():
            return found
        if barred := next(self._keyed(), None):
            raise self.permission.refusal(barred)
        raise nobody(self.known.providers, self.known.listens)

    def find_default(self) -> Provider | None:
        """Like `default_provider`, without asking whether a local one runs."""
        if self.default:
            return self._own()
        return next((target.provider for target in self._keyed() if self.permission.permits(target)), None)

    def _keyed(self) -> Iterator[Target]:
        """Those who could be asked where nobody is named, as they have a key."""
        rows = (self.known.providers.find(name) for name in self.known.providers.preferred())
        yield from (Target(row, self._default_model(row)) for row in rows if row and self._has_key(row))

    def _provider(self, name: str) -> Provider | None:
        """The provider of a name, in whatever case it is written."""
        return self.known.providers.find(name) or self.known.providers.find(name.casefold())

    def _own(self) -> Provider | None:
        return self.known.providers.find(self.default) if self.default else None

    def _has_key(self, provider: Provider) -> bool:
        """Whether it has a key, also where it could do without: nobody is asked unasked who has none."""
        return not provider.keyless and self.known.usable(replace(provider, key_optional=False))

    def _default_model(self, provider: Provider) -> str:
        return self.models.get(provider.name) or provider.default_model

    def _named(self, provider: Provider, model: str) -> Targets:
        why = f"{provider.name} is named"
        return (Target(provider, model, why=why) if model else self.default_of(provider, f"{why}, with no model"),)

    def _custom(self, text: str) -> Targets:
        """`custom:NAME`, `custom:NAME/MODEL`."""
        before, colon, after = text.partition(":")
        name, _, model = after.partition("/")
        return self._named(self.known.providers.get(f"custom:{name}"), model) if colon and before == "custom" else ()

    def _before_colon(self, text: str) -> Targets:
        before, colon, after = text.partition(":")
        provider = self._provider(before) if colon else None
        return self._named(provider, after) if provider else ()

    def _of_the_default(self, text: str) -> Targets:
        """The user's own default provider takes what it lists, whatever else the text may mean."""
        own = self._own()
        model = self.whole(own, text) if own else ""
        if own is None or not model:
            return ()
        target = Target(own, model, why=f"{own.name}, your default_provider, lists it")
        others = () if "/" in text else self._listings(text)
        return (target, *(other for other in others if other.provider.name != own.name))

    def _before_slash(self, text: str) -> Targets:
        before, slash, after = text.partition("/")
        named = self._provider(before) if slash and after else None
        if named is None:
            return ()
        target = self._named(named, self._inner(named, text, after))
        return target if self.known.usable(named) else (*target, *self._instead(named, text))

    def _inner(self, provider: Provider, text: str, after: str) -> str:
        """What a provider calls `PROVIDER/…`; some models of an aggregator bear its own name: `openrouter/free`."""
        if not provider.aggregator or "/" in after or self.known.catalogue().listed(provider.name, after):
            return after
        return text

    def _instead(self, named: Provider, text: str) -> Targets:
        """The aggregators that have what is asked of a provider without a key."""
        rows = [row for row in self.known.providers.sound() if row.aggregator and row.name != named.name]
        found = self._found(rows, text, self._spelt)
        return tuple(
            replace(one, note=f"{named.name} has no key, so {one.provider.name} is asked for {text}") for one in found
        )

    def _bare_name(self, text: str) -> Targets:
        found = self._provider(text)
        return self._named(found, "") if found else ()

    def _listings(self, text: str) -> Targets:
        """Whoever lists a model: the user's default provider, then those that serve their own, then aggregators. Who
        is on this machine never stands with who is not."""
        own = self._own()
        rows = sorted(
            self.known.providers.sound(), key=lambda row: (own is None or row.name != own.name, row.aggregator)
        )
        found = self._found(rows, text, self._spelt)
        if not found:
            return ()
        first = found[0].provider
        near = is_near(first) if own and first.name == own.name else all(is_near(one.provider) for one in found)
        return self._explained([one for one in found if is_near(one.provider) is near])

    def _explained(self, found: list[Target]) -> Targets:
        """With a note for the others, where the user's default provider lists it and has no key."""
        first, *others = found
        if first.provider.name != self.default.removeprefix("custom:") or self.known.usable(first.provider):
            return tuple(found)
        said = f"{first.provider.name}, your default_provider, has no key, so"
        return (first, *(replace(one, note=f"{said} {one.provider.name} is asked") for one in others))

    def _found(self, rows: list[Provider], text: str, spelt: Callable[[Provider, str], str]) -> list[Target]:
        """Of each of some providers the model that a text means; where nobody lists it, those who are likely to have
        it."""
        pairs = [(row, spelt(row, text)) for row in rows]
        exact = [Target(row, model, why=f"{row.name} lists it") for row, model in pairs if model]
        likely = (row for row in rows if not exact and self._serves(row, text))
        return exact or [Target(row, text, why=f"{row.name} lists others of that maker") for row in likely]

    def whole(self, provider: Provider, text: str) -> str:
        """What a provider calls the model of a text that it lists, or whose maker's others it lists; else empty."""
        listed = self.known.catalogue().listed(provider.name, text)
        return listed or (text if self._serves(provider, text) else "")

    def _spelt(self, provider: Provider, text: str) -> str:
        """What a provider calls a model that it lists, `4-5` also where `4.5` is asked for; an aggregator puts its
        maker before it."""
        catalogue = self.known.catalogue()
        if listed := catalogue.listed(provider.name, text):
            return listed
        ids = catalogue.ids(provider.name)
        short = {_plain(one.rpartition("/")[2]): one for one in reversed(ids)} if provider.aggregator else {}
        known = {**short, **{_plain(one): one for one in ids}}
        return known.get(_plain(text)) or known.get(DATE.sub("", _plain(text)), "")

    def _serves(self, provider: Provider, text: str) -> bool:
        """Whether an aggregator lists models of the maker that a text names."""
        maker, slash, model = text.partition("/")
        if not (provider.aggregator and slash and model) or maker == provider.name:
            return False
        return any(one.startswith(f"{maker}/") for one in self.known.catalogue().ids(provider.name))

    def _with_the_default(self, text: str) -> Targets:
        """What nobody lists goes to the default provider, where that may have more than it is known to have."""
        self._refuse_slip(text)
        provider = self.default_provider()
        why = f"nobody lists it, and {provider.name} may have more than is listed"
        return (Target(provider, text, why=why),) if self._is_open(provider, text) else ()

    def _is_open(self, provider: Provider, text: str) -> bool:
        catalogue = self.known.catalogue()
        open_ = provider.open or provider.local or not catalogue.ids(provider.name)
        return open_ or text in catalogue.ids(ANY)  # the user's own figures are for whoever has it

    def _refuse_slip(self, text: str) -> None:
        """Raise NotFoundError for a provider's name that is nearly right. Models on this machine have colons too."""
        before, colon, after = text.partition(":")
        meant = get_close_matches(before.casefold(), self.known.providers.names(), n=1, cutoff=NEAR)
        if not colon or "/" in before or not meant:
            return
        default = self.find_default()
        if default and is_near(default) and not self.known.catalogue().listed(meant[0], after):
            return
        raise NotFoundError(
            f"there is no provider '{before}'", hint=f"did you mean {meant[0]}:{after}?", reason="provider"
        )

    def _unknown(self, text: str) -> NotFoundError:
        provider = self.default_provider()
        near = self._near(provider, text)
        ways = [f"did you mean {' or '.join(near)}?"] if near else ["aix model list"]
        forced = shlex.quote(f"{provider.name}:{text}")
        ways.append(f"if {provider.name} has it all the same: --model {forced}")
        return NotFoundError(f"no provider is known to have a model '{text}'", hint="\n".join(ways), reason="model")

    def _near(self, default: Provider, text: str) -> list[str]:
        """Models that look like one that nobody lists: of who can be asked, else of anybody."""
        others = [row for row in self.known.providers.sound() if row.name != default.name]
        ready = [row for row in others if self.known.usable(row) and not is_near(row)]
        for rows in ([default, *ready], others):
            if near := [f"{row.name}:{one}" for row in rows for one in self.known.catalogue().near(row.name, text)]:
                return near[:MOST]
        return []


def _plain(text: str) -> str:
    return text.casefold().replace(".", "-")
