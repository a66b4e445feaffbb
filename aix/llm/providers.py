"""Providers as rows of data: the built-in ones and the user's own have one shape."""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aix.config.secrets import conventional_variable
from aix.config.settings import join_key
from aix.config.values import HEADER, PROVIDER_FIELDS, check, convert
from aix.errors import AixError, ConfigError, NetworkError, NotFoundError

AUTH: Mapping[str, tuple[str, str]] = {
    "bearer": ("Authorization", "Bearer {}"),
    "api-key": ("api-key", "{}"),
    "x-api-key": ("x-api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
    "none": ("", ""),
}
"""How a key is shown to a provider: the header and its value, by `auth_type`."""

DATA = Path(__file__).parent.parent / "data" / "providers.json"

LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1|0\.0\.0\.0")


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a provider, or one of its models, leaves the protocol. All of it is data: no code asks for a name.

    `effort` names one of the ways in which the protocol's module can say how hard to think, "" its usual one. `schema`
    is how the shape of an answer is asked for: `native`, `json_object` (JSON of any shape, the schema in words), or
    `words` alone. `rejects` are fields of a Request that are not taken. `default_max_tokens` is asked for where the
    protocol must have a number; `num_ctx` is the window of a model that a server would otherwise cut to its own size.
    """

    max_tokens_field: str = "max_tokens"
    seed_field: str = "seed"
    stream_options: bool = True
    default_max_tokens: int = 8192
    system_role: str = "system"
    effort: str = ""
    schema: str = "native"
    rejects: tuple[str, ...] = ()
    num_ctx: int | None = None

    def with_deviations(self, deviations: Mapping[str, Any]) -> "Dialect":
        """The dialect as one model speaks it; `rejects` of both hold."""
        rejects = (*self.rejects, *deviations.get("rejects", ()))
        return replace(self, **{**deviations, "rejects": tuple(dict.fromkeys(rejects))})


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `key_env` names the variables that may hold its key; `custom` is the user's own row.

    `counter` is the protocol in which it counts tokens, "" where it does not; `pull` the command that gets a model it
    does not have; `hints` what to do after a status, where the usual hint would mislead; `note` what a person should
    know before choosing it.
    """

    name: str
    protocol: str
    base_url: str
    auth_type: str = "bearer"
    key_env: tuple[str, ...] = ()
    key_prefix: str = ""
    key_page: str = ""
    key_optional: bool = False
    base_url_env: tuple[str, ...] = ()
    host_env: tuple[str, ...] = ()
    header_env: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    models_path: str = "/models"
    counter: str = ""
    pull: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    default_model: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)
    aggregator: bool = False
    local: bool = False
    allow_http: bool = False
    timeout: float | None = None
    custom: bool = False

    @property
    def keyless(self) -> bool:
        return self.auth_type == "none"

    def authorize(self, key: str) -> dict[str, str]:
        """The header that carries the key; none for a provider that takes none."""
        name, value = AUTH[self.auth_type]
        return {name: value.format(key)} if name and key else {}

    def moved_by(self, env: Mapping[str, str]) -> str:
        """The variable that says where it is; empty where none does."""
        names = (*self.base_url_env, *self.host_env)
        return next((name for name in names if env.get(name, "").strip()), "")


class Providers:
    """Every provider there is, by name; a custom one hides a built-in of the same name."""

    def __init__(self, custom: Mapping[str, Any], env: Mapping[str, str]) -> None:
        self._custom = custom
        self._env = env
        self._built_in = _built_in()

    def names(self) -> list[str]:
        return list(dict.fromkeys((*self._custom, *self._built_in)))

    def find(self, name: str) -> Provider | None:
        """The provider of that name, with what the environment says of its address and headers."""
        plain = name.removeprefix("custom:")
        if plain in self._custom:
            return _custom_row(plain, self._custom[plain])
        if name in self._built_in:
            return _with_environment(_row(name, self._built_in[name]), self._env)
        return None

    def get(self, name: str) -> Provider:
        """Like `find`. Raises NotFoundError with near matches."""
        if found := self.find(name):
            return found
        near = get_close_matches(name.removeprefix("custom:"), self.names(), n=2, cutoff=0.7)
        raise NotFoundError(
            f"there is no provider '{name}'",
            hint=f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self.names())}",
            reason="provider",
        )

    def local(self) -> list[Provider]:
        """The providers whose address is on this machine, one for each address; broken rows are passed over."""
        found: dict[tuple[str, str], Provider] = {}
        for name in self.names():
            with contextlib.suppress(AixError, ValueError):
                provider = self.get(name)
                parts = urlsplit(provider.base_url)
                if provider.local and is_loopback(parts.hostname or ""):
                    found.setdefault((str(parts.port), parts.path), provider)  # all names of this machine are one
        return list(found.values())

    def named_by_key(self, key: str) -> str:
        """The built-in provider whose keys begin as this one does; empty when none is sure."""
        prefixes = {row["key_prefix"]: name for name, row in self._built_in.items() if row.get("key_prefix")}
        longest = max((prefix for prefix in prefixes if key.startswith(prefix)), key=len, default="")
        return prefixes.get(longest, "")


def is_loopback(host: str) -> bool:
    """Whether a host's name can only mean this machine."""
    return LOOPBACK.fullmatch(host) is not None


def checked_url(provider: Provider) -> str:
    """The base URL without a slash at its end. Raises ConfigError, or NetworkError when a key would go in the clear."""
    url, where = provider.base_url.rstrip("/"), f"the base URL of {provider.name}"
    row = join_key(("custom_providers", provider.name))
    variables = " and ".join((*provider.base_url_env, *provider.host_env))
    hint = f"aix config --set {row}.base_url https://…" if provider.custom else f"look at {variables}"
    if "?" in url or "#" in url or "@" in url.removeprefix("https://").removeprefix("http://").partition("/")[0]:
        raise ConfigError(f"{where} must not hold a user name, a password, a query or a fragment", hint=hint)
    host = _host(url)
    if not host:
        raise ConfigError(f"{where}, {url!r}, must begin with https:// or http:// and name a host", hint=hint)
    if url.startswith("http:") and not is_loopback(host) and not provider.allow_http:
        raise NetworkError(
            f"{where}, {url!r}, is plain http, so its key could be read on the way",
            hint=f"use https, or allow it: aix config --set {row}.allow_http true",
        )
    return url


def checked_followed(url: str, provider: Provider) -> str:
    """An address that an answer of the provider names. Raises NetworkError for one that is not asked."""
    own, named = urlsplit(provider.base_url), urlsplit(url) if _host(url) else urlsplit("")
    safe = named.scheme == "https" or (named.scheme, named.netloc) == (own.scheme, own.netloc)
    if not safe or "@" in named.netloc:
        raise NetworkError(
            f"{provider.name} answers that the rest is at an address that is not safe to ask",
            cause=url[:100],
            hint=f"check its base URL: {provider.base_url}",
        )
    return url


def _host(url: str) -> str:
    """The host that a URL names; empty when it is not one that can be asked."""
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.port != 0 else ""
    except ValueError:
        return ""
    return named or "" if re.fullmatch("https?://[^ ]+", url) and url.isprintable() else ""


def _built_in() -> Mapping[str, Mapping[str, Any]]:
    rows: Mapping[str, Mapping[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
    return rows


_TUPLES = frozenset({"key_env", "base_url_env", "host_env"})
_NATURAL: Mapping[str, Mapping[str, str]] = {
    "anthropic-messages": {
        "auth_type": "x-api-key",
        "models_path": "/v1/models?limit=1000",
        "counter": "anthropic-messages",
    },
    "openai-responses": {"counter": "openai-responses"},
    "gemini": {"auth_type": "x-goog-api-key", "models_path": "/v1beta/models?pageSize=1000", "counter": "gemini"},
    "cohere": {"models_path": "/v1/models?page_size=1000", "counter": "cohere"},
    "ollama": {"models_path": "/api/tags"},
}
"""What a custom provider of a protocol has unless it says something else."""


def _row(name: str, row: Mapping[str, Any]) -> Provider:
    values: dict[str, Any] = {key: tuple(value) if key in _TUPLES else value for key, value in row.items()}
    values["dialect"] = Dialect().with_deviations(row.get("dialect", {}))
    return Provider(name=name, **values)


def _custom_row(name: str, row: Any) -> Provider:
    """A row of `custom_providers`. Raises ConfigError, which names the field that is wrong."""
    place = join_key(("custom_providers", name))
    if not isinstance(row, dict):
        raise ConfigError(f"{place} in config.json must be an object", hint=f"aix config --unset {place}")
    for key, value in row.items():
        _check_field(place, key, value)
    if "base_url" not in row:
        raise ConfigError(f"{place} has no base_url", hint=f"aix config --set {place}.base_url https://…/v1")
    own = {key: value for key, value in row.items() if key in Provider.__dataclass_fields__}
    usual = {"protocol": "openai-chat", **_NATURAL.get(row.get("protocol", ""), {})}
    variables = [row["api_key_env"]] if "api_key_env" in row else []
    return Provider(
        name=name,
        **{**usual, **own},
        key_env=tuple(dict.fromkeys((*variables, conventional_variable(name)))),
        key_optional=True,
        dialect=Dialect(max_tokens_field=row.get("max_tokens_field", "max_tokens")),
        local=is_loopback(_host(row["base_url"])),
        custom=True,
    )


def _check_field(place: str, field_: str, value: Any) -> None:
    if field_ in PROVIDER_FIELDS:
        check(PROVIDER_FIELDS[field_], value, f"{place}.{field_}")
        return
    near = get_close_matches(field_, PROVIDER_FIELDS, n=1)
    listed = f"the fields are {', '.join(PROVIDER_FIELDS)}"
    raise ConfigError(
        f"{place}.{field_} is not a field of a provider", hint=f"did you mean {near[0]}?" if near else listed
    )


def _with_environment(provider: Provider, env: Mapping[str, str]) -> Provider:
    """The row with what the environment says: a base URL there is the user's own word, also where it is plain http."""
    url = next((env[name].strip() for name in provider.base_url_env if env.get(name, "").strip()), "")
    host = next((env[name].strip() for name in provider.host_env if env.get(name, "").strip()), "")
    headers = {
        header: convert(HEADER, env[name], name) for header, name in provider.header_env.items() if env.get(name)
    }
    return replace(
        provider,
        base_url=url or (_host_url(host, provider.base_url) if host else provider.base_url),
        allow_http=provider.allow_http or bool(url),
        headers={**provider.headers, **headers},
    )


def _host_url(host: str, default: str) -> str:
    """A base URL shaped like the default one, of a host as Ollama's own client reads it: `box`, `box:1234`, `:1234`,
    `0.0.0.0` (a server's "everywhere" is here), `http://box` (port 80 then), `https://box`, `[::1]`, `box/prefix`."""
    usual = urlsplit(default)
    try:
        given = urlsplit(host if "://" in host else f"{usual.scheme}://{host}")
        name, port = given.hostname, given.port
    except ValueError:
        return host  # refused when it is used, as it was written
    name = usual.hostname if name in (None, "0.0.0.0", "::") else name  # noqa: S104 - nothing is bound
    natural = {"http": 80, "https": 443}.get(given.scheme) if "://" in host else usual.port
    shown = f"[{name}]" if ":" in str(name) else name
    path = given.path.rstrip("/").removesuffix(usual.path)
    return f"{given.scheme}://{shown}:{port or natural}{path}{usual.path}"
