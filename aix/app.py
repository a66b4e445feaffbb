"""The parts wired together, each built when it is first asked for: what a command does not use, it does not load."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aix
from aix.config.paths import Paths, find_paths, git_root, in_home

if TYPE_CHECKING:
    from aix.config.secrets import Secret
    from aix.config.settings import Settings
    from aix.library.library import Layer, Library
    from aix.library.prompt import Prompt
    from aix.library.template import Template
    from aix.llm.client import Client
    from aix.llm.providers import Providers
    from aix.runs.run import Run
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
        from aix.library.library import Layer, Library

        user = in_home(directory, self.paths.home, self.cwd) if directory else self.paths.library
        layers = [Layer("user", user), *self._project_layer(user), Layer("builtin", built_in_prompts())]
        return Library(layers)

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

    def param_file(self, path: str) -> Mapping[str, Any]:
        """Many values for a prompt's params. Raises UsageError."""
        from aix.library.param_file import read

        return read(path, self.cwd)

    def template(self, prompt: "Prompt", layer: "Layer | None") -> "Template":
        """The prompt with all that it includes from its layer; without a layer it can include nothing."""
        from aix.library.template import Template, nothing

        return Template(prompt, layer.read if layer else nothing)

    def surroundings(self) -> dict[str, object]:
        """The values that every template has besides its params."""
        from aix.library.surroundings import surroundings

        return surroundings(self.cwd, self.env, datetime.datetime.now().astimezone())

    @cached_property
    def providers(self) -> "Providers":
        from aix.llm.providers import Providers

        return Providers(self.settings.section("custom_providers"), self.env)

    @cached_property
    def client(self) -> "Client":
        from aix.llm.client import Client

        return Client(self.env, notice=self._notice)

    @cached_property
    def runner(self) -> "Runner":
        from aix.runs.runner import Runner

        return Runner(self.settings, self.providers, lambda: self.client, self.env, self.warn)

    def known_secrets(self) -> list["Secret"]:
        """Every key that the environment and config.json hold, for whoever must keep them out of a text."""
        from aix.config.secrets import known_secrets

        return known_secrets(self.env, self.settings.data)

    def _project_layer(self, user: Path) -> list["Layer"]:
        """`.prompts` at the git root, or here where there is none; the home directory's is never a project's."""
        from aix.library.library import Layer

        root = git_root(self.cwd) or self.cwd
        folder = root / ".prompts"
        real = folder.resolve()
        theirs = root.resolve() != self.paths.home.resolve() and folder.is_dir() and real != user.resolve()
        inside = real.is_relative_to(root.resolve())  # a cloned link must not make prompts of what lies around it
        return [Layer("project", folder)] if theirs and inside else []


def built_in_prompts() -> Path:
    """The starter prompts: inside the package once it is installed, beside it in a checkout."""
    package = Path(aix.__file__).parent
    installed = package / "prompts"
    return installed if installed.is_dir() else package.parent / "prompts"
