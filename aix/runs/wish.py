"""What a run asks for, and what the user has set, as one wish; and after what the next model is asked."""

from collections.abc import Mapping
from typing import Any

from aix.config.settings import Settings
from aix.config.values import FALLBACK, PATTERNS, check
from aix.library.prompt import Prompt
from aix.llm.routing import Wish
from aix.runs.failover import USUAL, Policy
from aix.runs.run import Order

DEFAULT_MODEL = "_default_model"


def wish_of(order: Order, prompt: Prompt, settings: Settings, project: Mapping[str, Any]) -> Wish:
    """The wish. Raises ConfigError."""
    return Wish(
        provider=order.provider,
        model=order.model,
        prompt_model=prompt.model,
        default_provider=settings.get("default_provider").value or "",
        default_model=settings.get("default_model").value or "",
        provider_defaults={
            key.removesuffix(DEFAULT_MODEL): str(value)
            for key, value in settings.data.items()
            if key.endswith(DEFAULT_MODEL)
        },
        roles=settings.section("roles"),
        project_roles=project.get("roles", {}),
        packs=settings.section("packs"),
        pack=order.pack,
        fallback=order.fallback,
        prompt_fallback=prompt.fallback,
        own_fallback=tuple(_fallback(settings).get("targets", ())),
        alone=order.alone,
        allow=_patterns(settings, "allow"),
        deny=_patterns(settings, "deny"),
    )


def policy_of(order: Order, settings: Settings) -> Policy:
    """After what the next is asked. Raises ConfigError."""
    return Policy(frozenset(map(str, _fallback(settings).get("on", USUAL))), order.alone)


def _fallback(settings: Settings) -> Mapping[str, Any]:
    """The setting in its long form: a plain list is the targets."""
    value = settings.find("fallback")
    if value is None:
        return {}
    found = check(FALLBACK, value, "fallback")
    return found if isinstance(found, dict) else {"targets": found}


def _patterns(settings: Settings, key: str) -> tuple[str, ...]:
    value = settings.find(key)
    return () if value is None else tuple(check(PATTERNS, value, key))
