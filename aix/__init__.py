"""aix: keep prompts as files, and run them with any model provider.

From Python: `aix.render`, `aix.run` and `aix.stream` take a prompt and its values, and `aix.Library` has the prompts of
one place. What goes wrong is an `aix.AixError`. All of it stands in aix.api, which is loaded when it is asked for.
"""

# ruff: noqa: F403, F405

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aix.api import *  # what a type checker sees

__all__ = [
    "AixError",
    "AixWarning",
    "Asking",
    "Attempt",
    "AuthError",
    "ConfigError",
    "Content",
    "DeadlineError",
    "Event",
    "File",
    "Finish",
    "Image",
    "IncompleteError",
    "Library",
    "Listed",
    "Message",
    "Named",
    "NetworkError",
    "NotFoundError",
    "Output",
    "Param",
    "Part",
    "Place",
    "Prompt",
    "ProviderError",
    "RateLimitError",
    "ReasoningDelta",
    "RefusedError",
    "RenderOptions",
    "Response",
    "RunOptions",
    "SendOptions",
    "StorageError",
    "Stream",
    "TemplateError",
    "Text",
    "TextDelta",
    "ToolCall",
    "ToolCallDelta",
    "Usage",
    "UsageError",
    "Value",
    "render",
    "run",
    "stream",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'aix' has no attribute '{name}'")
    from aix import api

    found = globals()[name] = getattr(api, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
