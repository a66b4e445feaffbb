"""Where a provider is: what variables put into its address, and the forms in which an address can be given. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
"""What a variable may put into an address: nothing that could lead it elsewhere."""

BLANK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Blank:
    """A part of an address that the first of some variables fills, or `default` where none is set."""

    env: Sequence[str]
    default: str = ""

    def value(self, env: Mapping[str, str]) -> str:
        """What fills it; empty where nothing does that can."""
        text = first(self.env, env) or self.default
        return text if PART.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form in which an address can be given, which the pattern `url` fits: what is still to be added to it, and how
    the paths behind it are spelt there; `{model}` in one stands for the model that is asked."""

    url: str
    add: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)


def first(names: Sequence[str], env: Mapping[str, str]) -> str:
    """What the first variable that is set says; empty when none is."""
    return next((env[name].strip() for name in names if env.get(name, "").strip()), "")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its blanks filled. One for which there is nothing stays as it is."""
    return BLANK.sub(lambda found: values.get(found[1]) or found[0], text)


def form_of(url: str, forms: Sequence[Form]) -> Form:
    """The first form that an address fits; one that changes nothing where it fits none."""
    return next((form for form in forms if re.fullmatch(form.url, url)), Form(""))


def host_of(url: str) -> str:
    """The host that a URL names; empty when it is not one that can be asked."""
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.port != 0 else ""
    except ValueError:
        return ""
    return named or "" if re.fullmatch("https?://[^ ]+", url) and url.isprintable() else ""


def host_url(host: str, default: str) -> str:
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
