"""A run as one JSON object: the same shape whether it went well or not."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aix.cli.figures import amount
from aix.errors import AixError
from aix.messages import File, Image, Message, Text
from aix.runs.response import Response, response_of

if TYPE_CHECKING:
    from aix.runs.run import Run


def succeeded(run: "Run", more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"version": 1, "ok": True, **_run(run), **(more or {}), "error": None}


def failed(error: AixError, run: "Run | None") -> dict[str, Any]:
    """The object for a failure; what had been delivered before it is in it too."""
    said = {
        "code": error.exit_code,
        "name": error.name,
        "reason": error.reason or None,
        "message": error.message,
        "cause": error.cause or None,
        "hint": error.hint or None,
        "request_id": error.request_id or None,
    }
    return {"version": 1, "ok": False, **(_run(run) if run else {}), "error": said}


def messages(said: tuple[Message, ...]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": "".join(_shown(part) for part in message.parts)} for message in said]


def as_text(said: tuple[Message, ...]) -> str:
    """One message as it is; several under a heading each."""
    shown = messages(said)
    if len(shown) == 1:
        return shown[0]["content"]
    return "\n\n".join(f"## {message['role']}\n\n{message['content']}" for message in shown) + ("\n" if shown else "")


def _run(run: "Run") -> dict[str, Any]:
    response = response_of(run)
    shape: dict[str, Any] = {
        "executed": run.executed,
        "run": response.run,
        "prompt": {"name": response.prompt, "digest": response.digest},
        "provider": response.provider or None,
        "model": response.model or None,
    }
    if not run.executed:
        return {**shape, "messages": messages(run.messages)}
    return {
        **shape,
        "text": response.text,
        "reasoning": response.reasoning or None,
        "tool_calls": [asdict(call) for call in response.tool_calls],
        "data": response.data,
        "finish": response.finish.reason if response.finish else None,
        **_figures(response),
        "attempts": [{**asdict(attempt), "error": attempt.error or None} for attempt in response.attempts],
    }


def _figures(response: Response) -> dict[str, Any]:
    """What it took."""
    usage = response.usage
    return {
        "usage": {**asdict(usage), "reported_cost": amount(usage.reported_cost)} if usage is not None else None,
        "usage_estimated": response.usage_estimated,
        "cost": amount(response.cost),
        "cost_estimated": response.cost_estimated,
        "unpriced": response.unpriced,
        "seconds": response.seconds,
        "tokens_per_second": response.tokens_per_second,
    }


def _shown(part: object) -> str:
    match part:
        case Text(text):
            return text
        case Image(data, media_type, name) | File(data, media_type, name):
            return f"[{f'{name}: ' if name else ''}{media_type}, {len(data)} bytes]"
    return f"[{type(part).__name__}]"
