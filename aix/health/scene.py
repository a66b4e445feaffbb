"""What the checks may look at, also where half of it is broken."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aix.cached import cached_property
from aix.config.paths import Paths, find_paths
from aix.config.settings import Settings
from aix.errors import AixError
from aix.library.library import Library
from aix.library.trust.store import TrustStore
from aix.llm.client import Client
from aix.llm.providers import Providers
from aix.messages import Request
from aix.runs.run import Order, Run


@dataclass(frozen=True, slots=True)
class Scene:
    """`settings` and `providers` are those in force. `library` and `client` are had when they are asked for; `editor`
    says which one opens, given the setting; `tell` is told what a person waits for; `online` says whether providers may
    be asked; `recorded` writes what is sent into the run log."""

    env: Mapping[str, str]
    cwd: Path
    settings: Settings
    providers: Providers
    library: Callable[[], Library]
    client: Callable[[], Client]
    editor: Callable[[str | None], list[str]]
    tell: Callable[[str], None]
    online: bool
    recorded: Callable[[Run, Request, Order], AbstractContextManager[None]]
    trust: Callable[[], TrustStore]


class _Variables(Settings):
    """The settings where config.json cannot be used: those of the environment."""

    @cached_property
    def data(self) -> Mapping[str, Any]:
        return {}


def in_force(env: Mapping[str, str], cwd: Path) -> tuple[Settings, Providers]:
    """The settings and providers as far as they can be had; a check of its own says what is wrong with the rest."""
    try:
        settings = Settings(find_paths(env, cwd), env)
        _ = settings.data
    except AixError:
        settings = _Variables(Paths(cwd, cwd, cwd, cwd, cwd), env)
    try:
        return settings, Providers(settings.section("custom_providers"), env)
    except AixError:
        return settings, Providers({}, env)
