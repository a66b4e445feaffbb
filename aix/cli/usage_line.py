"""What a run took, in a line: who answered, the tokens, the cost, the time."""

from aix.cli.figures import paid
from aix.runs.pace import Pace, pace
from aix.runs.run import Run
from aix.runs.spent import Spent, came, spent


def usage_line(run: Run) -> str:
    """The line; empty where nothing came of which it could tell."""
    if run.target is None or not came(run.response):
        return ""
    took = spent(run)
    counted = took.usage.input_tokens or took.usage.output_tokens
    figures = [_tokens(took), _cost(took)] if counted else []
    return " · ".join([_who(run), *figures, _time(pace(run))])


def _who(run: Run) -> str:
    """Who answered, by the name that the answer gives itself; and who was asked first, where that was another."""
    finish, target = run.response.finish, run.asked
    model = finish.model if finish and finish.model else target.model
    instead = f" instead of {run.chosen.name}" if run.chosen.name != target.name else ""
    return f"{target.provider.name}:{model}{instead}"


def _tokens(took: Spent) -> str:
    usage, about = took.usage, "" if took.exact else "~"
    cached = f" ({usage.cache_read_tokens} cached)" if usage.cache_read_tokens else ""
    reasoned = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
    return f"{about}{usage.input_tokens} tokens in{cached}, {about}{usage.output_tokens} out{reasoned}"


def _cost(took: Spent) -> str:
    return paid(took.cost, exact=took.reported)


def _time(took: Pace) -> str:
    """How long it took; where it came piece by piece, until its first token and from there, and at what rate."""
    if took.writing is None:
        return f"{_seconds(took.seconds)} s"
    rate = f", {took.rate:.0f}/s" if took.rate else ""
    return f"{_seconds(took.seconds - took.writing)}+{_seconds(took.writing)} s{rate}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 99.95 else f"{seconds:.0f}"
