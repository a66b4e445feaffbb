"""The values of a prompt on their way into its messages, and what goes into those besides."""

from collections.abc import Mapping, Sequence
from typing import Any

from aix.library.prompt import Param, Prompt
from aix.messages import Message, Part, with_system
from aix.runs.attachments import with_attachments
from aix.runs.run import Run


def fill(run: Run, prompt: Prompt, params: Sequence[Param], found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Note in a run what it is given; all that the template sees, which is something for each declared param."""
    run.arguments = found
    run.private = any(param.secret for param in params)
    empty = {} if prompt.params is None else {param.name: param.empty for param in params}
    return {**empty, **found}


def complete(messages: Sequence[Message], system: str | None, parts: Sequence[Part]) -> tuple[Message, ...]:
    """The rendered messages, with another system message where one is given, and with what is attached."""
    return with_attachments(messages if system is None else with_system(messages, system), parts)
