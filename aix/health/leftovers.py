"""What was left in the library by writers that did not come to their end."""

import os
import shlex
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from aix.config import files
from aix.config.paths import find_paths
from aix.health.finding import Finding, ok, warning
from aix.health.scene import Scene
from aix.health.within import within
from aix.library.layer import SUFFIX, is_name
from aix.library.place import BROKEN

SECONDS = 1.0
"""How long the library is searched."""

MOST = 1000
NAMED = 5
"""How many kept edits are named."""


def leftovers(scene: Scene) -> Iterator[Finding]:
    """Edits that are kept until they are prompts, and what writers that were killed left behind; the next writer sweeps
    the top of the library only."""
    root = find_paths(scene.env, scene.cwd).library
    kept, old = _kept(root), _old(root)
    for name in kept[:NAMED]:
        path = root / (name + SUFFIX + BROKEN)
        yield warning(f"{path} keeps an edit that is no prompt yet", f"aix edit {name}", prompt=name)
    if len(kept) > NAMED:
        yield warning(f"and {len(kept) - NAMED} more edits are kept", f"find {_q(root)} -name '*{SUFFIX}{BROKEN}'")
    if old:
        count = f"{len(old)} temporary file{'s' if len(old) > 1 else ''}"
        yield warning(
            f"{count} that nobody writes any more, such as {old[0]}",
            f"find {_q(root)} -name '.aix-*.tmp' -mmin +60 -delete",
            count=len(old),
        )
    if not kept and not old:
        yield ok("nothing is left over")


def _kept(root: Path) -> list[str]:
    """The prompts beside which an edit waits."""
    end = SUFFIX + BROKEN
    walked = (Path(folder, name) for folder, _, files_ in os.walk(root) for name in files_ if name.endswith(end))
    found, _ = within(SECONDS, islice(walked, MOST))  # os.walk passes over what vanishes under it; Path.rglob raises
    names = (path.relative_to(root).as_posix().removesuffix(end) for path in found)
    return sorted(name for name in names if is_name(name))


def _old(root: Path) -> list[Path]:
    before = time.time() - files.STALE_SECONDS
    places = (path for pattern in (files.TEMPORARY, f"*/{files.TEMPORARY}") for path in root.glob(pattern.format("*")))
    found, _ = within(SECONDS, islice(places, MOST))
    return [path for path in found if path.lstat().st_mtime < before]


def _q(path: Path) -> str:
    return shlex.quote(str(path))
