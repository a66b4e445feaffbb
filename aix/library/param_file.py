"""Many values for a prompt's params, from one JSON or YAML file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aix.config import yaml
from aix.config.yaml import Node
from aix.errors import UsageError
from aix.library.arguments import read_text
from aix.library.prompt import Written


def read(path: str, cwd: Path) -> Mapping[str, Any]:
    """The values by name. Raises UsageError with file:line."""
    text = read_text(path, cwd, "--param-file")
    try:
        value = json.loads(text) if path.endswith(".json") else _values(yaml.load(text))
    except json.JSONDecodeError as error:
        raise UsageError(f"--param-file {path}:{error.lineno}: {error.msg}") from None
    except yaml.YamlError as error:
        raise UsageError(f"--param-file {path}:{error.line}: {error.message}", hint=error.hint) from None
    except (ValueError, RecursionError):
        raise UsageError(f"--param-file {path} cannot be read as JSON") from None
    if not isinstance(value, dict):
        raise UsageError(f"--param-file {path} must hold `name: value` pairs")
    return value


def _values(node: Node) -> Any:
    """What a document holds by its keys, plain values with how they are written."""
    return {name: _value(child) for name, child in node.children.items()} if node.children else node.value


def _value(node: Node) -> Any:
    """A collection that is no list of plain values, and a key without a value, as they are."""
    scalars = node.items or (node,)
    if any(scalar.value is None or isinstance(scalar.value, dict | list) for scalar in scalars):
        return node.value
    return Written(node.value, [item.source for item in node.items] if node.items else node.source)
