"""The parts wired together, each built when it is first asked for: what a command does not use, it does not load."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aix
from aix.config.paths import Paths, find_cache, find_paths, git_root, in_home
from aix.errors import UsageError

if TYPE_CHECKING:
    from aix.config.limits import Limit
    from aix.config.secrets import Secret
    from aix.config.settings import Settings
    from aix.health.finding import Finding
    from aix.health.roster import Roster
    from aix.health.scene import Scene
    from aix.library.convert import Converted
    from aix.library.layer import Layer
    from aix.library.library import Library
    from aix.library.place import Place
    from aix.library.prompt import Prompt
    from aix.library.template import Template
    from aix.llm.catalogue import Catalogue
    from aix.llm.client import Client
    from aix.llm.clock import Clock
    from aix.llm.probe import Probe
    from aix.llm.providers import Provider, Providers
    from aix.llm.refresh import Refreshed
    from aix.llm.routing import Target
    from aix.runs.budget import Budget
    from aix.runs.facts import Past
    from aix.runs.gate import Gate
    from aix.runs.recorder import Recorder
    from aix.runs.rerun import Repeats
    from aix.runs.run import Order, Run, Wanted
    from aix.runs.runlog import RunLog
    from aix.runs.runner import Runner

Say = Callable[[str], None]


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Chosen:
    """A prompt with its template, each read once."""

    prompt: "Prompt"
    template: "Template"


class App:
    """One use of aix in one place. `warn` and `notice` are told, in a sentence, what a person should know."""

    def __init__(self, env: Mapping[str, str], cwd: Path, warn: Say = _silent, notice: Say = _silent) -> None:
        self.env = env
        self.cwd = cwd
        self.warn = warn
        self._notice = notice
        self.run: Run | None = None

    @cached_property
    def paths(self) -> Paths:
        return find_paths(self.env, self.cwd)

    @cached_property
    def settings(self) -> "Settings":
        from aix.config.settings import Settings

        return Settings(self.paths, self.env)

    def library_at(self, directory: str | None) -> "Library":
        """The library with `directory` in the place of the user's own prompts; None for the usual one."""
        from aix.library.layer import Layer
        from aix.library.library import Library
        from aix.library.place import BUILT_IN

        user = in_home(directory, self.paths.home, self.cwd) if directory else self.paths.library
        layers = [Layer("user", user), *self._project_layer(user), Layer(BUILT_IN, built_in_prompts())]
        return Library(layers, self._includes, self.warn)

    @property
    def project(self) -> "Layer":
        """The project's own prompts, whether there are any yet or not. Raises UsageError where there is no project."""
        from aix.library.layer import Layer

        if self._project_folder is None:
            here = "your home directory" if self.cwd != Path("/") else "the root directory, or one that was deleted"
            raise UsageError(f"this is {here}, not a project", hint="cd into the project and do it there")
        return Layer("project", self._project_folder)

    def place(self, name: str, library: str | None) -> "Place":
        """Where the prompt of a name or of a file is kept. Raises NotFoundError or UsageError."""
        from aix.library.library import file_place, is_file_name

        if is_file_name(name):
            return file_place(in_home(name, self.paths.home, self.cwd))
        return self.library_at(library).place(name)

    def choose(self, name: str, library: str | None, stdin: Callable[[], str]) -> Chosen:
        """The prompt of a name, of a file, or of standard input (`-`). Raises NotFoundError or TemplateError."""
        from aix.library.document import decode, parse
        from aix.library.library import is_file_name, open_file

        if name == "-":
            prompt, layer = parse(decode(stdin().encode(), "-"), "-"), None
        elif is_file_name(name):
            prompt, layer = open_file(in_home(name, self.paths.home, self.cwd))
        else:
            prompt, layer = self.library_at(library).get(name)
        for warning in prompt.warnings:
            self.warn(warning)
        return Chosen(prompt, self.template(prompt, layer))

    def text_of(self, data: bytes, place: str, fields: Mapping[str, Any]) -> str:
        """A new prompt's text, with `fields` in its front matter. Raises TemplateError or UsageError."""
        from aix.library.document import declare, decode

        return declare(decode(data, place), fields)

    def convert(self, text: str) -> "Converted":
        """A prompt's text with Jinja in the place of older placeholders. Raises TemplateError."""
        from aix.library.convert import convert

        return convert(text)

    def param_file(self, path: str) -> Mapping[str, Any]:
        """Many values for a prompt's params. Raises UsageError."""
        from aix.library.param_file import read

        return read(path, self.cwd)

    def template(self, prompt: "Prompt", layer: "Layer | None") -> "Template":
        """The prompt with all that it includes from its layer; without a layer it can include nothing."""
        from aix.library.template import Template, nothing

        return Template(prompt, layer.read if layer else nothing)

    def _includes(self, prompt: "Prompt", read: Callable[[str], str]) -> Sequence[str]:
        from aix.library.template import Template

        return Template(prompt, read).includes

    def surroundings(self) -> dict[str, object]:
        """The values that every template has besides its params."""
        from aix.library.surroundings import surroundings

        return surroundings(self.cwd, self.env, datetime.datetime.now().astimezone())

    @cached_property
    def providers(self) -> "Providers":
        from aix.llm.providers import Providers

        return Providers(self.settings.section("custom_providers"), self.env)

    @cached_property
    def catalogue(self) -> "Catalogue":
        """Every model that is known."""
        from aix.llm.shelf import known

        return known(self.settings.section("models"), self.providers, find_cache(self.env, self.paths.home))

    @cached_property
    def clock(self) -> "Clock":
        from aix.llm.clock import Clock

        return Clock()

    def refresh(self) -> "list[Refreshed]":
        """Fetch what is published of models; what came of each source."""
        from aix.llm.client import Client
        from aix.llm.refresh import MAX_BODY, refresh

        client = Client(self.env, max_body=MAX_BODY)
        done = refresh(client, find_cache(self.env, self.paths.home), self.env, self.clock.today.isoformat())
        self.__dict__.pop("catalogue", None)
        return done

    @cached_property
    def client(self) -> "Client":
        from aix.llm.client import Client

        return Client(self.env, notice=self._notice)

    @cached_property
    def prober(self) -> "Client":
        """The client for short questions, of which no long answer is taken."""
        from aix.llm.client import Client
        from aix.llm.probe import MAX_BODY

        return Client(self.env, max_body=MAX_BODY)

    def probe(self, provider: "Provider", key: "Secret | None") -> "Probe":
        """What comes of asking a provider for its models with a key."""
        from aix.llm.probe import probe

        return probe(self.prober, provider, key)

    def local_servers(self) -> "list[Probe]":
        """The model servers of this machine that answer now, each as its provider with its models."""
        from aix.llm.probe import running

        return running(self.prober, self.providers)

    @cached_property
    def runner(self) -> "Runner":
        from aix.runs.runner import Runner

        parts = (self.settings, self.providers, lambda: self.client, self.env, self.warn, lambda: self.catalogue)
        return Runner(*parts, self.clock, self.past, lambda: self.project_settings)

    @cached_property
    def past(self) -> "Past":
        """What earlier runs tell of who can be asked now."""
        from aix.runs.cooldown import Cooldown
        from aix.runs.facts import Past

        cooldown = Cooldown(self.paths.state / "cooldown.json", self.clock)
        return Past(cooldown.find, self._speeds, cooldown.failed, cooldown.answered)

    def _speeds(self, targets: "Iterable[Target]") -> "Mapping[str, float]":
        from aix.runs.speed import measured

        return measured(self.log, targets, self.clock.now())

    @cached_property
    def log(self) -> "RunLog":
        """What was run here; nothing is read or made by asking for it."""
        from aix.runs.runlog import RunLog

        return RunLog(self.paths.data / "runs.db")

    @cached_property
    def repeats(self) -> "Repeats":
        """The runs of the log that can be sent once more."""
        from aix.runs.rerun import Repeats

        return Repeats(self.log, self.providers, self.runner)

    def recorder(self, order: "Order", *, private: bool) -> "Recorder":
        """Who writes a run into the log, as much of it as the settings and the order allow."""
        from aix.runs.recorder import Recorder, level_of

        private = private or bool(self.env.get("CI"))
        return Recorder(
            self.log,
            level_of(self.settings.get("log").value, wanted=order.log, private=private),
            self.warn,
            self.clock,
            self._budget.check if self.limits else None,
            secrets=lambda: [*self.known_secrets(), *self.runner.keys.found()],
            keep=self.settings.get("log_keep").value,
        )

    @property
    def _budget(self) -> "Budget":
        from aix.runs.budget import Budget

        return Budget(self.limits, self.clock.now, self.warn)

    def revision(self, prompt: "Prompt") -> str:
        """The commit that is checked out where a prompt lies; empty where there is none."""
        from aix.library.place import BUILT_IN
        from aix.library.surroundings import revision

        return "" if prompt.path is None or prompt.layer == BUILT_IN else revision(prompt.path.parent)

    @cached_property
    def limits(self) -> "tuple[Limit, ...]":
        """What may be spent in which time, by the user and by the project. Raises ConfigError."""
        from aix.config.limits import OWN, read

        own, shared = self.settings.find("limits"), self.project_settings.get("limits")
        return (*read(own, OWN), *read(shared, f"{self._project_folder}/config.json"))

    def examine(self, editor: Callable[[str | None], list[str]], *, online: bool) -> "Iterator[Finding]":
        """What is right here and what is wrong. `editor` says which one would be opened."""
        from aix.health.checks import examine
        from aix.health.scene import in_force

        return examine(self._scene(in_force(self.env, self.cwd), editor, online=online))

    def try_providers(self, names: Sequence[str], *, send: bool) -> "Iterator[Finding]":
        """What comes of asking these providers, or all that can be used, for their models; `send` sends a message too.
        Raises NotFoundError."""
        from aix.health.trial import tried

        return tried(self._scene((self.settings, self.providers), lambda _: [], online=send), names)

    def ask_for_models(self, names: Sequence[str]) -> "list[Probe]":
        """What comes of asking these providers for their models, all at the same time. Raises NotFoundError."""
        from aix.health.network import answers

        scene = self._scene((self.settings, self.providers), lambda _: [], online=True)
        return answers(scene, [provider for provider in map(self.providers.get, names) if provider.base_url])

    @cached_property
    def roster(self) -> "Roster":
        """What is known of the providers without asking them."""
        from aix.health.roster import Roster

        return Roster(self.settings, self.env, self.prober.listens)

    def anew(self) -> "App":
        """The same place, of which nothing was read yet."""
        return App(self.env, self.cwd, self.warn, self._notice)

    def _scene(
        self, chosen: "tuple[Settings, Providers]", editor: Callable[[str | None], list[str]], *, online: bool
    ) -> "Scene":
        from aix.health.scene import Scene

        settings, providers = chosen
        return Scene(
            self.env,
            self.cwd,
            settings,
            providers,
            library=lambda: self.library_at(None),
            client=lambda: self.prober,
            editor=editor,
            tell=self._notice,
            online=online,
            recorded=lambda run, request, order: self.runner.recorded(run, request, self.recorder(order, private=True)),
        )

    def gate(self, prompt: "Prompt", wanted: "Wanted") -> "Gate":
        """What an answer to the prompt must pass. Raises UsageError or TemplateError."""
        from aix.runs.gate import Gate

        schema = None
        if wanted.schema is not None or prompt.output.schema is not None:
            from aix.library.arguments import read_text
            from aix.runs import schema as schemas

            schema = schemas.wanted(wanted.schema, prompt, lambda path: read_text(path, self.cwd, "--schema"))
        return Gate(schema, wanted.extract, wanted.fail_if)

    def known_secrets(self) -> list["Secret"]:
        """Every key that the environment and config.json hold, for whoever must keep them out of a text."""
        from aix.config.secrets import known_secrets

        return known_secrets(self.env, self.settings.data)

    @cached_property
    def project_settings(self) -> "Mapping[str, Any]":
        """What the project sets for whoever works in it: `roles` and `limits`. Raises ConfigError."""
        from aix.config.project import is_own, project_settings

        folder = self._project_folder
        return project_settings(folder, self.warn) if folder and is_own(folder, self.paths.library) else {}

    def _project_layer(self, user: Path) -> list["Layer"]:
        from aix.config.project import is_own

        return [self.project] if self._project_folder and is_own(self._project_folder, user) else []

    @cached_property
    def _project_folder(self) -> Path | None:
        """`.prompts` at the git root, or here where there is none; those of the home and the root directory are never a
        project's."""
        root = git_root(self.cwd) or self.cwd
        return None if root.resolve() in (self.paths.home.resolve(), Path("/")) else root / ".prompts"


def built_in_prompts() -> Path:
    """The starter prompts: inside the package once it is installed, beside it in a checkout."""
    package = Path(aix.__file__).parent
    installed = package / "prompts"
    return installed if installed.is_dir() else package.parent / "prompts"
