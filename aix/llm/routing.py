"""Which model answers: what was asked for, who may be asked, who is asked in which order, and who never is. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from aix.config.provider_row import in_own_network
from aix.errors import AuthError, NotFoundError
from aix.llm.providers import Provider, Providers

BUILT_IN_ROLES = ("strong", "fast", "cheap")
"""The roles that mean something at every provider."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a role wants of its models: a window of so many tokens, capabilities, and a price per million tokens that is
    not above these. None and empty want nothing."""

    context: int | None = None
    capabilities: frozenset[str] = frozenset()
    max_input_price: Decimal | None = None
    max_output_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One model of one provider. `why` says how it was found; `note` tells the user why it is not the provider that the
    model's name suggests, and is empty when it is; `needs` is what each role wants of it that led there."""

    provider: Provider
    model: str
    note: str = ""
    why: str = ""
    asked: bool = False
    """Whether the command line itself names it as a fallback."""
    needs: tuple[Needs, ...] = ()

    @property
    def name(self) -> str:
        """How a person writes it."""
        return f"{self.provider.name}:{self.model}"


@dataclass(frozen=True, slots=True)
class Out:
    """A candidate that is not asked, by its name, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """Targets that stand for one thing that was named (a model, a role, a fallback), and how they are to be ordered."""

    targets: tuple[Target, ...]
    strategy: str = "ordered"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everybody who may be asked, in groups of which the first comes first; who may not; and the steps that led there,
    a sentence each."""

    groups: tuple[Group, ...]
    out: tuple[Out, ...] = ()
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should be told, whoever is asked."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who is asked, in this order; who is not, and why; and the steps that led there, a sentence each."""

    targets: tuple[Target, ...]
    out: tuple[Out, ...] = ()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: by flags `provider`, `model`, `pack`, `fallback` and `alone`, which wants nobody else; by the
    prompt `prompt_model` and `prompt_fallback`; the rest are settings, of which `project_roles` are the project's."""

    provider: str = ""
    model: str = ""
    prompt_model: str = ""
    default_provider: str = ""
    default_model: str = ""
    provider_defaults: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Any] = field(default_factory=dict)
    project_roles: Mapping[str, Any] = field(default_factory=dict)
    packs: Mapping[str, Any] = field(default_factory=dict)
    pack: str = ""
    fallback: tuple[str, ...] = ()
    prompt_fallback: tuple[str, ...] = ()
    own_fallback: tuple[str, ...] = ()
    alone: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


def is_near(provider: Provider) -> bool:
    """Whether what it is asked stays on this machine, or in a network of the user's own."""
    own = provider.local or provider.custom
    return own and (not provider.base_url or in_own_network(provider.base_url))


def unasked(first: Target, others: Iterable[Target]) -> tuple[Target, ...]:
    """Those of the others to whom the first does not hand on: remote ones behind one that is near, but for whom the
    command line itself names."""
    return tuple(one for one in others if is_near(first.provider) and not (one.asked or is_near(one.provider)))


def stays(name: str) -> Out:
    """A target to whom nothing is handed on."""
    return Out(name, f"a local model does not hand on to a remote one unasked; --fallback {name} asks for it")


def at_home(route: Route, candidates: Candidates) -> Route:
    """The route without those to whom its first does not hand on. Where a remote one was named first, what is asked has
    leave to go out."""
    lead = candidates.groups[0]
    if not route.targets or (lead.strategy == "ordered" and not is_near(lead.targets[0].provider)):
        return route
    gone = [one.name for one in unasked(route.targets[0], route.targets[1:])]
    kept = tuple(one for one in route.targets if one.name not in gone)
    return replace(route, targets=kept, out=(*route.out, *map(stays, gone)))


def no_key(provider: Provider) -> AuthError:
    """The help for a missing key: the page to get one, the command to save it, the variable to set."""
    return AuthError(f"No API key found for {provider.name}", hint=_ways(provider), reason="no_key")


def nobody(providers: Providers, listens: Callable[[Provider], bool]) -> AuthError:
    """The error where nobody is named and nobody has a key."""
    telling = [provider for provider in providers.local() if provider.custom or provider.telling]
    running = next((provider for provider in telling if listens(provider)), None)
    usual = next((provider for provider in telling if provider.telling and provider.default_model), None)
    return _nobody(providers.get(providers.preferred()[0]), running, usual)


def _nobody(keyed: Provider, running: Provider | None, local: Provider | None) -> AuthError:
    """The help where there is no key at all: a key, or what needs none; best a local server that runs already."""
    ways = ["--provider echo (no model at all)"]
    if found := running or local:
        way = f"--provider {found.name}" if found.default_model else f"--model {found.name}:MODEL"
        why = f"{found.name} seems to be running here" if running else "a model on this machine"
        ways.insert(0, f"{way} ({why})")
    hint = f"aix init sets up a provider\n{_ways(keyed)}\nwithout a key: {', '.join(ways)}"
    return AuthError("No API key found", hint=hint, reason="no_key")


def _ways(provider: Provider) -> str:
    ways = [f"get a key at {provider.key_page}"] if provider.key_page else []
    ways.append(f"save it: aix api-key {provider.name}")
    ways += [f"or set {provider.key_env[0]}"] if provider.key_env else []
    return "\n".join(ways)


def no_default_model(provider: Provider) -> NotFoundError:
    """The help where a provider is named alone, and nobody says which model of it is meant."""
    setting = f"custom_providers.{provider.name}.default_model" if provider.custom else f"{provider.name}_default_model"
    return NotFoundError(
        f"{provider.name} has no default model",
        hint=f"name one: --model {provider.name}:MODEL\nor set it: aix config --set {setting} MODEL",
        reason="model",
    )
