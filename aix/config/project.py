"""What a project may set for whoever works in it: roles, and limits that are tighter; nothing else."""

import json
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aix.errors import ConfigError

NAME = "config.json"
MAX = 64 * 1024
ALLOWED = ("roles", "limits")


def is_own(folder: Path, library: Path) -> bool:
    """Whether a project's folder is there, and its own: a cloned link must not make one of what lies around."""
    if not folder.is_dir():
        return False
    real = folder.resolve()
    return real.is_relative_to(folder.parent.resolve()) and real != library.resolve()


def project_settings(folder: Path, warn: Callable[[str], None]) -> Mapping[str, Any]:
    """The settings in a project's folder; empty where there are none. Raises ConfigError."""
    path = folder / NAME
    data = _parsed(path)
    if ignored := [key for key in data if key not in ALLOWED]:
        warn(f"a project may set roles and limits only; ignored in {path}: {', '.join(map(repr, ignored))}")
    found = {key: data[key] for key in ALLOWED if data.get(key) is not None}
    if not isinstance(found.get("roles", {}), dict):
        raise _unfit(path, "must hold an object as its roles")
    return found


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = _read(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {(error.strerror or '').lower()}", hint=f"ls -l {_q(path)}") from error
    if len(text) > MAX:
        raise _unfit(path, f"is larger than {MAX // 1024} KiB")
    try:
        data = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _unfit(path, f"is not valid JSON{where}") from error
    if not isinstance(data, dict):
        raise _unfit(path, "must hold a JSON object")
    return data


def _read(path: Path) -> bytes:
    """What is in the file, and one byte too many where it is too large. A link leads elsewhere, a pipe never ends."""
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise _unfit(path, "is a symbolic link" if stat.S_ISLNK(mode) else "is not a file")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:
        return file.read(MAX + 1)


def _unfit(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{path} {what}", hint=f"it belongs to the project; mend it, or: mv {_q(path)} {_q(path)}.broken"
    )


def _q(path: Path) -> str:
    return shlex.quote(str(path))
