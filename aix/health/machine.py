"""The program itself and the terminal around it."""

import os
import platform
import shutil
from collections.abc import Iterator
from importlib import metadata

from aix import __version__
from aix.health.finding import Finding, ok, warning
from aix.health.scene import Scene

PACKAGES = ("typer", "jinja2", "httpx", "pyyaml", "questionary", "rich")
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
PLAIN = ("NO_COLOR", "CI")


def versions(_: Scene) -> Iterator[Finding]:
    machine = os.uname()
    found = {package: _version(package) for package in PACKAGES}
    yield ok(
        f"aix {__version__}, Python {platform.python_version()}, {machine.sysname} {machine.machine}",
        aix=__version__,
        python=platform.python_version(),
        system=machine.sysname,
        machine=machine.machine,
        packages={package: version for package, version in found.items() if version},
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def terminal(scene: Scene) -> Iterator[Finding]:
    """What it can show: aix writes UTF-8, whatever the locale says."""
    locale = next((scene.env[name] for name in LOCALE if scene.env.get(name)), "")
    plain = [f"{name} is set" for name in PLAIN if scene.env.get(name)]
    kind = scene.env.get("TERM", "")
    plain += ["TERM is dumb or not set"] if kind in ("", "dumb") else []
    said = f"TERM={kind or '(none)'}, locale {locale or '(none)'}" + (f"; plain text, as {plain[0]}" if plain else "")
    if locale in ("", "C", "POSIX") or "utf8" in locale.lower().replace("-", ""):
        yield ok(said, term=kind, locale=locale, plain=bool(plain))
    else:
        yield warning(f"{said}: it is not UTF-8, which aix writes", "export LC_ALL=C.UTF-8", locale=locale)


def editor(scene: Scene) -> Iterator[Finding]:
    command = scene.editor(scene.settings.get("editor").value)
    if shutil.which(command[0], path=scene.env.get("PATH")):
        yield ok(" ".join(command), command=command)
    else:
        yield warning(f"the editor {command[0]} is not there", "export EDITOR=nano", command=command)
