"""A folder of prompts to write into, render from, and complain about."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aix.errors import TemplateError
from aix.library.layer import Layer
from aix.library.templates.template import Template

SURROUNDINGS: Mapping[str, Any] = {
    "now": datetime.datetime(2026, 11, 21, 3, 4, 5, tzinfo=datetime.UTC),
    "today": datetime.date(2026, 11, 21),
    "cwd": "/here",
    "os": "linux",
    "user": "ada",
    "git": {"root": "/here", "branch": "main"},
}

Said = list[tuple[str, str]]


@dataclass
class Desk:
    """`files` are written beside the prompt `main`, each under its name without `.md`."""

    root: Path
    files: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.root / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def template(self, text: str, files: Mapping[str, str] | None = None, name: str = "main") -> Template:
        for other, body in (files or {}).items():
            self.write(other, body)
        self.write(name, text)
        layer = Layer("user", self.root)
        return Template(layer.prompt(name), layer.read)

    def render(self, text: str, files: Mapping[str, str] | None = None, **values: Any) -> Said:
        messages = self.template(text, files).render(values, SURROUNDINGS)
        return [(message.role, message.text) for message in messages]

    def text(self, text: str, files: Mapping[str, str] | None = None, **values: Any) -> str:
        """The text of the one message that is rendered."""
        [(_, said)] = self.render(text, files, **values) or [("user", "")]
        return said

    def fault(self, text: str, files: Mapping[str, str] | None = None, **values: Any) -> str:
        """What the TemplateError says, with the root of the folder left out."""
        with pytest.raises(TemplateError) as caught:
            self.render(text, files, **values)
        assert caught.value.exit_code == 6
        return caught.value.message.replace(f"{self.root}/", "")
