"""The models that prompts name: whether anybody has them, and whether others than the user do."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aix.config.settings import Settings
from aix.errors import AixError, AuthError, NotFoundError
from aix.library.prompt import Prompt
from aix.llm.catalogue import Catalogue
from aix.llm.naming import Known, Naming
from aix.llm.providers import Providers
from aix.llm.roles import Roles
from aix.llm.routing import BUILT_IN_ROLES, Target
from aix.runs.run import Order
from aix.runs.wish import wish_of

Said = tuple[str, str, str]
"""A rule, what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Models:
    """`naming` and `roles` say what a text means here, as if every provider had a key; `usual` what it means where
    nobody has set anything; `shared` are the roles that others have too."""

    naming: Naming
    usual: Naming
    roles: Roles
    shared: Collection[str]
    today: date

    def look(self, text: str, *, own: bool) -> list[Said]:
        """What there is to say of a text that names a model, in a prompt that is the user's own, or one that others
        have too."""
        return list(self._of_role(text, own=own) if self.roles.is_role(text) else self._of_model(text, own=own))

    def _of_role(self, text: str, *, own: bool) -> Iterator[Said]:
        if not own and text not in (*BUILT_IN_ROLES, *self.shared):
            said = f"the role '{text}' stands only in your own config.json, and others have this prompt too"
            yield "only-here", said, "set it in the project's .prompts/config.json"

    def _of_model(self, text: str, *, own: bool) -> Iterator[Said]:
        try:
            target = (self.naming if own else self.usual).targets(text)[0]
        except NotFoundError as error:
            yield "unknown-model", error.message, "; ".join(error.hint.splitlines())
            return
        except AuthError:  # nobody has a key here, as in CI: that says nothing of the prompt
            return
        except AixError as error:
            yield "unknown-model", error.message, error.hint
            return
        provider = target.provider
        if provider.custom and not own:
            said = (
                f"the provider '{provider.name}' stands only in your own config.json, and others have this prompt too"
            )
            yield "only-here", said, "name a provider that all have, or a role of the project"
        if not (provider.custom or provider.local):
            yield from self._of_target(target, text)

    def _of_target(self, target: Target, text: str) -> Iterator[Said]:
        provider, model = target.provider, target.model
        named = text != model
        known = self._catalogue.find(provider.name, model)
        if known and known.is_retired(self.today):
            successor = f"its maker names {known.successor} instead" if known.successor else "aix model list"
            yield "retired-model", f"{provider.name} ended the model '{model}' on {known.retires}", successor
        elif not known and not (named and provider.open) and self._catalogue.ids(provider.name):
            near = [f"{provider.name}:{one}" for one in self._catalogue.near(provider.name, model)]
            hint = f"did you mean {' or '.join(near)}?" if near else "aix model refresh"
            who = provider.name if named else "nobody"
            yield "unlisted-model", f"{who} is {'not ' if named else ''}known to have a model '{model}'", hint

    @property
    def _catalogue(self) -> Catalogue:
        return self.naming.known.catalogue()


def models(
    settings: Settings, project: Mapping[str, Any], known: tuple[Providers, Callable[[], Catalogue]], today: date
) -> Models:
    """What texts mean by these settings, and those of the project. Raises ConfigError."""
    wish = wish_of(Order(), Prompt("", "", ""), settings, project)
    providers, catalogue = known
    all_of_them = Known(providers, catalogue, lambda _: True)
    naming = Naming(all_of_them, wish.default_provider, wish.provider_defaults)
    roles = Roles(wish, lambda name: providers.find(name) is not None)
    return Models(naming, Naming(all_of_them), roles, (*wish.project_roles,), today)
