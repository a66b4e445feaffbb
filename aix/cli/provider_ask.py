"""The questions that make a provider of one's own; nothing is written by them."""

from collections.abc import Callable
from dataclasses import dataclass

from aix.cli import ask
from aix.cli.options import Shell
from aix.cli.provider_draft import Draft, allow_http, key_setting, may_write
from aix.config import provider_row
from aix.config.secrets import Secret, checked
from aix.errors import AixError, AuthError
from aix.llm.probe import Probe

PROTOCOLS = {
    "openai-chat": "Chat Completions, as most servers do",
    "openai-responses": "OpenAI's Responses",
    "anthropic-messages": "Anthropic's Messages",
    "gemini": "Google's Gemini",
    "cohere": "Cohere's chat",
    "ollama": "Ollama's own",
    "replicate": "Replicate's predictions",
}
"""What may be spoken, with what is shown for each."""

ATTEMPTS = (("openai-chat", ""), ("ollama", ""), ("openai-chat", "/v1"), ("anthropic-messages", ""))
"""The protocols that are tried, and what is put behind the address for each."""

KEYS = {
    "none": "it needs none",
    "typed": "type it now; it is kept in config.json, for you alone",
    "api_key_env": "it is in an environment variable",
    "api_key_command": "a command prints it",
}
"""Where a key may come from."""


def fill(shell: Shell, draft: Draft, *, sure: bool = False) -> bool:
    """Ask for what a draft does not say yet; whether it may be written."""
    draft.name = draft.name or ask.line("What shall it be called?", _complaint(provider_row.checked_name)).strip()
    if not may_write(shell, draft.name, sure=sure):
        return False
    _Wizard(shell, draft).ask()
    return True


def _complaint(check: Callable[[str], object]) -> Callable[[str], str]:
    """What is wrong with a text that is typed."""

    def complain(text: str) -> str:
        try:
            check(text.strip())
        except AixError as error:
            return f"{error.message}; {error.hint}" if error.hint else error.message
        return ""

    return complain


@dataclass(slots=True)
class _Wizard:
    shell: Shell
    draft: Draft
    found: Probe | None = None

    def ask(self) -> None:
        row = self.draft.row
        if "base_url" not in row:
            row["base_url"] = provider_row.checked_url(ask.line("Where is it?", _complaint(self._checked_address)))
        if said := allow_http(self.draft):
            self.shell.console.note(said)
            row["allow_http"] = True
        self._look(None)
        if "protocol" not in row:
            self._protocol()
        if not {"api_key_env", "api_key_command", "auth_type"} & row.keys():
            self._key()
        if "default_model" not in row:
            self._model()

    def _checked_address(self, text: str) -> None:
        allow_http(Draft(self.draft.name, {"base_url": provider_row.checked_url(text, "an address")}), "an address")

    def _look(self, key: Secret | None) -> None:
        """Ask who is there, and with which models."""
        console = self.shell.console
        console.progress(f"asking {self.draft.row['base_url']} for its models")
        self.found = self._answer(key)
        console.done_waiting()
        if self.found is None or not self.found.reachable:
            console.note("nobody answers there now; aix provider test tries it again")

    def _answer(self, key: Secret | None) -> Probe | None:
        """The answer that says most: a list of models, else a wish for a key."""
        said: Probe | None = None
        fixed = self.draft.row.get("protocol")
        for protocol, more in ((fixed, ""),) if fixed else ATTEMPTS:
            row = {**self.draft.row, "protocol": protocol, "base_url": self.draft.row["base_url"] + more}
            probe = self.shell.app.probe(Draft(self.draft.name, row).provider({}), key)
            if probe.error is None or not probe.reachable:
                return probe
            if isinstance(probe.error, AuthError):
                said = said or probe
        return said

    def _protocol(self) -> None:
        found = self.found
        guess = found.provider.protocol if found and found.reachable else "openai-chat"
        chosen = ask.choose("What does it speak?", {name: f"{name}: {said}" for name, said in PROTOCOLS.items()}, guess)
        if found and not found.error and chosen == guess:
            self.draft.row["base_url"] = found.provider.base_url
        if chosen != "openai-chat":
            self.draft.row["protocol"] = chosen

    def _key(self) -> None:
        start = "none" if self.found and not self.found.error else "typed"
        way = ask.choose("Its key?", KEYS, start)
        if way == "typed":
            secret = checked(
                ask.secret(f"Key for {self.draft.name}:", _complaint(lambda text: checked(text, "it"))), "it"
            )
            self.draft.more[key_setting(self.draft.name)] = secret.reveal()
            self._look(secret)
            if self.found and isinstance(self.found.error, AuthError):
                self.shell.console.error(self.found.error)
        elif way == "none":
            self.draft.row["auth_type"] = "none"
        else:
            title = "Which variable?" if way == "api_key_env" else "Which command?"
            check = _complaint(lambda text: provider_row.read(way, text, "it"))
            self.draft.row[way] = provider_row.read(way, ask.line(title, check), "it")

    def _model(self) -> None:
        models = self.found.models if self.found else ()
        if models:
            chosen = ask.choose("Which model, when none is named?", models)
        else:
            chosen = ask.line("Which model, when none is named? (Enter for none)").strip()
        if chosen:
            self.draft.row["default_model"] = provider_row.read("default_model", chosen, "a model")
