"""What the environment says of the network: which proxy to go through, and whose certificates to trust."""

import errno
import re
import ssl
import stat
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from aix.errors import NetworkError
from aix.llm.providers import is_loopback

MAX_CERTIFICATES = 64 * 1024 * 1024
HOST = re.compile(r"[a-zA-Z0-9._-]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


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


def masked(proxy: str) -> str:
    """A proxy's address as it can be shown: kind, host and port. Empty for what is no address: any part of that may be
    the password."""
    text = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    misplaced = "@" in parts.path + parts.query + parts.fragment or parts.netloc.endswith(":")
    if port == 0 or misplaced or not HOST.fullmatch(host) or not text.isprintable() or " " in text:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{'***@' if '@' in parts.netloc else ''}{shown}{f':{port}' if port else ''}"


def certificates(env: Mapping[str, str]) -> ssl.SSLContext:
    """The authorities that the environment names, else the system's, else the ones that certifi brings.

    Raises NetworkError when those that are named cannot be read."""
    file, folder = env.get("SSL_CERT_FILE") or None, env.get("SSL_CERT_DIR") or None
    if file or folder:
        try:
            refuse_special(file)
            return ssl.create_default_context(cafile=file, capath=folder)
        except OSError as error:
            raise NetworkError(
                f"cannot read the certificates in {file or folder}: {error.strerror or error}",
                hint="check SSL_CERT_FILE, SSL_CERT_DIR",
                reason="certificates",
            ) from None
    usual = ssl.get_default_verify_paths()
    there = usual.cafile or _holds_something(usual.capath)
    return ssl.create_default_context(cafile=None if there else certifi.where())


def refuse_special(file: str | None) -> None:
    """Raise OSError for what is no file of a bearable size: a FIFO that nobody writes to would be read for ever."""
    if not file:
        return
    status = Path(file).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if status.st_size > MAX_CERTIFICATES:
        raise OSError(errno.EFBIG, "too large to hold certificates")


def _holds_something(folder: str | None) -> bool:
    try:
        return folder is not None and any(Path(folder).iterdir())
    except OSError:
        return False
