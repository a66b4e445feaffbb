"""A project's own config.json: whether it can be used, and whether it says only what a project may."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aix.config.limits import read
from aix.config.project import NAME, project_settings
from aix.errors import ConfigError
from aix.health.finding import Finding, fault, ok, skipped, warning
from aix.health.scene import Scene
from aix.library.place import PROJECT
from aix.llm import roles


def project(scene: Scene) -> Iterator[Finding]:
    """Roles and limits that whoever works in the project gets."""
    folder = next((layer.root for layer in scene.library().layers if layer.name == PROJECT), None)
    if folder is None or not os.path.lexists(folder / NAME):
        yield skipped("no project sets anything here")
        return
    ignored: list[str] = []
    path, said = folder / NAME, project_settings(folder, ignored.append)
    found = [warning(text, f"take them out of {path}") for text in ignored]
    found += [finding for look in _parts(path, said) for finding in _fault_of(look)]
    yield from found
    if not found:
        yield ok(f"{path} sets {' and '.join(said) or 'nothing'}", path=str(path))


def _parts(path: Path, said: Mapping[str, Any]) -> Iterator[Callable[[], object]]:
    """What reads each part, and raises for what is wrong with it."""
    for name, value in said.get("roles", {}).items():
        yield partial(roles.role, (roles.PROJECT, "roles", name), value)
    yield partial(read, said.get("limits"), str(path))


def _fault_of(look: Callable[[], object]) -> Iterator[Finding]:
    try:
        look()
    except ConfigError as error:
        yield fault(error)
