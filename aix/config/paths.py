"""Where things live. Nothing here creates anything: whoever writes a file makes its directory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aix.errors import ConfigError

try:
    import pwd
except ImportError:  # not a POSIX system, where a home directory is in HOME or nowhere
    pwd = None  # type: ignore[assignment]

LIBRARY_VARIABLES = ("AIX_HOME", "AIX_STORAGE_PATH")


@dataclass(frozen=True, slots=True)
class Paths:
    """`library` is the user's prompts (with config.json); `cwd` is where the command runs; `data` holds the run log,
    `state` what aix remembers between runs and can do without."""

    library: Path
    cwd: Path
    home: Path
    state: Path
    data: Path

    @property
    def config(self) -> Path:
        return self.library / "config.json"

    @property
    def lock(self) -> Path:
        """Which collections there are; shared with the library, as a file of it."""
        return self.library / "collections.lock"

    @property
    def collections(self) -> Path:
        return self.data / "collections"


def find_paths(env: Mapping[str, str], cwd: Path) -> Paths:
    """The paths that `env` asks for; variables that are empty or relative where they must not be are passed over.

    Raises ConfigError when there is no home directory and nothing says where the library is."""
    chosen = next((env[name] for name in LIBRARY_VARIABLES if env.get(name)), None)
    home = _home(env) or (cwd if chosen else None)
    if home is None:
        raise ConfigError("there is no home directory to look for prompts in", hint="set HOME, or AIX_HOME")
    return Paths(
        library=in_home(chosen, home, cwd) if chosen else home / ".prompts",
        cwd=cwd,
        home=home,
        state=_xdg(env, "XDG_STATE_HOME", home / ".local" / "state") / "aix",
        data=_xdg(env, "XDG_DATA_HOME", home / ".local" / "share") / "aix",
    )


def find_cache(env: Mapping[str, str], home: Path) -> Path:
    """Where what can be fetched again is kept."""
    return _xdg(env, "XDG_CACHE_HOME", home / ".cache") / "aix"


def in_home(text: str, home: Path, cwd: Path) -> Path:
    """A path as a person writes it: `~` is home, and a relative one starts where the command runs."""
    path = home / text[2:] if text.startswith("~/") else home if text == "~" else Path(text)
    return cwd / path


def git_root(start: Path) -> Path | None:
    """The nearest directory at or above `start` that holds `.git`."""
    return next((place for place in (start, *start.parents) if (place / ".git").exists()), None)


def _home(env: Mapping[str, str]) -> Path | None:
    if env.get("HOME"):
        return Path(env["HOME"])
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # `~` would be the root directory where HOME is empty
    except (AttributeError, KeyError):  # a container may run as a user that its system does not know
        return None
    return home if home.is_absolute() and home != Path("/") else None


def _xdg(env: Mapping[str, str], variable: str, default: Path) -> Path:
    path = Path(env.get(variable, ""))
    return path if path.is_absolute() else default  # the XDG specification has relative ones ignored
