"""Whether an answer is whole: each way in which one can end, with and without text, and what is said of it."""

import pytest

from aix.errors import AixError, IncompleteError, ProviderError
from aix.messages import Finish, FinishReason, Response, ToolCall, Usage
from aix.runs.judgement import judge

CALL = (ToolCall("1", "look_up", "{}"),)
AGAIN = "run the command again"


def answer(
    text: str,
    reason: FinishReason | None,
    *,
    calls: tuple[ToolCall, ...] = (),
    spent: int = 0,
    thought: int = 0,
    detail: str = "",
) -> Response:
    usage = Usage(output_tokens=spent, reasoning_tokens=thought) if spent else None
    return Response(text, "", calls, Finish(reason, usage, detail=detail) if reason else None)


@pytest.mark.parametrize(
    "response",
    [
        answer("text", "stop"),
        answer("text", "tool_call"),
        answer("text", "tool_call", calls=CALL),
        answer("", "tool_call", calls=CALL),
        answer("", "stop", calls=CALL),
        answer("text", "stop", spent=9, thought=9),
    ],
    ids=str,
)
def test_an_answer_that_its_end_mark_says_is_whole_is_whole(response: Response) -> None:
    judge(response, "box")


BROKEN = "the answer broke off: box ended it without its end mark"
CUT = "the answer was cut at the length limit"
REFUSED = "box refused to answer (content filter)"
FAILED = "box ended the answer with an error"
ANOTHER = f"{AGAIN}, or name another model: --model"
MORE = "allow more: --max-tokens 4000"
OTHERWISE = "say it differently, or ask another model: --model"

WRONG: list[tuple[Response, type[AixError], str, str, str]] = [
    (answer("text", None), IncompleteError, BROKEN, "", AGAIN),
    (answer("", None), ProviderError, "box ended the connection without an answer", "", AGAIN),
    (answer("", None, calls=CALL), ProviderError, "box ended the connection without an answer", "", AGAIN),
    (answer("", "stop"), ProviderError, "box gave an empty answer", "", ANOTHER),
    (answer(" \n", "stop"), ProviderError, "box gave an empty answer", "", ANOTHER),
    (answer("", "tool_call"), ProviderError, "box gave an empty answer", "", ANOTHER),
    (answer("text", "length"), IncompleteError, CUT, "", MORE),
    (answer("", "length"), IncompleteError, CUT, "", MORE),
    (answer("text", "length", spent=800), IncompleteError, f"{CUT} after 800 tokens", "", MORE),
    (answer("text", "length", spent=4000), IncompleteError, f"{CUT} after 4000 tokens", "",
     "allow more: --max-tokens 8000"),
    (answer("text", "length", spent=800, thought=700), IncompleteError, f"{CUT} after 800 tokens", "",
     MORE),
    (answer("", "length", spent=800, thought=800), IncompleteError, CUT, "",
     "800 of 800 tokens went to reasoning; try --max-tokens 4000"),
    (answer("text", "content_filter"), IncompleteError, REFUSED, "", OTHERWISE),
    (answer("", "content_filter"), IncompleteError, REFUSED, "", OTHERWISE),
    (answer("", "content_filter", detail="I cannot help with that."), IncompleteError, REFUSED,
     "I cannot help with that.", OTHERWISE),
    (answer("text", "error", detail="model_length"), IncompleteError, FAILED, "model_length", AGAIN),
    (answer("", "error", detail="insufficient_system_resource"), ProviderError, FAILED,
     "insufficient_system_resource", AGAIN),
]  # fmt: skip


@pytest.mark.parametrize(("response", "kind", "message", "cause", "hint"), WRONG, ids=str)
def test_any_other_end_is_an_error_that_says_which(
    response: Response, kind: type[AixError], message: str, cause: str, hint: str
) -> None:
    with pytest.raises(AixError) as caught:
        judge(response, "box")
    error = caught.value
    assert (type(error), error.message, error.cause, error.hint) == (kind, message, cause, hint)


def test_only_a_refusal_has_a_reason_of_its_own() -> None:
    for response, *_ in WRONG:
        with pytest.raises(AixError) as caught:
            judge(response, "box")
        refused = response.finish is not None and response.finish.reason == "content_filter"
        assert caught.value.reason == ("content_filter" if refused else "")
