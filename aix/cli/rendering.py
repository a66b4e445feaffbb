"""A prompt on its way to messages: with what it is given, what is attached, and what a person is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from aix.app_prompts import Chosen
from aix.cli import ask, trusting
from aix.cli.options import Shell
from aix.cli.streams import Stdin
from aix.config.paths import in_home
from aix.config.secrets import without_keys
from aix.errors import RefusedError
from aix.library.arguments import Given, Sources, resolve
from aix.library.prompt import Param
from aix.messages import Message, Part
from aix.runs.attachments import attached
from aix.runs.filling import complete, fill
from aix.runs.run import Run


class Rendering:
    """One rendering of a prompt, from which `run` gets its messages. `asks` says whether a person may be asked."""

    def __init__(self, shell: Shell, chosen: Chosen, *, asks: bool) -> None:
        self._shell = shell
        self._app = shell.app
        self._console = shell.console
        self._chosen = chosen
        self._prompt = chosen.prompt
        self._template = chosen.template
        self._asks = asks and shell.console.person_is_there
        self._attached: tuple[Part, ...] = ()
        self.run = Run(chosen.prompt.name, chosen.template.digest, chosen.prompt.layer, chosen.revision)
        self.answers: list[tuple[Param, str]] = []
        """What a person was asked for, and gave."""

    def attach(self, names: Sequence[str], stdin: Stdin) -> None:
        """Read what goes with the prompt, before anything else reads standard input."""
        self._attached = attached(names, lambda name: in_home(name, self._app.paths.home, self._app.cwd), stdin.take)

    def render(self, values: Given, system: str | None, stdin: Stdin, *, commands: bool, pin: str = "") -> None:
        """Fill in the values, and keep the messages. `commands` says whether the prompt's own may run, and `pin` is the
        digest of the one content that is meant."""
        app, params = self._app, self._template.params
        found = resolve(params, values, Sources(stdin, app.cwd, self._ask if self._asks else None))
        seen = fill(self.run, self._prompt, params, found)
        allowed = commands and app.settings.get("commands_enabled").value
        messages = self._messages(seen, commands=allowed, pin=pin)
        self.run.messages = complete(messages, system, self._attached)

    def _messages(self, values: Mapping[str, Any], *, commands: bool, pin: str) -> tuple[Message, ...]:
        """The messages; a person is asked whether a content that runs commands is trusted."""
        prompts = self._app.prompts
        try:
            return prompts.render(self._chosen, values, commands=commands, pin=pin)
        except RefusedError:
            if pin or not self._asks or not trusting.asked(self._shell, self._chosen):
                raise
        return prompts.render(self._chosen, values, commands=commands)

    def _ask(self, param: Param) -> str:
        env = without_keys(self._app.env, self._app.known_secrets())
        if param.stdin:
            self._console.note(f"nothing is piped in; a pipe fills it too: COMMAND | aix run {self._prompt.name}")
        text = ask.value(param, env, self._app.settings.get("editor").value)
        self.answers.append((param, text))
        return text
