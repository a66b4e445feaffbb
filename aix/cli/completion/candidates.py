"""What a word of the command line can become. All is read quietly: what is broken is as if it were not there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from aix.app import App
from aix.cached import cached_property
from aix.cli.streams import visible_line
from aix.errors import AixError
from aix.library.prompt import PATHS, Param
from aix.library.reference import WRITTEN
from aix.llm.providers import Provider, Providers
from aix.llm.routing import BUILT_IN_ROLES
from aix.runs.logged import Choice

FILE_STARTS = ("./", "../", "/", "~")
TRUTH = ("true", "false")
DESCRIBED = 200
"""Of more prompts than this the descriptions are not read: nobody reads them either, and a Tab must not take long."""

RECENT = 20
"""So many runs are offered by their numbers."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a word can become. A help that must be read first is a function."""

    value: str
    help: str | Callable[[], str] = ""

    @property
    def said(self) -> str:
        """The help on one line, without what a terminal would obey."""
        text = self.help if isinstance(self.help, str) else self.help()
        return visible_line(text)


@dataclass(frozen=True, slots=True)
class Files:
    """The shell's own files, or folders, from the character `start` of the word on."""

    start: int = 0
    folders_only: bool = False


Found = Files | list[Candidate]


class Desk:
    """What completion reads, with an App of its own that warns nobody."""

    def __init__(self, app: App) -> None:
        self.app = App(app.env, app.cwd)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        try:
            return self.app.settings.data
        except AixError:
            return {}

    def section(self, name: str) -> Mapping[str, Any]:
        found = self.settings.get(name)
        return found if isinstance(found, dict) else {}

    @cached_property
    def providers(self) -> list[Provider]:
        """The providers that can be asked come first, each part in its own order."""
        known = Providers(self.section("custom_providers"), self.app.env)
        found: list[Provider] = []
        for name in known.names():
            with suppress(AixError):
                found.append(known.get(name))
        return sorted(found, key=lambda provider: not self.usable(provider))

    def usable(self, provider: Provider) -> bool:
        """Whether it can be asked, as far as that is seen without running anything."""
        named = any(self.app.env.get(variable, "").strip() for variable in provider.key_env)
        return provider.keyless or provider.key_optional or named or bool(self.section("api_keys").get(provider.name))

    def models(self, provider: Provider) -> list[str]:
        """What is known of a provider's models: the user's default, its own, and those of its roles."""
        chosen = self.settings.get(f"{provider.name}_default_model")
        known = (chosen if isinstance(chosen, str) else "", provider.default_model, *provider.roles.values())
        return list(dict.fromkeys(filter(None, known)))

    def catalogued(self, provider: Provider) -> list[str]:
        """All that is known of a provider's models: those above, then what the catalogue has that is not retired."""
        found = self.models(provider)
        with suppress(AixError):
            known = self.app.catalogue.of(provider.name)
            found += [model.id for model in known if not model.is_retired(self.app.clock.today)]
        return list(dict.fromkeys(found))

    def params(self, name: str, library: str | None) -> Sequence[Param]:
        """The params of a prompt; a template is only read where nothing is declared."""
        if name == "-":
            return ()
        try:
            place = self.app.prompts.place(name, library)
            prompt = place.layer.prompt(place.name)
            return prompt.params if prompt.params is not None else self.app.prompts.template(prompt, place.layer).params
        except AixError:
            return ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A word, and what stands before it: values by the names of their options, arguments, the prompt's params."""

    desk: Desk
    word: str
    given: Mapping[str, Sequence[str]]
    arguments: Sequence[str] = ()
    params: Sequence[Param] = ()

    def last(self, name: str) -> str | None:
        return next(reversed(self.given.get(name, ())), None)


Completer = Callable[[Asked], Found]


def nothing(_: Asked) -> Found:
    return []


def files(_: Asked) -> Found:
    return Files()


def folders(_: Asked) -> Found:
    return Files(folders_only=True)


def one_of(choices: Iterable[Any]) -> Completer:
    found = [Candidate(str(choice)) for choice in choices]
    return lambda _: found


def after(head: str, completer: Completer) -> Completer:
    """Completes the rest of a word that begins with `head`."""

    def complete(asked: Asked) -> Found:
        found = completer(replace(asked, word=asked.word[len(head) :]))
        if isinstance(found, Files):
            return replace(found, start=found.start + len(head))
        return [replace(candidate, value=head + candidate.value) for candidate in found]

    return complete


def names(asked: Asked) -> Found:
    """The prompts of all layers, each with its description."""
    return _names(asked, lambda _: True)


def own_names(asked: Asked) -> Found:
    """The prompts that can be changed, but for those that are named already."""
    found = _names(asked, lambda layer: layer.name in WRITTEN)
    return [candidate for candidate in found if candidate.value not in asked.arguments]


def layers(asked: Asked) -> Found:
    """The layers that there are."""
    with suppress(AixError, OSError):
        return [Candidate(layer.name) for layer in asked.desk.app.prompts.library_at(asked.last("library")).layers]
    return []


def _names(asked: Asked, wanted: Callable[[Any], bool]) -> list[Candidate]:
    """The prompts of the layers that are wanted; after `team:` those of that one, whatever hides them."""
    with suppress(AixError, OSError):
        library = asked.desk.app.prompts.library_at(asked.last("library"))
        known = [layer.name for layer in library.layers if wanted(layer)]
        head, colon, rest = asked.word.partition(":")
        if colon and head in known:
            found = _named(library.only([head]), rest, wanted)
            return [replace(candidate, value=f"{head}:{candidate.value}") for candidate in found]
        heads = [Candidate(f"{name}:") for name in known if head and name.startswith(asked.word)]
        return [*_named(library, asked.word, wanted), *heads]
    return []


def _named(library: Any, word: str, wanted: Callable[[Any], bool]) -> list[Candidate]:
    found = [(name, layer) for name, layer in library.names() if wanted(layer)]
    few = sum(word in name for name, _ in found) <= DESCRIBED
    return [Candidate(name, _description(layer, name) if few else "") for name, layer in found]


def _description(layer: Any, name: str) -> Callable[[], str]:
    def read() -> str:
        try:
            return str(layer.prompt(name).description)
        except AixError:
            return "(broken)"

    return read


def names_and_files(asked: Asked) -> Found:
    return Files() if asked.word.startswith(FILE_STARTS) else names(asked)


def inner_folders(asked: Asked) -> Found:
    """The folders of the library, where a new prompt may go."""
    inside = {candidate.value.rpartition("/")[0] for candidate in _names(asked, lambda layer: layer.name in WRITTEN)}
    return [Candidate(f"{folder}/") for folder in sorted(filter(None, inside))]


def tags(asked: Asked) -> Found:
    """The tags of all prompts; several may stand in one word, with commas between."""
    before, comma, _ = asked.word.rpartition(",")
    return after(before + comma, one_of(sorted(_tags(asked))))(asked)


def _tags(asked: Asked) -> set[str]:
    found: set[str] = set()
    with suppress(AixError, OSError):
        for entry in asked.desk.app.prompts.library_at(asked.last("library")).entries():
            found.update(entry.tags)
    return found


def pairs(asked: Asked) -> Found:
    """`name=` of each param, `name=value`, `name@file`."""
    by_name = {param.name: param for param in asked.params}
    name = asked.word.partition("=")[0].partition("@")[0]
    head, mark = name, asked.word[len(name) : len(name) + 1]
    param = by_name.get(name.replace("-", "_"))
    if mark == "=" and param:
        return after(f"{head}=", value_of(param))(asked)
    if mark == "@" and param:
        return Files(len(head) + 1)
    return [Candidate(f"{param.name}=", param.help) for param in asked.params]


def value_of(param: Param) -> Completer:
    if param.choices:
        return one_of(param.choices)
    if param.type in PATHS:
        return files
    return one_of(TRUTH) if param.type == "boolean" else nothing


def providers(asked: Asked) -> Found:
    desk = asked.desk
    rows = [Candidate(row.name, _state(desk, row)) for row in desk.providers]
    return [*rows, *_custom(desk)]


def collections(asked: Asked) -> Found:
    """The shared folders of prompts, but for those that are named already."""
    with suppress(AixError):
        found = asked.desk.app.collections.all()
        return [Candidate(one.name, one.source) for one in found if one.name not in asked.arguments]
    return []


def own_providers(asked: Asked) -> Found:
    """The user's own providers; also those whose rows are broken."""
    return [Candidate(name) for name in asked.desk.section("custom_providers")]


def keyed_providers(asked: Asked) -> Found:
    """The providers that a key can be saved for."""
    desk = asked.desk
    return [*(Candidate(row.name, _state(desk, row)) for row in desk.providers if not row.keyless), *_custom(desk)]


def _state(desk: Desk, provider: Provider) -> str:
    model = next(iter(desk.models(provider)), "")
    return ", ".join(filter(None, (model, "" if desk.usable(provider) else "no key yet")))


def _custom(desk: Desk) -> list[Candidate]:
    return [Candidate(f"custom:{row.name}", _state(desk, row)) for row in desk.providers if row.custom]


def models(asked: Asked) -> Found:
    """Roles, and what names a model; of a provider that is named already, its models alone."""
    desk, chosen = asked.desk, (asked.last("provider") or "").removeprefix("custom:")
    roles = [] if ":" in asked.word else _roles(desk)
    if row := next((row for row in desk.providers if row.name == chosen), None):
        return [*roles, *map(Candidate, desk.catalogued(row))]
    named = known_models(asked)
    return named if isinstance(named, Files) else [*roles, *named]


def prompts_and_models(asked: Asked) -> Found:
    """Prompts, their files, roles and models."""
    prompts, named = names_and_files(asked), models(asked)
    if isinstance(prompts, Files) or isinstance(named, Files):
        return prompts if isinstance(prompts, Files) else named
    return [*prompts, *named]


def packs(asked: Asked) -> Found:
    """The user's packs, each with the roles that it has."""
    found = asked.desk.section("packs").items()
    return [Candidate(name, ", ".join(roles) if isinstance(roles, dict) else "") for name, roles in found]


def known_models(asked: Asked) -> Found:
    """`provider:` and the defaults of who can be asked; after the colon, that provider's models."""
    desk = asked.desk
    name, colon, _ = asked.word.partition(":")
    if colon and (row := next((row for row in desk.providers if row.name == name), None)):
        return after(f"{name}:", one_of(desk.catalogued(row)))(asked)
    heads = [Candidate(f"{row.name}:", _state(desk, row)) for row in desk.providers if desk.models(row)]
    ready = [row for row in desk.providers if desk.usable(row)]
    whole = [Candidate(f"{row.name}:{model}") for row in ready for model in desk.models(row)[:1]]
    return [*whole, *_custom(desk), *heads]


def own_models(asked: Asked) -> Found:
    """The models of which the user has set figures."""
    return [Candidate(name) for name in asked.desk.section("models")]


def sources(asked: Asked) -> Found:
    """What the catalogue is made of."""
    with suppress(AixError):
        return [Candidate(name) for name in dict.fromkeys(one.name for one in asked.desk.app.catalogue.sources)]
    return []


def runs(asked: Asked) -> Found:
    """The last run, and the numbers of those before it, each with its prompt."""
    with suppress(AixError):
        found = asked.desk.app.log.list(Choice(limit=RECENT))
        numbered = [Candidate(str(run.id), f"{run.prompt}, {run.error or 'ok'}") for run in found]
        return [Candidate("last", numbered[0].help), *numbered] if numbered else []
    return []


def _roles(desk: Desk) -> list[Candidate]:
    own = desk.section("roles")
    built_in = dict.fromkeys(BUILT_IN_ROLES, "a role")
    return [Candidate(role, _models_of(said)) for role, said in {**built_in, **own}.items()]


def _models_of(role: Any) -> str:
    """What a role names, as it is written: a text, a list or an object."""
    models = role.get("models") if isinstance(role, dict) else role
    return models if isinstance(models, str) else ", ".join(map(str, models)) if isinstance(models, list) else ""
