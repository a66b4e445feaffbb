"""A provider of one's own on its way to config.json: what is decided for it, what is written, what is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aix.cli.options import Shell
from aix.config import provider_row
from aix.config.settings import join_key
from aix.errors import UsageError
from aix.llm.exchange import is_private
from aix.llm.providers import Provider, Providers, is_loopback


@dataclass(slots=True)
class Draft:
    """A row of `custom_providers` that is not written yet; `more` are other settings that go with it."""

    name: str
    row: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)

    def provider(self, env: Mapping[str, str]) -> Provider:
        """The provider that the row makes. Raises ConfigError."""
        return Providers({self.name: self.row}, env).get(self.name)

    def values(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """All that is to be written, in place of an older row."""
        return {**provider_row.values(self.name, self.row, old), **self.more}


def allow_http(draft: Draft, where: str = "URL") -> str:
    """Let plain http go to a network of one's own, and say so. Raises UsageError for one that anybody may listen to."""
    url = draft.row.get("base_url", "")
    host = urlsplit(url).hostname or ""
    if not url.startswith("http:") or is_loopback(host) or draft.row.get("allow_http"):
        return ""
    if not provider_row.in_own_network(url):
        raise UsageError(
            f"{where} is plain http, so that a key could be read on the way to {host}",
            hint=f"https://{url.removeprefix('http://')}, or --allow-http",
        )
    draft.row["allow_http"] = True
    return f"{host} is in a network of your own, so plain http to it is allowed (allow_http)"


def old_row(shell: Shell, name: str) -> Mapping[str, Any]:
    """The row of that name in config.json; empty where there is none."""
    row = shell.app.settings.section("custom_providers").get(name)
    return row if isinstance(row, dict) else {}


def exists(shell: Shell, name: str) -> bool:
    return name in shell.app.settings.section("custom_providers")


def hides_built_in(name: str) -> bool:
    return Providers({}, {}).find(name) is not None


def may_write(shell: Shell, name: str, *, sure: bool) -> bool:
    """Whether the name is free, or its row may be replaced. Raises UsageError when nobody can be asked."""
    if not exists(shell, name):
        return True
    old = old_row(shell, name).get("base_url")
    return shell.agreed(f"Replace the provider {name}{f' ({old})' if old else ''}?", sure=sure)


def save(shell: Shell, draft: Draft) -> None:
    """Write it, and say what follows from it. Raises AixError."""
    said = allow_http(draft)
    provider = draft.provider(shell.app.env)
    shell.app.settings.save_all(draft.values(old_row(shell, draft.name)))
    console = shell.console
    console.note(f"saved the provider {draft.name} in {shell.app.paths.config}")
    if hides_built_in(draft.name):
        console.note(f"it takes the place of the built-in {draft.name}")
    if said:
        console.note(said)
    if draft.name in shell.app.settings.section("roles"):
        console.warn(f"the role {draft.name} is hidden by it: --model {draft.name} means the provider now")
    if any(map(is_private, draft.row.get("headers", {}))):
        console.warn("a header that is a secret stays in the shell's history")
    say_next(shell, provider)


def say_next(shell: Shell, provider: Provider) -> None:
    """What to do with a provider that is new: its key, a trial, a run."""
    name, key = provider.name, shell.app.roster.key(provider)
    ways = [
        f"aix provider test {name}",
        f"aix run hello --name Ada -m {name}{'' if provider.default_model else ':MODEL'} -x",
    ]
    if key:
        shell.console.note(f"its key comes from {key.source}")
    elif not provider.keyless:
        ways.insert(0, f"aix api-key custom:{name} (if it wants a key)")
    for word, way in zip(("next:", *["then:"] * len(ways)), ways, strict=False):
        shell.console.note(f"{word} {way}")


def key_setting(name: str) -> str:
    return join_key(("api_keys", name))
