"""A run as one JSON object: the same shape whether it went well or not."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aix.cli.figures import amount
from aix.errors import AixError
from aix.messages import File, Image, Message, Text, Usage
from aix.runs.pace import pace
from aix.runs.spent import spent

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


def _run(run: "Run") -> dict[str, Any]:
    response, target = run.response, run.target
    finish = response.finish
    answered = finish.model if finish and finish.model else target.model if target else None
    shape: dict[str, Any] = {
        "executed": run.executed,
        "run": run.number,
        "prompt": {"name": run.prompt, "digest": run.digest},
        "provider": target.provider.name if target else None,
        "model": answered,
    }
    if not run.executed:
        return {**shape, "messages": messages(run.messages)}
    return {
        **shape,
        "text": run.text,
        "reasoning": response.reasoning or None,
        "tool_calls": [asdict(call) for call in response.tool_calls],
        "data": run.data,
        "finish": finish.reason if finish else None,
        **_figures(run),
        "attempts": [{**asdict(attempt), "error": attempt.error or None} for attempt in run.attempts],
    }


def _figures(run: "Run") -> dict[str, Any]:
    """What it took; of a run of which nothing came and nothing can have been charged, nothing is known."""
    took, told, speed = spent(run), run.usage, pace(run)
    known = told is not None or took.usage != Usage()
    cost, reported = took.cost if known else None, amount(told.reported_cost if told else None)
    return {
        "usage": {**asdict(took.usage), "reported_cost": reported} if known else None,
        "usage_estimated": known and not took.exact,
        "cost": amount(cost),
        "cost_estimated": bool(cost) and not took.reported,
        "unpriced": cost is None and run.price is None,
        "seconds": speed.seconds,
        "tokens_per_second": speed.rate,
    }


def _shown(part: object) -> str:
    match part:
        case Text(text):
            return text
        case Image(data, media_type, name) | File(data, media_type, name):
            return f"[{f'{name}: ' if name else ''}{media_type}, {len(data)} bytes]"
    return f"[{type(part).__name__}]"
