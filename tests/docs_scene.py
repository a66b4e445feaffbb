"""Where the stories of the documents take place.

A home of its own, with a git repository in it one change of which is staged; dummy keys; and on 127.0.0.1 a stand-in
for every provider whose address can be set.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import AIX, WARM

ROOT = Path(__file__).parent.parent
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a story takes place: its home, the project in it, and the port of the stand-in."""

    home: Path
    port: int

    @property
    def project(self) -> Path:
        return self.home / "project"

    @property
    def local(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """A shell with dummy keys, in which every provider whose address can be set is the stand-in."""
        return {
            "PATH": f"{self.home / 'bin'}:{WARM.command.parent}:{AIX.parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "PYTHONPATH": os.environ["PYTHONPATH"],
            "OPENAI_API_KEY": "sk-0123456789abcdefghij",
            "OPENAI_BASE_URL": f"{self.local}/v1",
            "ANTHROPIC_BASE_URL": self.local,
            "OLLAMA_HOST": self.local,
        }

    def localised(self, command: str) -> str:
        """The command, with the address of a server on this machine as that of the stand-in."""
        return re.sub(r"http://(localhost|127\.0\.0\.1):\d+", self.local, command)

    def readable(self, text: str) -> str:
        """What was printed, without what differs from one machine or run to another."""
        for pattern, word in {
            r"(?<=[^\n])(?=aix: rendered, not sent)": "\n",  # a terminal would have it on a line of its own
            re.escape(str(self.home)): "/home/ada",
            re.escape(f"{ROOT}/prompts/"): "…/",
            re.escape(self.local): "http://127.0.0.1:11434",
            r"sha256:[0-9a-f]{64}": "sha256:…",
            r"(?<= at | to |am: )[0-9a-f]{12}\b": "1a2b3c4d5e6f",  # the commit of a collection
        }.items():
            text = re.sub(pattern, word, text)
        return text.rstrip("\n")


PROJECT: Mapping[str, str] = {
    "greet.py": 'def greet(name):\n    return f"Hello, {name}!"\n',
    "x.patch": "-a\n+b\n",
    "notes.txt": "monads\n",
    "values.yaml": "name: Ada\n",
}
"""The files that the pages' examples take for granted."""

PASS = "#!/bin/sh\necho sk-0123456789abcdefghij\n"


def prepare(scene: Scene) -> None:
    """A home with a git repository in it, one change of which is staged; and a password manager."""
    scene.project.mkdir()
    for name, text in PROJECT.items():
        (scene.project / name).write_text(text)
    (scene.home / "bin").mkdir()
    for name in ("pass", "pip", "pipx"):
        (scene.home / "bin" / name).write_text(PASS)
        (scene.home / "bin" / name).chmod(0o755)
    (scene.home / ".gitconfig").write_text(
        "[user]\nname = Ada\nemail = ada@example.com\n[init]\ndefaultBranch = main\n[core]\nabbrev = 7\n"
    )
    git(scene, "init", "--quiet")
    git(scene, "add", "greet.py")
    git(scene, "commit", "--quiet", "--message", "Greet by name")
    (scene.project / "greet.py").write_text("def greet(name):\n    return f\"Hello, {name or 'you'}!\"\n")
    git(scene, "add", "greet.py")


def git(scene: Scene, *arguments: str) -> None:
    """Run git in the project."""
    subprocess.run(["git", *arguments], cwd=scene.project, env=scene.environment(), check=True)


@contextmanager
def stand_in() -> Iterator[int]:
    """The port of a stand-in for all providers, while the `with` lasts."""
    with subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "stand_in.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        assert server.stdin
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


@contextmanager
def scene_in(home: Path) -> Iterator[Scene]:
    """A scene, prepared, in a folder that is there and empty."""
    with stand_in() as port:
        scene = Scene(home, port)
        prepare(scene)
        yield scene
