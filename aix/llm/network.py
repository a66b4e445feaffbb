"""What the environment says of the network: which proxy to go through, and whose certificates to trust."""

import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from aix.errors import NetworkError
from aix.llm.providers import is_loopback


def proxy_for(url: str, env: Mapping[str, str]) -> str | None:
    """The proxy that the environment wants for a URL; none for this machine itself. Lower-case names win, also by being
    empty."""
    parts = urlsplit(url)
    lower = {name.lower(): value.strip() for name, value in sorted(env.items()) if name.lower().endswith("_proxy")}
    no_proxy = {"no": lower.get("no_proxy", "")}
    if is_loopback(parts.hostname or "") or urllib.request.proxy_bypass_environment(parts.netloc, no_proxy):  # type: ignore[attr-defined]
        return None
    proxy = lower.get(f"{parts.scheme}_proxy", lower.get("all_proxy", ""))
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def certificates(env: Mapping[str, str]) -> ssl.SSLContext:
    """The authorities that the environment names, else the system's, else the ones that certifi brings.

    Raises NetworkError when those that are named cannot be read."""
    file, folder = env.get("SSL_CERT_FILE") or None, env.get("SSL_CERT_DIR") or None
    if file or folder:
        try:
            return ssl.create_default_context(cafile=file, capath=folder)
        except OSError as error:
            raise NetworkError(
                f"cannot read the certificates in {file or folder}: {error}",
                hint="check SSL_CERT_FILE, SSL_CERT_DIR",
            ) from None
    usual = ssl.get_default_verify_paths()
    there = usual.cafile or _holds_something(usual.capath)
    return ssl.create_default_context(cafile=None if there else certifi.where())


def _holds_something(folder: str | None) -> bool:
    try:
        return folder is not None and any(Path(folder).iterdir())
    except OSError:
        return False
