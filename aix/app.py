"""The parts wired together, each built when it is first asked for: what a command does not use, it does not load."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aix.cached import cached_property
from aix.config.paths import Paths, find_cache, find_paths
from aix.errors import ConfigError, TemplateError

if TYPE_CHECKING:
    from aix.app_prompts import Prompts
    from aix.config.limits import Limit
    from aix.config.secrets import Secret
    from aix.config.settings import Settings
    from aix.health.finding import Finding
    from aix.health.roster import Roster
    from aix.health.scene import Scene
    from aix.library.collections.shelf import Collections, Taken
    from aix.library.prompt import Prompt
    from aix.lint.file import File
    from aix.lint.linter import Linter
    from aix.lint.models import Models
    from aix.lint.rules import Finding as LintFinding
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

    @cached_property
    def prompts(self) -> "Prompts":
        """The prompts that can be had here."""
        from aix.app_prompts import Prompts

        return Prompts(lambda: self.paths, self.env, self.cwd, self.warn, self.known_secrets, self._notice)

    @cached_property
    def collections(self) -> "Collections":
        """The shared folders of prompts that the user has; no process that works for them is given a key."""
        from aix.config.secrets import without_keys
        from aix.library.collections.shelf import Collections

        env = without_keys(self.env, self.known_secrets())
        return Collections(self.paths.lock, self.paths.collections, env, self._notice)

    def add_collection(self, source: str, name: str, rev: str, path: str) -> "Taken":
        """Take a shared folder of prompts from where it is. Raises AixError."""
        from aix.library.collections.lock import Collection

        return self.collections.add(Collection(name, source, "", rev, path), self.paths.home, self.cwd)

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

    @cached_property
    def limits(self) -> "tuple[Limit, ...]":
        """What may be spent in which time, by the user and by the project. Raises ConfigError."""
        from aix.config.limits import OWN, read

        own, shared = self.settings.find("limits"), self.project_settings.get("limits")
        return (*read(own, OWN), *read(shared, f"{self.prompts.project_folder}/config.json"))

    def linter(self, flags: Collection[str]) -> "Linter":
        """Who looks for what is wrong with prompt files; `flags` are those that `aix run` has itself."""
        from aix.lint.file import Knowledge
        from aix.lint.linter import Linter
        from aix.lint.text import spellings

        secrets = self.known_secrets()
        return Linter(Knowledge(frozenset(flags), spellings(secrets)), lambda: self.lint_models, secrets)

    @cached_property
    def lint_models(self) -> "Models":
        from aix.lint.models import models

        known = (self.providers, lambda: self.catalogue)
        return models(self.settings, self.project_settings, known, self.clock.today)

    def lint_files(self, words: Sequence[str], library: str | None, layer: str) -> "Iterator[File | LintFinding]":
        """The files that words mean to lint; without any those of a layer. Raises NotFoundError or UsageError."""
        from aix.config.paths import in_home
        from aix.lint.folder import chosen

        home = self.prompts.library_at(library)
        return chosen(home, words, layer, lambda word: in_home(word, self.paths.home, self.cwd))

    def mend(self, file: "File", linter: "Linter") -> "tuple[Sequence[LintFinding], Sequence[LintFinding]]":
        """Mend a file where that is mechanical: what was mended, and what is left. What was trusted stays so. Raises
        UsageError or StorageError."""
        from aix.library.place import Place
        from aix.lint.mend import mended, save

        done = mended(file.data(), lambda data: linter.findings(file, data))
        if done.findings:
            place = Place(file.name.removesuffix(".md"), file.layer)
            before = self.prompts.before(place, done.was)
            save(file, done)
            with suppress(TemplateError):  # there may be more to mend
                self.prompts.saved(before, place.layer.prompt(place.name), place.layer)
        return done.findings, linter.findings(file, done.data)

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
            library=lambda: self.prompts.library_at(None),
            client=lambda: self.prober,
            editor=editor,
            tell=self._notice,
            online=online,
            recorded=lambda run, request, order: self.runner.recorded(run, request, self.recorder(order, private=True)),
            trust=lambda: self.prompts.trust,
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

    def scrubbed(self, text: str) -> str:
        """The text without any key that is known, and without what looks like one that was pasted beside its place."""
        from aix.config.secrets import hidden_with_likes, known_secrets

        try:
            known = self.known_secrets()
        except ConfigError:
            known = known_secrets(self.env, {})
        return hidden_with_likes(text, known)

    def known_secrets(self) -> list["Secret"]:
        """Every key that the environment and config.json hold, for whoever must keep them out of a text."""
        from aix.config.secrets import known_secrets

        return known_secrets(self.env, self.settings.data)

    @cached_property
    def project_settings(self) -> "Mapping[str, Any]":
        """What the project sets for whoever works in it: `roles` and `limits`. Raises ConfigError."""
        from aix.config.project import is_own, project_settings

        folder = self.prompts.project_folder
        return project_settings(folder, self.warn) if folder and is_own(folder, self.paths.library) else {}
