"""Providers as rows of data: the built-in ones and the user's own have one shape."""

import contextlib
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aix.config.provider_row import in_own_network
from aix.config.secrets import Secret, conventional_variable
from aix.config.settings import join_key
from aix.config.values import HEADER, PROVIDER_FIELDS, check, convert
from aix.errors import AixError, ConfigError, NetworkError, NotFoundError
from aix.llm.address import BLANK, Blank, Form, filled, first, form_of, host_of, host_url

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

VERSION_AT_END = re.compile(r"/(v[0-9]\w*|api)$")
"""What some write at the end of a base URL, and others at the beginning of a path."""


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
class Variable:
    """A variable that a provider reads, and what it says."""

    name: str
    meaning: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `key_env` names the variables that may hold its key; `custom` is the user's own row.

    Of those, `token_env` hold what goes as a bearer token, whatever `auth_type` says, and `tokens` is what they hold;
    `moved_key_env` count only where the environment says its address, or its host with https. `address` fills the
    blanks in `base_url`, which `respelt` then puts right; `forms` are those in which its address may be given, `hosts`
    those at which any address has its forms, and `paths` how a protocol's paths are spelt there. `counter` is the
    protocol in which it counts tokens, "" where it does not; `start` the command that starts a local one, and `pull`
    the one that gets a model it does not have; a `telling` one listens where hardly anything else does, so a listener
    there is likely to be it. `statuses` are what a status of its own means in the usual ones, and `hints` what to do
    after a status, where the usual hint would mislead; `note` is what a person should know before choosing it. The
    models of a `free` one cost nothing, as it runs on a machine of the user's. An `open` one is likely to have models
    that nobody lists.
    """

    name: str
    protocol: str
    base_url: str
    auth_type: str = "bearer"
    key_env: tuple[str, ...] = ()
    token_env: tuple[str, ...] = ()
    moved_key_env: tuple[str, ...] = ()
    tokens: tuple[Secret, ...] = ()
    key_prefix: str = ""
    key_page: str = ""
    key_optional: bool = False
    base_url_env: tuple[str, ...] = ()
    host_env: tuple[str, ...] = ()
    address: Mapping[str, Blank] = field(default_factory=dict)
    respelt: Mapping[str, str] = field(default_factory=dict)
    forms: tuple[Form, ...] = ()
    hosts: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    header_env: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    models_path: str = "/models"
    counter: str = ""
    start: str = ""
    pull: str = ""
    telling: bool = False
    statuses: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    default_model: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)
    aggregator: bool = False
    open: bool = False
    local: bool = False
    free: bool = False
    allow_http: bool = False
    timeout: float | None = None
    connect_timeout: float | None = None
    first_byte_timeout: float | None = None
    silence_timeout: float | None = None
    custom: bool = False

    @property
    def keyless(self) -> bool:
        return self.auth_type == "none"

    def authorize(self, key: str, auth_type: str = "") -> dict[str, str]:
        """The header that carries the key; none for a provider that takes none."""
        name, value = AUTH[auth_type or self.auth_type]
        return {name: value.format(key)} if name and key else {}

    def auth_of(self, key: Secret) -> str:
        """The `auth_type` of one of its keys."""
        return "bearer" if key in self.tokens else self.auth_type

    def moved_by(self, env: Mapping[str, str]) -> str:
        """The variable that says where it is; empty where none does."""
        names = (*self.base_url_env, *self.host_env)
        return next((name for name in names if env.get(name, "").strip()), "")

    def variables(self, env: Mapping[str, str]) -> list[Variable]:
        """Every variable that it reads, each with what it is for."""
        found = dict.fromkeys(self.key_env, "its key")
        found = {**dict.fromkeys(self.moved_key_env, "its key, where its address is set"), **found}
        found |= dict.fromkeys(self.token_env, "its key, as a bearer token")
        found |= dict.fromkeys(self.base_url_env, "its address") | dict.fromkeys(self.host_env, "its host")
        found |= {name: f"the {part} in its address" for part, blank in self.address.items() for name in blank.env}
        found |= {name: f"the header {header}" for header, name in self.header_env.items()}
        return [Variable(name, meaning, bool(env.get(name, "").strip())) for name, meaning in found.items()]


class Providers:
    """Every provider there is, by name; a custom one hides a built-in of the same name."""

    def __init__(self, custom: Mapping[str, Any], env: Mapping[str, str]) -> None:
        self._custom = custom
        self._env = env
        self._built_in = _built_in()

    def names(self) -> list[str]:
        return list(dict.fromkeys((*self._custom, *self._built_in)))

    def preferred(self) -> list[str]:
        """Those of which the first that has a key is asked where nobody is named; `echo` and local ones never are."""
        return [name for name, row in self._built_in.items() if not row.get("local")]

    def find(self, name: str) -> Provider | None:
        """The provider of that name, with what the environment says of its address and headers."""
        plain = name.removeprefix("custom:")
        if plain in self._custom:
            return _placed(self._own(plain, self._custom[plain]), self._env)
        if name in self._built_in:
            return _placed(_row(name, self._built_in[name]), self._env)
        return None

    def get(self, name: str) -> Provider:
        """Like `find`. Raises NotFoundError with near matches."""
        if found := self.find(name):
            return found
        near = get_close_matches(name.removeprefix("custom:").casefold(), self.names(), n=2, cutoff=0.7)
        raise NotFoundError(
            f"there is no provider '{name}'",
            hint=f"did you mean {' or '.join(near)}?" if near else "aix provider list",
            reason="provider",
        )

    def sound(self) -> Iterator[Provider]:
        """All providers but those whose row is broken."""
        for name in self.names():
            with contextlib.suppress(AixError):
                yield self.get(name)

    def local(self) -> list[Provider]:
        """The providers whose address is on this machine, one for each address; broken rows are passed over."""
        found: dict[tuple[str, str], Provider] = {}
        for provider in self.sound():
            with contextlib.suppress(ValueError):
                parts = urlsplit(provider.base_url)
                if provider.local and is_loopback(parts.hostname or ""):  # all names of this machine are one
                    found.setdefault((str(parts.port), VERSION_AT_END.sub("", parts.path)), provider)
        return list(found.values())

    def named_by_key(self, key: str) -> str:
        """The built-in provider whose keys begin as this one does; empty when none is sure."""
        prefixes = {row["key_prefix"]: name for name, row in self._built_in.items() if row.get("key_prefix")}
        longest = max((prefix for prefix in prefixes if key.startswith(prefix)), key=len, default="")
        return prefixes.get(longest, "")

    def _own(self, name: str, row: Any) -> Provider:
        """The user's own row: of a built-in's name and without an address, it changes that one; else it stands for
        itself, but for what its host says. Raises ConfigError."""
        fields = _checked(name, row)
        if "base_url" not in row and name in self._built_in:
            return _changed(_row(name, self._built_in[name]), fields, row)
        if "base_url" not in row:
            place = join_key(("custom_providers", name))
            raise ConfigError(
                f"{place} has no base_url", hint=f"aix config --set {shlex.quote(place)}.base_url https://…/v1"
            )
        return _custom_row(name, fields, row, self._at(host_of(row["base_url"])))

    def _at(self, host: str) -> Provider | None:
        """The built-in provider to which a host belongs, where its addresses have forms of their own."""
        for name, row in self._built_in.items():
            if any(fnmatchcase(host, pattern) for pattern in row.get("hosts", ())):
                return _row(name, row)
        return None


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
    host = host_of(url)
    if blank := next((name for name in BLANK.findall(url) if name in provider.address), ""):
        raise _unfilled(provider, blank)
    if not host:
        raise ConfigError(f"{where}, {url!r}, must begin with https:// or http:// and name a host", hint=hint)
    if url.startswith("http:") and not is_loopback(host) and not provider.allow_http:
        raise NetworkError(
            f"{where}, {url!r}, is plain http, so its key could be read on the way",
            hint=f"use https, or allow it: aix config --set {row}.allow_http true",
        )
    return url


def _unfilled(provider: Provider, blank: str) -> ConfigError:
    names = provider.address[blank].env
    ways = [f"export {names[0]}=…", *(f"export {name}=https://…" for name in provider.base_url_env[:1])]
    return ConfigError(
        f"the address of {provider.name} needs a {blank}, from {' or '.join(names)}",
        hint="\nor: ".join(ways),
    )


def checked_followed(url: str, provider: Provider) -> str:
    """An address that an answer of the provider names. Raises NetworkError for one that is not asked."""
    own, named = urlsplit(provider.base_url), urlsplit(url) if host_of(url) else urlsplit("")
    safe = named.scheme == "https" or (named.scheme, named.netloc) == (own.scheme, own.netloc)
    if not safe or "@" in named.netloc:
        raise NetworkError(
            f"{provider.name} answers that the rest is at an address that is not safe to ask",
            cause=url[:100],
            hint=f"check its base URL: {provider.base_url}",
        )
    return url


@cache
def _built_in() -> Mapping[str, Mapping[str, Any]]:
    rows: Mapping[str, Mapping[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
    return rows


_MADE: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("key_env", "token_env", "moved_key_env", "base_url_env", "host_env", "hosts"), tuple),
    "address": lambda blanks: {name: Blank(**blank) for name, blank in blanks.items()},
    "forms": lambda forms: tuple(Form(**form) for form in forms),
    "dialect": lambda deviations: Dialect().with_deviations(deviations),
}
"""What is more than JSON can say of itself."""

_OF_HOST = ("auth_type", "address", "forms", "statuses", "dialect")
"""What a provider has from its host, unless it says something else."""

_NATURAL: Mapping[str, Mapping[str, str]] = {
    "anthropic-messages": {
        "auth_type": "x-api-key",
        "models_path": "/v1/models?limit=1000",
        "counter": "anthropic-messages",
    },
    "openai-responses": {"counter": "openai-responses"},
    "gemini": {"auth_type": "x-goog-api-key", "models_path": "/v1beta/models?pageSize=1000", "counter": "gemini"},
    "cohere": {"models_path": "/v1/models?page_size=1000", "counter": "cohere"},
    "ollama": {"models_path": "/api/tags", "pull": "ollama pull {model}"},
}
"""What a custom provider of a protocol has unless it says something else."""


def _row(name: str, row: Mapping[str, Any]) -> Provider:
    return Provider(name=name, **{key: _MADE.get(key, lambda same: same)(value) for key, value in row.items()})


def _checked(name: str, row: Any) -> dict[str, Any]:
    """The fields of a Provider that a row of `custom_providers` sets. Raises ConfigError, which names a wrong one."""
    place = join_key(("custom_providers", name))
    if not isinstance(row, dict):
        raise ConfigError(f"{place} in config.json must be an object", hint=f"aix config --unset {shlex.quote(place)}")
    for key, value in row.items():
        _check_field(place, key, value)
    return {key: value for key, value in row.items() if key in Provider.__dataclass_fields__}


def _changed(provider: Provider, fields: Mapping[str, Any], row: Mapping[str, Any]) -> Provider:
    """A built-in provider with what the user's row of its name says instead."""
    headers = {**provider.headers, **fields.get("headers", {})}
    key_env = (*_named_variable(row), *provider.key_env)
    changed = replace(provider, **{**fields, "headers": headers, "key_env": key_env})
    return replace(changed, dialect=_dialect(provider.dialect, row), custom=True)


def _custom_row(name: str, fields: Mapping[str, Any], row: Mapping[str, Any], kin: Provider | None) -> Provider:
    """A provider of the user's own; `kin` is the built-in one at whose hosts it is."""
    of_host = {field_: getattr(kin, field_) for field_ in _OF_HOST} if kin else {}
    of_protocol = _NATURAL.get(row.get("protocol", ""), {})
    values = {"protocol": "openai-chat", **of_host, **of_protocol, **fields}
    values["dialect"] = _dialect(values.get("dialect", Dialect()), row)
    return Provider(
        name=name,
        **values,
        key_env=tuple(dict.fromkeys((*_named_variable(row), conventional_variable(name)))),
        key_optional="api_key_env" not in row,
        open=True,
        local=is_loopback(host_of(row["base_url"])),
        custom=True,
    )


def _named_variable(row: Mapping[str, Any]) -> list[str]:
    return [row["api_key_env"]] if "api_key_env" in row else []


def _dialect(usual: Dialect, row: Mapping[str, Any]) -> Dialect:
    return replace(usual, max_tokens_field=row.get("max_tokens_field", usual.max_tokens_field))


def _check_field(place: str, field_: str, value: Any) -> None:
    if field_ in PROVIDER_FIELDS:
        check(PROVIDER_FIELDS[field_], value, f"{place}.{field_}")
        return
    near = get_close_matches(field_, PROVIDER_FIELDS, n=1)
    listed = f"the fields are {', '.join(PROVIDER_FIELDS)}"
    raise ConfigError(
        f"{place}.{field_} is not a field of a provider", hint=f"did you mean {near[0]}?" if near else listed
    )


def _placed(provider: Provider, env: Mapping[str, str]) -> Provider:
    """The row with what the environment says: a base URL there is the user's own word, also where it is plain http."""
    given, host = first(provider.base_url_env, env), first(provider.host_env, env)
    values = {name: blank.value(env) for name, blank in provider.address.items()}
    url = given or (host_url(host, provider.base_url) if host else filled(provider.base_url, values))
    for written, meant in provider.respelt.items():
        url = url.replace(written, meant)
    form = form_of(url.rstrip("/"), provider.forms)
    headers = {
        header: convert(HEADER, env[name], name)
        for header, name in provider.header_env.items()
        if env.get(name, "").strip()
    }
    return replace(
        provider,
        base_url=url.rstrip("/") + form.add if form.add else url,
        allow_http=provider.allow_http or bool(given),
        open=provider.open or bool(given or host),
        headers={**provider.headers, **headers},
        paths={**provider.paths, **{path: filled(spelt, values) for path, spelt in form.paths.items()}},
        key_env=(*provider.key_env, *(provider.moved_key_env if given or host.startswith("https:") else ())),
        free=provider.free and in_own_network(url),
        tokens=tuple(Secret(token) for name in provider.token_env if (token := env.get(name, "").strip())),
    )
