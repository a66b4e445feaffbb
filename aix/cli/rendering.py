"""A prompt on its way to messages: with what it is given, what is attached, and what a person is asked for."""

from collections.abc import Sequence

from aix.app import Chosen
from aix.cli import ask
from aix.cli.options import Shell
from aix.cli.streams import Stdin
from aix.config.paths import in_home
from aix.config.secrets import without_keys
from aix.library.arguments import Given, Sources, resolve
from aix.library.prompt import Param
from aix.messages import Part, with_system
from aix.runs.attachments import attached, with_attachments
from aix.runs.run import Run


class Rendering:
    """One rendering of a prompt, from which `run` gets its messages. `asks` says whether a person may be asked."""

    def __init__(self, shell: Shell, chosen: Chosen, *, asks: bool) -> None:
        self._app = shell.app
        self._console = shell.console
        self._prompt = chosen.prompt
        self._template = chosen.template
        self._asks = asks and shell.console.person_is_there
        self._attached: tuple[Part, ...] = ()
        self.run = Run(chosen.prompt.name, chosen.template.digest, chosen.prompt.layer)
        self.answers: list[tuple[Param, str]] = []
        """What a person was asked for, and gave."""

    def attach(self, names: Sequence[str], stdin: Stdin) -> None:
        """Read what goes with the prompt, before anything else reads standard input."""
        self._attached = attached(names, lambda name: in_home(name, self._app.paths.home, self._app.cwd), stdin.take)

    def render(self, values: Given, system: str | None, stdin: Stdin, *, commands: bool) -> None:
        """Fill in the values, and keep the messages."""
        app, params = self._app, self._template.params
        found = resolve(params, values, Sources(stdin, app.cwd, self._ask if self._asks else None))
        self.run.arguments = found
        self.run.private = any(param.secret for param in params)
        empty = {} if self._prompt.params is None else {param.name: param.empty for param in params}
        allowed = commands and app.settings.get("commands_enabled").value
        messages = self._template.render(empty | found, app.surroundings(), commands=allowed)
        messages = messages if system is None else with_system(messages, system)
        self.run.messages = with_attachments(messages, self._attached)

    def _ask(self, param: Param) -> str:
        env = without_keys(self._app.env, self._app.known_secrets())
        if param.stdin:
            self._console.note(f"nothing is piped in; a pipe fills it too: COMMAND | aix run {self._prompt.name}")
        text = ask.value(param, env, self._app.settings.get("editor").value)
        self.answers.append((param, text))
        return text
