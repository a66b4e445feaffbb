"""The prompts that a program can run, from one place."""

import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from aix.api.filling import fill_in, no_stdin, run_of
from aix.api.options import AixWarning, Content, Listed, Named, Prompt, SendOptions, StrPath
from aix.api.streaming import Stream, events_of, scrubbed
from aix.app import App
from aix.app_prompts import Chosen
from aix.errors import UsageError
from aix.library.index import Entry
from aix.library.values import Value
from aix.messages import Message, Text
from aix.runs import flags
from aix.runs.response import Response
from aix.runs.sending import Sending

SAME = ("name", "layer", "path", "description", "tags", "model", "fallback", "options", "output", "text")
"""What a Prompt has as its file has it."""


class Library:
    """The prompts that can be run from one place; `path` is a folder in the place of the user's own prompts.

    It may be kept and shared by threads: nothing that it reads is remembered."""

    def __init__(
        self,
        path: StrPath | None = None,
        *,
        project: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: StrPath | None = None,
        warn: Callable[[str], object] | None = None,
    ) -> None:
        self._path = None if path is None else os.fspath(path)
        self._project = project
        self._env = env
        self._cwd = cwd
        self._tell = warn or _warn

    def names(self) -> tuple[str, ...]:
        """The names that can be run, sorted."""
        return tuple(name for name, _ in self._app().prompts.library_at(self._path).names())

    def list(self) -> tuple[Listed, ...]:
        """The prompts that can be run, by name; a broken one too, with its error."""
        return tuple(map(_listed, self._app().prompts.library_at(self._path).entries()))

    def get(self, name: Named) -> Prompt:
        """The prompt of a name or of a file. Raises NotFoundError or TemplateError."""
        app = self._app()
        with scrubbed(app):
            chosen = self._chosen(app, name)
            prompt, template = chosen.prompt, chosen.template
            same = {field: getattr(prompt, field) for field in SAME}
            return Prompt(digest=template.digest, params=template.params, commands=template.commands, **same)

    def render(
        self, name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[Content]
    ) -> tuple[Message, ...]:
        """As `aix.render`."""
        _refuse_unknown(options, Content)
        app = self._app()
        with scrubbed(app):
            chosen = self._chosen(app, name)
            run = run_of(chosen)
            fill_in(app, chosen, run, values or {}, options)
            return run.messages

    def run(self, name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[SendOptions]) -> Response:
        """As `aix.run`."""
        with self.stream(name, values, **options) as stream:
            for _ in stream:
                pass
            return stream.response

    def stream(self, name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[SendOptions]) -> Stream:
        """As `aix.stream`."""
        _refuse_unknown(options, SendOptions)
        app = self._app()
        with scrubbed(app):
            order, wanted = flags.order_of(options), flags.wanted_of(options)
            chosen = self._chosen(app, name)
            run = run_of(chosen)
            sending = Sending(app, chosen.prompt, run, order)
            sending.want(wanted)
            fill_in(app, chosen, run, values or {}, options)
            sending.route()
            sending.refuse_nothing()
            return Stream(run, events_of(app, sending, run, holds=sending.gate.holds))

    def _app(self) -> App:
        """All parts anew, for one call."""
        here = _working_directory()
        app = App(
            dict(os.environ if self._env is None else self._env),
            here if self._cwd is None else here / self._cwd,
            warn=self._tell_in_words,
        )
        app.prompts.with_project = self._project
        return app

    def _tell_in_words(self, text: str) -> None:
        self._tell(text)

    def _chosen(self, app: App, name: Named) -> Chosen:
        if isinstance(name, Text):
            return app.prompts.choose("-", self._path, lambda: name.text)
        if isinstance(name, os.PathLike):
            return app.prompts.choose(str(app.cwd / os.fsdecode(name)), self._path, no_stdin)
        if isinstance(name, str):
            return app.prompts.choose(name, self._path, no_stdin)
        raise UsageError(f"a prompt is a name, a path or an aix.Text, not a Python {type(name).__name__}")


def _listed(entry: Entry) -> Listed:
    about = "" if entry.error else entry.description
    return Listed(entry.name, entry.layer.name, about, tuple(entry.tags), entry.error)


def _refuse_unknown(options: Mapping[str, Any], known: Any) -> None:
    """Raise TypeError, as Python does for an argument that a function does not have."""
    for name in options:
        if name not in known.__optional_keys__:
            raise TypeError(f"got an unexpected keyword argument '{name}'")


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted under us; names still resolve from the root
        return Path("/")


def _warn(text: str) -> None:
    """Warn of it at the line that called aix."""
    frame, depth, outermost = inspect.currentframe(), 0, 0
    while frame := frame and frame.f_back:
        depth += 1
        outermost = depth if frame.f_globals.get("__name__", "").startswith("aix.") else outermost
    warnings.warn(text, AixWarning, stacklevel=outermost + 2)
