"""Where a collection comes from: a URL of git, a repository on this machine, or a plain folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aix.config.git_keys import refuse_executable
from aix.config.paths import in_home
from aix.config.secrets import KEY_SHAPE
from aix.errors import NotFoundError, RefusedError, UsageError

SCHEMES = ("https", "ssh", "file")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FORMS = "https://HOST/PATH, git@HOST:PATH, ssh://HOST/PATH, file:///PATH, or a folder"

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)(://|::)", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[\w.:-]+")
_SHORT = re.compile(r"(?:(?P<user>[A-Za-z0-9._-]+)@)?(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^:].*)")
"""How ssh and scp write it; what has a slash before the colon is a path."""

LONGEST_USER = 20
"""A name in a URL that is longer may be a token."""


@dataclass(frozen=True, slots=True)
class Source:
    """`text` is what the lock keeps; `folder` where it is on this machine: the git directory, or, where it is no
    repository, the files themselves."""

    text: str
    folder: Path | None = None
    git: bool = True

    @property
    def name(self) -> str:
        """What a collection from it is called unless somebody says otherwise."""
        last = re.split(r"[/:]", self.text.rstrip("/").removesuffix("/.git"))[-1]
        return unquote(last).removesuffix(".git").lstrip(".")


def find_source(text: str, home: Path, cwd: Path) -> Source:
    """What a person, or a lock, names. Raises UsageError, NotFoundError, or RefusedError for a repository whose own
    settings could start something."""
    if text.startswith("-") or not text.strip() or not text.isprintable():
        raise UsageError(f"'{text}' is no source of a collection", hint=FORMS)
    if scheme := _SCHEME.match(text):
        return _at_url(text, scheme[1].lower(), scheme[2])
    short = _SHORT.fullmatch(text)
    if short and "/" not in text[: short.start("path")] and not in_home(text, home, cwd).exists():
        return _over_ssh(text, short)
    return _on_disk(in_home(text, home, cwd))


def _at_url(text: str, scheme: str, mark: str) -> Source:
    text = scheme + text[len(scheme) :]
    parts = _parts(text)
    allowed = scheme in SCHEMES or (scheme == "http" and parts[1] in LOOPBACK)
    if mark != "://" or not allowed:
        shown = f"{scheme}{mark}…"
        hint = "https, which nobody on the way can change" if scheme in ("http", "git") else FORMS
        raise UsageError(f"collections do not come from {shown}", hint=hint)
    if scheme == "file" and parts[1] not in ("", "localhost"):
        raise UsageError(f"'{text}' names another machine", hint="file:///PATH")
    if scheme == "file":
        return _on_disk(Path(unquote(urlsplit(text).path)), text)
    user, host = parts
    _refuse_secret(user, text)
    if not _HOST.fullmatch(host) or user.startswith("-"):
        raise UsageError(f"'{text}' names no host", hint=FORMS)
    return Source(text)


def _parts(text: str) -> tuple[str, str]:
    """The user and the host of a URL. Raises UsageError; the URL is not shown, as there may be a password in it."""
    try:
        parts = urlsplit(text)
        _ = parts.port
        user = parts.netloc.rpartition("@")[0]
        return unquote(user), unquote(parts.hostname or "")
    except ValueError:
        raise UsageError("that is no URL", hint=FORMS) from None


def _refuse_secret(user: str, text: str) -> None:
    """Raise UsageError for a URL with a password: the lock is for others to read."""
    if ":" in user or len(user) > LONGEST_USER or "?" in text or "#" in text or KEY_SHAPE.search(text):
        raise UsageError(
            "there is a password or a token in that URL, and collections.lock is for others to read",
            hint="leave it out, and let git ask a credential helper: git config --global credential.helper cache",
        )


def _over_ssh(text: str, parts: re.Match[str]) -> Source:
    if any((parts[part] or "").startswith("-") for part in ("user", "host", "path")):
        raise UsageError(f"'{text}' names no host", hint=FORMS)
    _refuse_secret(parts["user"] or "", "?" if "@" in parts["path"] else "")
    return Source(text)


def _on_disk(folder: Path, text: str = "") -> Source:
    if not folder.is_dir():
        what = f"{folder} is a file" if folder.exists() else f"there is no folder {folder}"
        hint = "aix collection import reads an archive" if folder.exists() else FORMS
        raise NotFoundError(what, hint=hint, reason="collection")
    folder = folder.resolve()
    inner = folder / ".git"
    if inner.is_symlink() or inner.is_file():
        raise RefusedError(
            f"{inner} leads to a repository elsewhere", hint="name that repository itself", reason="executable"
        )
    for directory in (inner, folder):
        if (directory / "HEAD").exists() and (directory / "objects").is_dir():
            refuse_executable(directory)
            return Source(text or str(folder), directory)
    if inner.exists():
        raise RefusedError(f"{inner} is no whole repository", hint=f"git -C {folder} status", reason="executable")
    return Source(text or str(folder), folder, git=False)
