"""`aix init`: the first minute. A provider, its key, how to send, and one prompt that runs."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from aix.cli import ask, provider_ask
from aix.cli.options import Shell
from aix.cli.provider_draft import Draft, old_row
from aix.cli.provider_setup import look, summary
from aix.cli.streams import Stdin
from aix.config.secrets import Secret, checked
from aix.config.settings import default_model_key, join_key
from aix.errors import AuthError, UsageError
from aix.llm.providers import Provider
from aix.llm.routing import no_key

FIRST = ("run", "hello", "--name", "Ada", "--execute")
"""The prompt that shows that all works."""

SENDING = {
    "show": "show what would be sent; -x sends it",
    "send": "send right away; --no-execute only shows it",
}
"""What `aix run` can do when nothing else is said."""

ELSEWHERE, MORE = "elsewhere:", "more:"
"""What stands for a provider that there is not yet, and for all those that are not shown; no name has a colon in it."""

USUAL = 9
"""How many of the preferred providers are shown also without a key."""


def register(cli: typer.Typer) -> None:
    cli.command("init")(init)


def init(
    ctx: typer.Context,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Whom to ask by default.")] = "",
    model: Annotated[str, typer.Option("--model", "-m", metavar="MODEL", help="Its default model.")] = "",
    execute: Annotated[
        bool | None, typer.Option("--execute/--no-execute", "-x", help="Send right away, or show first.")
    ] = None,
    try_it: Annotated[bool | None, typer.Option("--try/--no-try", help="Run a first prompt at the end.")] = None,
) -> None:
    """Set up a provider, and run a first prompt.

    It can be run again at any time: what is set stays unless you change it.

    \b
      aix init
      aix init --provider ollama -m qwen3:4b --try
      pass show openai | aix init --provider openai     the key comes from a pipe
    """
    shell: Shell = ctx.obj
    person = shell.console.person_is_there
    if not provider and not person:
        raise UsageError(
            "aix init asks questions, and there is no terminal", hint="aix init --provider NAME [--execute] [--try]"
        )
    setup = _Setup(shell, person=person)
    chosen = setup.provider(provider)
    setup.key(chosen)
    setup.model(chosen, model)
    setup.sending(execute)
    setup.save()
    try:
        if _wants_to_try(shell, try_it, person=person):
            _run(ctx, FIRST)
    finally:
        shell.console.note("next: aix list shows the prompts there are, aix doctor whether all is well")


@dataclass(slots=True)
class _Setup:
    """The answers, question by question; nothing is written before the last one."""

    shell: Shell
    person: bool
    values: dict[str, Any] = field(default_factory=dict)
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chosen: Provider | None = None

    def provider(self, name: str) -> Provider:
        """The provider that is asked by default: the one that is named, or that the person chooses."""
        app = self.shell.app
        if not name or app.providers.get(name).local:
            self.running = {found.provider.name: found.models for found in look(self.shell)}
        name = name or self._named()
        self.chosen = self._new() if name == ELSEWHERE else app.providers.get(name)
        self.values["default_provider"] = self.chosen.name
        return self.chosen

    def _named(self) -> str:
        """Whom a person names: one of those that are likely, or else of all that there are."""
        title, current = "Who answers your prompts?", self.shell.app.settings.get("default_provider").value or ""
        known = self._known()
        likely = [provider for provider in known if self._is_likely(provider) or provider.name == current]
        chosen = ask.choose(title, self._offers(likely, len(known) - len(likely)), current)
        return ask.choose(title, self._offers(known, 0), current) if chosen == MORE else chosen

    def _new(self) -> Provider:
        """A provider of the person's own, which is not written yet."""
        draft = Draft("", {})
        if not provider_ask.fill(self.shell, draft):
            return self.shell.app.providers.get(draft.name)
        self.values |= draft.values(old_row(self.shell, draft.name))
        return draft.provider(self.shell.app.env)

    def key(self, provider: Provider) -> None:
        """A key, where the provider needs one and none is found: from a pipe, or asked for."""
        if self.shell.app.runner.keys.usable(provider):
            return
        stdin = Stdin()
        if stdin.kind == "piped":
            secret = checked(stdin.read(), provider.name)
        elif self.person:
            secret = self._asked_key(provider)
        else:
            raise no_key(provider)
        self.values[join_key(("api_keys", provider.name))] = secret.reveal()

    def model(self, provider: Provider, name: str) -> None:
        """The provider's default model: the one that is named, or one of those that a local server has."""
        models = self.running.get(provider.name, ())
        current = self.shell.app.settings.find(default_model_key(provider.name)) or provider.default_model
        if not name and current not in models and models:
            name = ask.choose("Which model?", models) if self.person and len(models) > 1 else models[0]
        if name:
            self.values[default_model_key(provider.name)] = name

    def sending(self, execute: bool | None) -> None:
        """What `aix run` does when it is not told: show, or send."""
        if execute is None and self.person:
            current = "send" if self.shell.app.settings.get("execute").value else "show"
            execute = ask.choose("What shall `aix run NAME` do?", SENDING, current) == "send"
        if execute is not None:
            self.values["execute"] = execute

    def save(self) -> None:
        """Write all answers at once."""
        settings, console = self.shell.app.settings, self.shell.console
        settings.save_all(self.values)
        console.note(f"saved in {self.shell.app.paths.config}")
        for key in self.values:
            if variable := settings.variable_over(key):
                console.warn(f"{variable} is set in the environment and wins over {key}")
        if self.chosen and (moved := self.chosen.moved_by(self.shell.app.env)):
            console.note(f"{self.chosen.name}'s address comes from {moved}: keep it set")

    def _known(self) -> list[Provider]:
        """The providers that can be chosen: those that are ready first, `echo` last."""
        every = self.shell.app.providers.sound()
        return sorted((row for row in every if self._is_ready(row) or row.default_model), key=self._rank)

    def _offers(self, providers: Sequence[Provider], others: int) -> dict[str, str]:
        """The rows to choose from, with what is known of each; `others` are not among them."""
        rows = [(provider.name, provider.name, self._said(provider)) for provider in providers]
        ways = [(ELSEWHERE, "(another)", "any other address")]
        ways += [(MORE, "(more)", f"{others} more providers")] if others else []
        real = sum(provider.protocol != "echo" for provider in providers)
        rows[real:real] = ways
        width = max(len(head) for _, head, _ in rows)
        return {value: f"{head:<{width}}  {said}" for value, head, said in rows}

    def _is_likely(self, provider: Provider) -> bool:
        usual = self.shell.app.providers.preferred()[:USUAL]
        return provider.local or provider.custom or provider.name in usual or self._is_ready(provider)

    def _rank(self, provider: Provider) -> tuple[bool, ...]:
        preferred = [provider.name != name for name in self.shell.app.providers.preferred()]
        return (provider.protocol == "echo", not self._is_ready(provider), provider.local, *preferred)

    def _is_ready(self, provider: Provider) -> bool:
        return provider.name in self.running or (not provider.local and self.shell.app.runner.keys.usable(provider))

    def _said(self, provider: Provider) -> str:
        if provider.name in self.running:
            return f"runs on this machine: {summary(self.running[provider.name])}"
        if provider.protocol == "echo":
            return "no model: answers with what it was given"
        if provider.local:
            return "does not run on this machine now"
        return "has a key" if self.shell.app.runner.keys.usable(provider) else "needs a key"

    def _asked_key(self, provider: Provider) -> Secret:
        """The key that a person types, once the provider has taken it, or could not say."""
        console = self.shell.console
        if provider.key_page:
            console.note(f"get a key at {provider.key_page}")
        while True:
            secret = checked(ask.secret(f"Key for {provider.name}:", _complaint), provider.name)
            console.progress(f"asking {provider.name} whether it takes the key")
            error = self.shell.app.probe(provider, secret).error
            console.done_waiting()
            if error is None:
                return secret
            console.error(error)
            if not isinstance(error, AuthError):
                console.note("the key could not be tried; aix doctor --online does so later")
                return secret
            if not ask.confirm("Enter another key?", default=True):
                return secret


def _complaint(key: str) -> str:
    """What is wrong with a key that is typed, before anybody is asked."""
    try:
        checked(key, "it")
    except AuthError as error:
        return f"{error.message}; Ctrl-C ends"
    return ""


def _wants_to_try(shell: Shell, wanted: bool | None, *, person: bool) -> bool:
    if wanted is None and person:
        return ask.confirm(f"Run a first prompt now ({shlex.join(('aix', *FIRST))})?", default=True)
    return bool(wanted)


def _run(ctx: typer.Context, arguments: tuple[str, ...]) -> None:
    """Run another command line of aix, as this one's last act."""
    root, shell = ctx.find_root(), ctx.obj
    anew = Shell(shell.app.anew(), shell.console)  # one that knows what was written since
    with root.command.make_context("aix", list(arguments), obj=anew) as context:
        root.command.invoke(context)
