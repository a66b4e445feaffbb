"""aix for Python programs: what `aix.render`, `aix.run`, `aix.stream` and `aix.Library` are.

The rooms behind it are those behind the command, so a prompt means the same here and there. Nothing is printed, nobody
is asked, and standard input is never read. What a person should know is given to `warn`, by default as an AixWarning.
What goes wrong is an AixError. Every call reads files, settings and environment anew and keeps nothing, so calls may
come from any number of threads, and from inside an event loop, which waits meanwhile.
"""

from collections.abc import Mapping
from typing import Any, Unpack

from aix.api.library import Library
from aix.api.options import (
    AixWarning,
    Asking,
    Content,
    Listed,
    Named,
    Place,
    Prompt,
    RenderOptions,
    RunOptions,
    SendOptions,
)
from aix.api.streaming import Stream
from aix.errors import (
    AixError,
    AuthError,
    ConfigError,
    DeadlineError,
    IncompleteError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RefusedError,
    StorageError,
    TemplateError,
    UsageError,
)
from aix.library.prompt import Output, Param
from aix.library.values import Value
from aix.llm.exchange import Attempt
from aix.messages import (
    Event,
    File,
    Finish,
    Image,
    Message,
    Part,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from aix.runs.response import Response

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


def render(
    name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[RenderOptions]
) -> tuple[Message, ...]:
    """The messages of a prompt, as a model would be given them; nothing is sent.

    `name` is a prompt (`review`, `team:review@v2`), a file (`./draft.md`, or any Path), or a prompt itself, as an
    aix.Text. `values` are those of its params. The options are
    - what goes in besides: `system`, `attach` (paths, or Image, File, Text), `commands=False`, `trust="sha256:…"`
    - where it is found: `library`, `project=False`, `env`, `cwd`; and `warn`, a function that is told of warnings.

    Raises NotFoundError, UsageError for a value, TemplateError, ConfigError, and RefusedError (its reason `untrusted`)
    where it would run a command and is not trusted.
    """
    return _library(options).render(name, values, **_others(options))


def run(name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[RunOptions]) -> Response:
    """Send a prompt, and wait for the whole answer.

    `name`, `values` and all options of `render`; and
    - whom to ask: `provider`, `model`, `pack`, `fallback` (one or several), `no_fallback=True`
    - how: `max_tokens`, `temperature`, `top_p`, `stop` (one or several), `seed`, `effort` ("low", "high", …)
    - at what cost: `timeout` (seconds, for all of it), `max_cost` (dollars); `log=False`
    - what the answer must be: `schema` (a dict, its JSON, or a path), `extract` ("code", "json").

    Raises what `render` does, AuthError, NetworkError, RateLimitError, ProviderError, DeadlineError, RefusedError for a
    limit, and IncompleteError for an answer that is not whole or does not fit the schema. `error.response` is a
    Response with what had come by then, None where nothing was sent.
    """
    return _library(options).run(name, values, **_others(options))


def stream(name: Named, values: Mapping[str, Value] | None = None, **options: Unpack[RunOptions]) -> Stream:
    """Send a prompt, and give the events of the answer as they come: TextDelta and others, then one Finish.

    It takes what `run` does. What is wrong with the prompt or its values is raised here, what is wrong with the answer
    by the stream. With `schema` and `extract` only reasoning comes at once: the text comes in one piece, when it is
    known to fit.
    """
    return _library(options).stream(name, values, **_others(options))


def _library(options: Mapping[str, Any]) -> Library:
    place = {name: options[name] for name in Place.__optional_keys__ - {"library"} if name in options}
    return Library(options.get("library"), **place)


def _others(options: Mapping[str, Any]) -> Any:
    """The options that are not those of a place."""
    return {name: value for name, value in options.items() if name not in Place.__optional_keys__}
