"""The library's folder, config.json and what git knows of it."""

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from aix.config import files
from aix.config.git import Git
from aix.config.gitignore import git_around, tracks
from aix.config.paths import LIBRARY_VARIABLES, find_paths
from aix.config.settings import Settings, join_key, kind_of, leaves, split_key, variable_of
from aix.config.values import KEYS, check
from aix.errors import AixError, ConfigError, StorageError, UsageError
from aix.health.finding import MOVE, Finding, fault, ok, skipped, unreadable, warning
from aix.health.scene import Scene
from aix.llm.network import masked

SECTIONS = ("api_keys", "custom_providers", "roles", "packs")
OTHER_VARIABLES = (*LIBRARY_VARIABLES, "AIX_DEBUG")
MOST = 10
"""How many unknown keys are named."""


def library(scene: Scene) -> Iterator[Finding]:
    """The folder is there, and is the user's alone."""
    root = find_paths(scene.env, scene.cwd).library
    try:
        status = root.stat()
    except FileNotFoundError:
        yield _missing(root)
        return
    except OSError as error:
        raise unreadable(error) from error
    if not stat.S_ISDIR(status.st_mode):
        raise StorageError(f"{root} is not a directory", hint=MOVE)
    if not os.access(root, os.R_OK | os.X_OK):
        raise StorageError(f"{root} cannot be read", hint=f"chmod u+rx {_q(root)}")
    if root.resolve() == Path(root.anchor):
        yield warning(f"{root} is the whole disk, and no place for prompts", MOVE)
        return
    yield from _kept(root, status)


def _missing(root: Path) -> Finding:
    if root.is_symlink():
        return fault(StorageError(f"{root} is a link to what is not there", hint=f"ls -l {_q(root)}"))
    return ok(f"{root} is not made yet; the first prompt that is saved makes it", path=str(root))


def _kept(root: Path, status: os.stat_result) -> Iterator[Finding]:
    mode, user = stat.S_IMODE(status.st_mode), files.user_id()
    link = f", a link to {root.resolve()}" if root.is_symlink() else ""
    if user is not None and status.st_uid != user:
        yield warning(f"{root} belongs to another user", f"sudo chown -R {user} {_q(root)}")
    elif mode & 0o077:
        yield warning(f"{root} is open to others (mode {mode:04o})", f"chmod 700 {_q(root)}", mode=f"{mode:04o}")
    elif not os.access(root, os.W_OK):
        yield warning(f"{root} cannot be written", f"chmod u+w {_q(root)}")
    else:
        yield ok(f"{root}{link}", path=str(root), mode=f"{mode:04o}")


def config(scene: Scene) -> Iterator[Finding]:
    """config.json can be used, and says nothing that aix does not know."""
    paths = find_paths(scene.env, scene.cwd)
    settings = Settings(paths, scene.env)
    count = len(list(leaves(settings.data)))
    found = [*_sections(settings), *_rows(settings, scene), *_values(settings), *_open_to_others(paths.config)]
    yield from found
    if not found:
        yield ok(f"{paths.config}, {count} set" if count else "nothing is set in config.json", path=str(paths.config))


def _sections(settings: Settings) -> Iterator[Finding]:
    for section in SECTIONS:
        if not isinstance(settings.data.get(section, {}), dict):
            yield from _fault_of(partial(settings.section, section), section)


def _rows(settings: Settings, scene: Scene) -> Iterator[Finding]:
    rows = settings.data.get("custom_providers", {})
    for name in rows if isinstance(rows, dict) else ():
        key = join_key(("custom_providers", name))
        yield from _fault_of(partial(scene.providers.get, f"custom:{name}"), key)


def _values(settings: Settings) -> Iterator[Finding]:
    """What is of the wrong type or unknown; the values themselves are never shown."""
    plain = [(key, value) for key, value in leaves(settings.data) if split_key(key)[0] != "custom_providers"]
    found = [finding for key, value in plain if key not in SECTIONS for finding in _value(key, value)]
    yield from found[:MOST]
    if len(found) > MOST:
        yield warning(f"and {len(found) - MOST} more in config.json", "aix config --list")


def _value(key: str, value: Any) -> Iterator[Finding]:
    try:
        kind = kind_of(key)
    except UsageError as error:
        near = error.hint if error.hint.startswith("did you mean") else ""
        yield warning(
            f"{key} in config.json is not a setting", near or f"aix config --unset {shlex.quote(key)}", key=key
        )
        return
    yield from _fault_of(partial(check, kind, value, key), key)


def _fault_of(look: Callable[[], object], key: str) -> Iterator[Finding]:
    try:
        look()
    except ConfigError as error:
        yield fault(error, key=key)


def _open_to_others(path: Path) -> Iterator[Finding]:
    if files.user_id() is not None and path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        yield warning(f"{path} is open to others (mode {mode:04o})", f"chmod 600 {_q(path)}", mode=f"{mode:04o}")


def settings(scene: Scene) -> Iterator[Finding]:
    """Variables: the ones that hide what config.json says, the wrong ones, the misspelt ones, and whom they move."""
    found = [*_hiding(scene), *_wrong(scene), *_misspelt(scene.env)]
    yield from found
    set_ = [variable_of(key) for key in KEYS if scene.env.get(variable_of(key))]
    if not found:
        yield ok(f"set by variables: {', '.join(set_)}" if set_ else "no AIX_ variable is set", variables=set_)
    if moved := list(_moved(scene)):
        names = list(dict.fromkeys(name for name, _ in moved))
        said = (f"{name} moves {' and '.join(whom for other, whom in moved if other == name)}" for name in names)
        yield ok(", ".join(said), variables=names)


def _moved(scene: Scene) -> Iterator[tuple[str, str]]:
    """Each variable that says where a provider is."""
    for provider in scene.providers.sound():
        if name := provider.moved_by(scene.env):
            yield name, f"{provider.name} to {masked(provider.base_url) or 'what is no address'}"


def _hiding(scene: Scene) -> Iterator[Finding]:
    for key in KEYS:
        if scene.settings.variable_over(key) and scene.settings.data.get(key) is not None:
            yield warning(f"{variable_of(key)} hides {key} of config.json", f"unset {variable_of(key)}", key=key)
    first, second = (scene.env.get(name) for name in LIBRARY_VARIABLES)
    if first and second and first != second:
        yield warning(f"{LIBRARY_VARIABLES[0]} hides {LIBRARY_VARIABLES[1]}", f"unset {LIBRARY_VARIABLES[1]}")


def _wrong(scene: Scene) -> Iterator[Finding]:
    for key in KEYS:
        if scene.settings.variable_over(key):
            try:
                scene.settings.get(key)
            except UsageError as error:
                yield replace(fault(error, key=key), hint=f"unset {variable_of(key)}")


def _misspelt(env: Mapping[str, str]) -> Iterator[Finding]:
    known = [*(variable_of(key) for key in KEYS), *OTHER_VARIABLES]
    for name in sorted(env):
        near = get_close_matches(name, known, n=1, cutoff=0.8)
        if name.startswith("AIX_") and name not in known and near:
            yield warning(f"{name} is not read", f"did you mean {near[0]}?", variable=name)


def git_hygiene(scene: Scene) -> Iterator[Finding]:
    """Where the library is a git repository, config.json is not in it and never was."""
    config = find_paths(scene.env, scene.cwd).config
    if not os.access(config.parent, os.X_OK) or (git := git_around(config.parent, scene.env)) is None:
        yield skipped("the library is not in git")
        return
    try:
        tracked = tracks(git, config.name)
        found = [*_tracked(config, tracked), *_committed(config, git), *_unignored(config, git)]
        yield from found or [ok("git keeps config.json out")]
    except AixError as error:
        said = f"{error.message}: {error.cause}" if error.cause else error.message
        hint = f"git -C {_q(config.parent)} status"
        yield warning(f"the library is in git, which cannot look at it: {said[:200]}", hint)


def _tracked(config: Path, tracked: bool) -> Iterator[Finding]:
    if tracked:
        yield fault(ConfigError(f"git tracks {config}", hint=f"git -C {_q(config.parent)} rm --cached {config.name}"))


def _committed(config: Path, git: Git) -> Iterator[Finding]:
    found = git.run("log", "--all", "-1", "--format=%h", "--", config.name).decode().strip()
    if found:
        yield warning(
            f"config.json was committed (last in {found}): whoever has the repository has the keys that were in it",
            "make new keys at the providers, then: aix api-key PROVIDER",
            commit=found,
        )


def _unignored(config: Path, git: Git) -> Iterator[Finding]:
    """The patterns of .gitignore that are missing: each is tried on a name that it should catch."""
    names = {pattern: pattern.replace("*", "0") for pattern in files.IGNORED_BY_GIT}
    ignored = ("check-ignore", "--no-index", "--quiet", "--")
    missing = [pattern for pattern, name in names.items() if not git.succeeds(*ignored, name)]
    if missing and config.exists():
        lines = " ".join(map(shlex.quote, missing))
        yield warning(
            f"git does not ignore {', '.join(missing)}",
            rf"printf '%s\n' {lines} >> {_q(config.parent / '.gitignore')}",
            missing=missing,
        )


def _q(path: Path) -> str:
    return shlex.quote(str(path))
