"""The starter library as its tests see it: the prompts, and for each some cases with input as people have it.

A case is a folder `cases/PROMPT/CASE/`: `arguments.json` is what follows `aix run PROMPT`, `stdin` what is piped in, if
anything is, and `rendering.md` all that comes out; files that the arguments name lie beside. After a change that is
meant, write the renderings anew, and read the difference before keeping it:

    WRITE_RENDERINGS=1 .venvs/test/bin/python -m pytest tests/prompts
"""

import json
import os
from pathlib import Path

from conftest import TESTS, Aix, Result

from aix.library.layer import Layer

LIBRARY = Layer("builtin", TESTS.parent / "prompts")
PROMPTS = {name: LIBRARY.prompt(name) for name in sorted(LIBRARY.names())}
CASES = [path for path in sorted((TESTS / "prompts" / "cases").glob("*/*")) if path.is_dir()]
WRITE = bool(os.environ.get("WRITE_RENDERINGS"))


def run_case(aix: Aix, case: Path, *more: str) -> Result:
    """The real command, in the folder of the case."""
    arguments = json.loads((case / "arguments.json").read_text())
    stdin = (case / "stdin").read_bytes() if (case / "stdin").exists() else None
    return aix("run", case.parent.name, *arguments, *more, stdin=stdin, cwd=case)
