"""A provider of the user's own as it is to be written: every field is looked at before any is saved."""

import ipaddress
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from aix.config.secrets import KEY_SHAPE
from aix.config.settings import join_key
from aix.config.values import PROTOCOLS, PROVIDER_FIELDS, Kind
from aix.errors import UsageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TAKEN = ("custom", "strong", "fast", "cheap")
"""What means something else in `--model`."""

ENDPOINT = re.compile(r"(?<=[^/])/(chat/completions|completions|responses|messages|api/chat)/?$")
"""What a protocol adds to the address by itself."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OWN_NETWORK = (".local", ".lan", ".internal", ".home.arpa", ".localdomain", ".localhost")


def checked_name(name: str, where: str = "NAME") -> str:
    """A name that a key of config.json and `--model` can carry. Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{where} '{name}' cannot name a provider: letters, digits, '-', '_' and '.' can, and a letter or digit "
            "comes first",
            hint=f"such as {re.sub('[^A-Za-z0-9._-]+', '-', name).strip('-._')[:64] or 'my-box'}",
        )
    if name in TAKEN:
        raise UsageError(f"{where} '{name}' means something else in --model", hint=f"such as my-{name}")
    return name


def checked_url(url: str, where: str = "URL") -> str:
    """An address that can be asked, without what the protocol adds to it. Raises UsageError, which never repeats a
    password."""
    before, scheme, rest = url.strip().partition("://")
    authority, _, path = rest.partition("/")
    if not scheme or before.lower() not in ("http", "https"):
        plain = url.strip() if url.strip() and not set("@?#") & set(url) and not scheme else "box.example/v1"
        kind = "http" if in_own_network(f"http://{plain}") else "https"
        raise UsageError(f"{where} must begin with https:// or http://", hint=f"such as {kind}://{plain}")
    if "@" in authority:
        raise UsageError(
            f"{where} must not hold a user name or a password", hint="aix api-key keeps a key, once there is a provider"
        )
    if "?" in rest or "#" in rest:
        raise UsageError(f"{where} must not hold a query or a fragment", hint=re.split("[?#]", url.strip())[0])
    clean = ENDPOINT.sub("", f"{before.lower()}://{authority}/{path}").rstrip("/")
    if not _has_host(clean) or not PROVIDER_FIELDS["base_url"].accepts(clean):
        raise UsageError(f"{where} names no host that can be asked", hint="such as https://box.example/v1")
    return clean


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def checked(field: str, value: Any, where: str) -> Any:
    """The value of a field in its own type. Raises UsageError."""
    if field == "base_url" and isinstance(value, str):
        return checked_url(value, where)
    if field not in PROVIDER_FIELDS:
        near = get_close_matches(field, PROVIDER_FIELDS, n=1)
        listed = f"the fields are {', '.join(PROVIDER_FIELDS)}"
        raise UsageError(f"{where} is no field of a provider", hint=f"did you mean {near[0]}?" if near else listed)
    kind = PROVIDER_FIELDS[field]
    if not kind.accepts(value):
        raise UsageError(f"{where} must be {kind.says}", hint=_near(field, value))
    if field == "api_key_env":
        _refuse_no_variable(value, where)
    return value


def read(field: str, text: str, where: str) -> Any:
    """The value of a field that is given as text. Raises UsageError."""
    kind = PROVIDER_FIELDS[field]
    try:
        value = kind.read(text)
    except (ValueError, OverflowError, RecursionError):
        raise UsageError(f"{where} must be {kind.says}", hint=_near(field, text)) from None
    return checked(field, value, where)


def headers(lines: list[str], where: str) -> dict[str, str]:
    """Headers as `NAME: VALUE`, a line each. Raises UsageError, which repeats no value."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip(" \t")
        if not colon or not value:
            raise UsageError(f"{where} takes NAME: VALUE, with a colon between", hint=f"{where} 'X-Team: payments'")
        if not PROVIDER_FIELDS["headers"].accepts({name: value}):
            raise UsageError(
                f"{where} {name[:40]!r} cannot stand in an HTTP header: it must be one line of plain ASCII",
                hint=f"{where} 'X-Team: payments'",
            )
        found[name] = value
    return found


def price(kind: Kind, text: str, where: str) -> float:
    """Dollars per million tokens. Raises UsageError."""
    try:
        value: float = kind.read(text.strip().removeprefix("$"))
    except (ValueError, OverflowError):
        raise UsageError(f"{where} must be {kind.says}", hint=f"{where} 0.25") from None
    if not kind.accepts(value):
        raise UsageError(f"{where} must be {kind.says}", hint=f"{where} 0.25")
    return value


def in_own_network(url: str) -> bool:
    """Whether an address can only be one of a house or a company: a private number, or a name of a local kind."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(OWN_NETWORK)


def values(name: str, row: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """What `Settings.save_all` writes so that `row` stands in the place of `old`."""
    place = ("custom_providers", name)
    gone = {join_key((*place, field)): None for field in old if field not in row}
    return {**gone, **{join_key((*place, field)): value for field, value in row.items()}}


def _near(field: str, value: Any) -> str:
    near = get_close_matches(str(value), PROTOCOLS, n=2, cutoff=0.4) if field == "protocol" else []
    return f"did you mean {' or '.join(near)}?" if near else ""


def _refuse_no_variable(value: str, where: str) -> None:
    if KEY_SHAPE.search(value) or not VARIABLE.fullmatch(value):
        raise UsageError(f"{where} must be the name of a variable, not a key", hint="such as MY_API_KEY")
