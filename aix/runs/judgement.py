"""Whether an answer is whole, and what to do when it is not."""

from collections.abc import Callable, Mapping

from aix.errors import AGAIN, AixError, IncompleteError, ProviderError
from aix.messages import Finish, Response


def judge(response: Response, name: str) -> None:
    """Raise what is wrong with the answer of the provider `name` that came without an error; return when it is
    whole."""
    finish = response.finish
    if finish is None:
        if response.text:
            raise IncompleteError(f"the answer broke off: {name} ended it without its end mark", hint=AGAIN)
        raise ProviderError(f"{name} ended the connection without an answer", hint=AGAIN)
    if reason := _REASONS.get(finish.reason):
        raise reason(response, finish, name)
    if not response.text.strip() and not response.tool_calls:
        raise ProviderError(f"{name} gave an empty answer", hint=f"{AGAIN}, or name another model: --model")


def _cut(response: Response, finish: Finish, _: str) -> AixError:
    spent = finish.usage.output_tokens if finish.usage else 0
    thought = finish.usage.reasoning_tokens if finish.usage else 0
    more = f"--max-tokens {max(4000, 2 * spent)}"
    if thought and not response.text:
        hint = f"{thought} of {spent} tokens went to reasoning; try {more}"
        return IncompleteError("the answer was cut at the length limit", hint=hint)
    count = f" after {spent} tokens" if spent else ""
    return IncompleteError(f"the answer was cut at the length limit{count}", hint=f"allow more: {more}")


def _refused(_: Response, finish: Finish, name: str) -> AixError:
    return IncompleteError(
        f"{name} refused to answer (content filter)",
        cause=finish.detail,
        hint="say it differently, or ask another model: --model",
        reason="content_filter",
    )


def _failed(response: Response, finish: Finish, name: str) -> AixError:
    kind = IncompleteError if response.text else ProviderError
    return kind(f"{name} ended the answer with an error", cause=finish.detail, hint=AGAIN)


_REASONS: Mapping[str, Callable[[Response, Finish, str], AixError]] = {
    "length": _cut,
    "content_filter": _refused,
    "error": _failed,
}
