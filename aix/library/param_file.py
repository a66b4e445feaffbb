"""Many values for a prompt's params, from one JSON or YAML file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aix.config import yaml
from aix.errors import UsageError
from aix.library.arguments import read_text


def read(path: str, cwd: Path) -> Mapping[str, Any]:
    """The values by name. Raises UsageError with file:line."""
    text = read_text(path, cwd, "--param-file")
    try:
        value = json.loads(text) if path.endswith(".json") else yaml.load(text).value
    except json.JSONDecodeError as error:
        raise UsageError(f"--param-file {path}:{error.lineno}: {error.msg}") from None
    except yaml.YamlError as error:
        raise UsageError(f"--param-file {path}:{error.line}: {error.message}", hint=error.hint) from None
    except (ValueError, RecursionError):
        raise UsageError(f"--param-file {path} cannot be read as JSON") from None
    if not isinstance(value, dict):
        raise UsageError(f"--param-file {path} must hold `name: value` pairs")
    return value
