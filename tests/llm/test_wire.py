"""The protocols against whole exchanges: what is sent, what is said, and what a split, a cut or a lie makes of it.

`wire/<protocol>/<case>/` holds one exchange: the request and what must be sent for it, the answer in one piece and as a
stream, and what both of them say.
"""

import base64
import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aix.errors import AixError, ProviderError
from aix.llm.failure import in_band
from aix.llm.protocols import protocol
from aix.llm.providers import Dialect
from aix.llm.wire import Frame, InBandError, parsed
from aix.messages import (
    Event,
    File,
    Finish,
    Image,
    Message,
    Part,
    Reasoning,
    ReasoningDelta,
    Request,
    Response,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
    collect,
)

WIRE = Path(__file__).parent / "wire"
PROTOCOLS = sorted(path.name for path in WIRE.iterdir() if path.is_dir())
NEWLINES = (b"\n", b"\r\n", b"\r")
END_MARK = {
    "openai-chat": rb'"finish_reason":"[^"]+"',
    "openai-responses": rb'(event: |"type":")response\.(completed|incomplete)',
    "anthropic-messages": rb"message_stop",
    "gemini": rb'"finishReason":"[^"]+"|"blockReason"',
    "cohere": rb'event: message-end|"type":"message-end"',
    "ollama": rb'"done":true',
    "replicate": rb"event: ?done",
}
"""What in a stream makes the answer whole."""

ENOUGH = 10_000
"""Splits and cuts that are tried of each protocol, or the cases are too few or too short to tell anything."""

LINE_ENDS = {"ollama": 1}
"""How many line ends close a frame; two, where nothing else is said."""

FEWEST_LIES = {"replicate": 50}
"""How many wrong values are tried at least in a stream; 800, where nothing else is said. One streams bare text."""

TOLD = ("name", "status", "reason", "cause", "request_id")
NAMES = {"provider": "acme", "model": "the model", "page": "https://acme.example/keys"}

PARTS: Mapping[str, Callable[[Any], Part]] = {
    "text": lambda part: Text(part["text"]),
    "image": lambda part: Image(base64.b64decode(part["image"]), part["media_type"]),
    "file": lambda part: File(base64.b64decode(part["file"]), part["media_type"], part["name"]),
    "reasoning": lambda part: Reasoning(part["reasoning"]),
    "tool_call": lambda part: ToolCall(**part["tool_call"]),
    "tool_result": lambda part: ToolResult(**part["tool_result"]),
}
EVENTS: Mapping[str, Callable[[Any], Event]] = {
    "text": TextDelta,
    "reasoning": ReasoningDelta,
    "tool_call": lambda call: ToolCallDelta(**call),
    "finish": lambda finish: Finish(**{**finish, "usage": _usage(finish.get("usage"))}),
}


def _usage(counts: Any) -> Usage | None:
    if counts is None:
        return None
    cost = counts.get("reported_cost")
    return Usage(**{**counts, "reported_cost": None if cost is None else Decimal(cost)})


def _request(fields: Mapping[str, Any]) -> Request:
    messages = tuple(
        Message(message["role"], tuple(PARTS[next(iter(part))](part) for part in message["parts"]))
        for message in fields["messages"]
    )
    return Request(**{**fields, "messages": messages, "stop": tuple(fields.get("stop", ()))})


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer amounts to: its events, and the error that ended it."""

    events: tuple[Event, ...]
    error: Mapping[str, Any] | None = None

    @property
    def finish(self) -> Finish | None:
        return next((event for event in self.events if isinstance(event, Finish)), None)


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of `wire/`."""

    folder: Path

    @property
    def protocol(self) -> str:
        return self.folder.parent.name

    @property
    def stream(self) -> bytes:
        return (self.folder / "stream.txt").read_bytes()

    @property
    def said(self) -> Said:
        said = self.json("said")
        events = (EVENTS[name](value) for event in said["events"] for name, value in event.items())
        return Said(tuple(events), said.get("error"))

    @property
    def said_plainly(self) -> Said:
        """What the plain answer says: `plain_finish` stands for a Finish of which a stream says less."""
        said = self.said
        finish = self.json("said").get("plain_finish")
        return replace(said, events=(*said.events[:-1], EVENTS["finish"](finish))) if finish else said

    def json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_bytes())

    def with_newlines(self, newline: bytes) -> bytes:
        return self.stream.replace(b"\r\n", b"\n").replace(b"\n", newline)


CASES = [Case(path.parent) for path in sorted(WIRE.glob("*/*/request.json"))]


def name_of(case: Case) -> str:
    return f"{case.protocol}/{case.folder.name}"


every_case = pytest.mark.parametrize("case", CASES, ids=name_of)
each_protocol = pytest.mark.parametrize("name", PROTOCOLS)


def cases_of(name: str) -> list[Case]:
    return [case for case in CASES if case.protocol == name]


def said_by(events: Iterable[Event]) -> Said:
    """What a decoder says, up to the error that it raises, as the user would be told of it."""
    noted: list[Event] = []
    try:
        noted.extend(events)
    except InBandError as error:
        told = in_band(error.value, NAMES)
    except AixError as error:
        told = error
    else:
        return Said(tuple(noted))
    return Said(tuple(noted), {field: getattr(told, field) for field in TOLD if getattr(told, field)})


@cache
def said_by_frames(name: str, frames: tuple[Frame, ...]) -> Said:
    """A decoder sees frames only, so each list of them is decoded once."""
    return said_by(protocol(name).decode_stream(frames))


def said_by_stream(name: str, reads: Iterable[bytes]) -> Said:
    return said_by_frames(name, tuple(protocol(name).frames(reads)))


@every_case
def test_a_case_is_complete_and_its_files_are_of_one_mind(case: Case) -> None:
    assert ("streamed_only" in case.json("said")) != (case.folder / "response.json").exists()
    finishes = [event for event in case.said.events if isinstance(event, Finish)]
    assert len(finishes) <= 1 and finishes == list(case.said.events[-1:])[: len(finishes)]
    assert not (finishes and case.said.error)


@each_protocol
def test_there_are_enough_cases(name: str) -> None:
    assert len(cases_of(name)) >= 12


@pytest.mark.parametrize("mode", ["plain", "stream"])
@every_case
def test_what_is_sent_is_exact(case: Case, mode: str) -> None:
    asked = case.json("request")
    call = protocol(case.protocol).encode(
        _request(asked["request"]), Dialect().with_deviations(asked.get("dialect", {})), stream=mode == "stream"
    )
    body = json.dumps(asked["sent"][mode], ensure_ascii=False, separators=(",", ":")).encode()
    paths = asked["path"] if isinstance(asked["path"], dict) else dict.fromkeys(("plain", "stream"), asked["path"])
    headers = asked["headers"].get(mode, asked["headers"])
    assert (call.method, call.path, dict(call.headers)) == ("POST", paths[mode], headers)
    assert call.content == body


@every_case
def test_a_stream_says_what_it_should(case: Case) -> None:
    assert said_by_stream(case.protocol, [case.stream]) == case.said


@pytest.mark.parametrize("case", [case for case in CASES if (case.folder / "response.json").exists()], ids=name_of)
def test_a_plain_answer_says_the_same(case: Case) -> None:
    body = parsed((case.folder / "response.json").read_bytes())
    said = said_by(protocol(case.protocol).decode(body))
    assert said.error == case.said.error
    assert in_one_spacing(collect(said.events)) == in_one_spacing(collect(case.said_plainly.events))
    assert said.finish is None or said.events[-1] is said.finish


def in_one_spacing(response: Response) -> Response:
    """Arguments that a plain answer gives as an object were streamed with the model's own spaces."""
    calls = (replace(call, arguments=json.dumps(json.loads(call.arguments))) for call in response.tool_calls)
    return replace(response, tool_calls=tuple(calls))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai-chat", '{"choices": [{"message": {"content": "Good day"}, "finish_reason": null}]}'),
        ("openai-chat", '{"choices": [{"message": {"content": "Good day"}}]}'),
        ("anthropic-messages", '{"content": [{"type": "text", "text": "Good day"}], "stop_reason": null}'),
        ("anthropic-messages", '{"content": [{"type": "text", "text": "Good day"}]}'),
        *(
            ("openai-responses", f'{{{more} "output": [{{"type": "message", "content": [{{"text": "Good day"}}]}}]}}')
            for more in ("", '"status": null,', '"status": "in_progress",', '"status": "queued",')
        ),
        ("gemini", '{"candidates": [{"content": {"parts": [{"text": "Good day"}]}}]}'),
    ],
)
def test_a_plain_answer_without_its_end_mark_is_not_whole(name: str, body: str) -> None:
    assert list(protocol(name).decode(parsed(body.encode()))) == [TextDelta("Good day")]


END: Mapping[str, Callable[[str], Any]] = {
    "openai-chat": lambda word: {"choices": [{"finish_reason": word}]},
    "openai-responses": lambda word: {
        "type": "response.incomplete",
        "response": {"incomplete_details": {"reason": word}},
    },
    "gemini": lambda word: {"candidates": [{"finishReason": word}]},
}
"""The end of a stream, with the provider's own word for why."""


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("openai-chat", "stop", "stop eos"),
        ("openai-chat", "length", "length model_length"),
        ("openai-chat", "tool_call", "tool_calls function_call"),
        ("openai-chat", "content_filter", "content_filter"),
        ("openai-chat", "error", "error STOP end_turn"),
        ("openai-responses", "length", "max_output_tokens"),
        ("openai-responses", "content_filter", "content_filter"),
        ("openai-responses", "error", "max_messages steered STOP"),
        ("gemini", "stop", "STOP"),
        ("gemini", "length", "MAX_TOKENS CONTINUATION"),
        ("gemini", "content_filter", "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY MODEL_ARMOR"),
        ("gemini", "error", "OTHER LANGUAGE MALFORMED_FUNCTION_CALL NO_IMAGE TOO_MANY_TOOL_CALLS MALFORMED_RESPONSE"),
    ],
)
def test_each_finish_reason_is_one_of_five(name: str, reason: str, words: str) -> None:
    for word in words.split():
        finish = said_by_frames(name, (Frame(json.dumps(END[name](word)).encode()),)).finish
        assert finish and finish.reason == reason
        told = reason == "error" or (name, reason) == ("gemini", "content_filter")
        assert finish.detail == (word if told else "")


@pytest.mark.parametrize("junk", ["7", '"none"', "[1]", "true"])
@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("openai-chat", '{"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "usage": JUNK}'),
        ("openai-chat", '{"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "x_groq": JUNK}'),
        (
            "openai-responses",
            '{"type": "response.completed", "response": {"usage": JUNK, '
            '"output": [{"type": "message", "content": [{"text": "Hi"}]}]}}',
        ),
        (
            "gemini",
            '{"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}], "usageMetadata": JUNK}',
        ),
    ],
)
def test_a_usage_that_is_none_costs_no_answer(name: str, end: str, junk: str) -> None:
    said = said_by_frames(name, (Frame(end.replace("JUNK", junk).encode()),))
    assert said == Said((TextDelta("Hi"), Finish("stop")))


def test_a_usage_that_is_none_costs_no_answer_of_anthropic() -> None:
    text = {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": [1], "stop_details": 7}
    assert list(protocol("anthropic-messages").decode(text)) == [TextDelta("Hi"), Finish("stop")]


@each_protocol
def test_no_split_and_no_newline_style_changes_what_is_said(name: str) -> None:
    tried = 0
    for case in cases_of(name):
        for newline in NEWLINES:
            stream, whole = case.with_newlines(newline), case.said
            assert said_by_stream(name, [stream]) == whole, (name_of(case), newline)
            assert said_by_stream(name, (stream[at : at + 1] for at in range(len(stream)))) == whole, name_of(case)
            for at in points(stream, newline):
                assert said_by_stream(name, [stream[:at], stream[at:]]) == whole, (name_of(case), newline, at)
                tried += 1
    print(f"{name}: {tried} splits")
    assert tried >= ENOUGH


def points(stream: bytes, newline: bytes) -> list[int]:
    """Where to split and to cut: about every line end, and between them at every byte, or every second one of a stream
    that is long; with the rarer styles of line ends, in a few places."""
    ends = {found.start() + step for found in re.finditer(rb"[\r\n]", stream) for step in (-1, 0, 1)}
    step = 1 + len(stream) // 1500 if newline == NEWLINES[0] else 23
    return sorted({*range(0, len(stream), step), *ends} & set(range(len(stream))))


@each_protocol
def test_a_cut_stream_is_never_whole_and_says_nothing_else(name: str) -> None:
    tried = 0
    for case in cases_of(name):
        for newline in NEWLINES:
            stream, whole = case.with_newlines(newline), case.said
            marked = end_of(case, stream, newline)
            for at in points(stream, newline):
                said = said_by_stream(name, [stream[:at]])
                assert is_beginning(said, whole, ended=at >= marked), (name_of(case), newline, at)
                tried += 1
    print(f"{name}: {tried} cuts")
    assert tried >= ENOUGH


def end_of(case: Case, stream: bytes, newline: bytes) -> int:
    """How many bytes it takes until the frame with the end mark is complete; never, for a stream without one."""
    mark = re.search(END_MARK[case.protocol], stream)
    if case.said.finish is None or mark is None:
        return len(stream) + 1
    line_ends = LINE_ENDS.get(case.protocol, 2)
    return stream.index(newline * line_ends, mark.end()) + len(newline) * (line_ends - 1) + 1


def is_beginning(said: Said, whole: Said, *, ended: bool) -> bool:
    """Whether one is what a cut may leave of the other: after the end mark, only the usage can be missing."""
    if not ended:
        unfinished = tuple(event for event in whole.events if not isinstance(event, Finish))
        error_in_its_place = said.error is None or said == whole
        return said.events == unfinished[: len(said.events)] and error_in_its_place
    if said.finish is None or whole.finish is None or said.error:
        return False
    known = said.finish.usage in (None, whole.finish.usage)
    completed = replace(said.finish, usage=whole.finish.usage)
    return known and (*said.events[:-1], completed) == whole.events


# What servers that lie, or were written in an afternoon, send in place of what the protocol says.
JUNK: Sequence[Any] = (
    *(None, True, 0, -1, 7, 1.5, 1e999, float("nan"), 10**400, "", "x", "7", "\ud83d"),
    *([], {}, [None], [0], ["x"], [[]], [{}], {"x": 1}, {"type": []}, {"error": 0}, [[{"text": {}}]]),
)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from nodes(child, (*path, key))


def with_junk(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_junk(value[path[0]], path[1:], junk)
    return copy


def is_sound(events: Iterable[Event]) -> bool:
    """Whether what was decoded is of the types that it promises, or ended in an error that aix knows."""
    noted: list[Event] = []
    with contextlib.suppress(InBandError, AixError):
        noted.extend(events)
    response = collect(noted)
    _assert_types(response)
    return True


def _assert_types(response: Response) -> None:
    (response.text + response.reasoning).encode()
    for call in response.tool_calls:
        assert all(isinstance(text, str) for text in (call.id, call.name, call.arguments))
        call.arguments.encode()
    if finish := response.finish:
        assert all(isinstance(text, str) for text in (finish.model, finish.id, finish.detail))
        counts = finish.usage or Usage()
        assert all(
            type(getattr(counts, field)) is int and getattr(counts, field) >= 0
            for field in Usage.__slots__
            if field != "reported_cost"
        )
        assert counts.reported_cost is None or counts.reported_cost.is_finite()


@each_protocol
def test_no_wrong_value_anywhere_in_a_stream_breaks_the_decoder(name: str) -> None:
    tried: set[tuple[Any, ...]] = set()
    for case in cases_of(name):
        frames = [frame for frame in protocol(name).frames([case.stream]) if frame.data.startswith(b"{")]
        for number, frame in enumerate(frames):
            value = json.loads(frame.data)
            untried = {path for path in nodes(value) if (value.get("type"), path) not in tried}
            tried |= {(value.get("type"), path) for path in untried}
            for path, junk in itertools.product(untried, JUNK):
                lie = Frame(json.dumps(with_junk(value, path, junk)).encode(), frame.event)
                assert is_sound(protocol(name).decode_stream([*frames[:number], lie, *frames[number + 1 :]]))
    print(f"{name}: {len(tried) * len(JUNK)} streams with one wrong value")
    assert len(tried) * len(JUNK) >= FEWEST_LIES.get(name, 800)


@each_protocol
def test_no_wrong_value_anywhere_in_a_plain_answer_breaks_the_decoder(name: str) -> None:
    tried: set[tuple[Any, ...]] = set()
    for answer in (case.folder / "response.json" for case in cases_of(name)):
        value = json.loads(answer.read_bytes()) if answer.exists() else {}
        untried = set(nodes(value)) - tried - {()}
        tried |= untried
        for path, junk in itertools.product(untried, JUNK):
            lie = parsed(json.dumps(with_junk(value, path, junk)).encode())
            assert is_sound(protocol(name).decode(lie))
    print(f"{name}: {len(tried) * len(JUNK)} answers with one wrong value")
    assert len(tried) * len(JUNK) >= 800


WORDS = sorted(
    {step for case in CASES for frame in protocol(case.protocol).frames([case.stream]) if frame.data.startswith(b"{")
     for path in nodes(json.loads(frame.data)) for step in path if isinstance(step, str)}
)  # fmt: skip
KINDS = sorted(
    {frame.event for case in CASES for frame in protocol(case.protocol).frames([case.stream])}
    | set(re.findall(r'"type":"([^"]+)"', " ".join(case.stream.decode() for case in CASES)))
)
"""What events and pieces are called, in any protocol."""
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(KINDS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(), inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(ANY_JSON, max_size=5), event=st.sampled_from(KINDS))
def test_no_json_at_all_breaks_a_decoder(values: list[Any], event: str) -> None:
    frames = [Frame(json.dumps(value).encode(), event) for value in values]
    for module in map(protocol, PROTOCOLS):
        assert is_sound(module.decode_stream(frames))
        assert all(is_sound(module.decode(value)) for value in values if isinstance(value, dict))


@settings(max_examples=100, deadline=None)
@given(reads=st.lists(st.binary() | st.sampled_from([b"data:", b"\n", b"\r", b"{", b"}", b"[DONE]", b'"'])))
def test_no_bytes_at_all_break_a_decoder(reads: list[bytes]) -> None:
    for module in map(protocol, PROTOCOLS):
        assert is_sound(module.decode_stream(module.frames(reads)))


@pytest.mark.parametrize(
    ("name", "lie", "wrong"),
    [
        ("openai-chat", '{"choices": "none"}', "'choices' is not a list"),
        ("openai-chat", '{"choices": [5]}', "'choices' is not an object"),
        ("openai-chat", '{"choices": [{"delta": "hi", "finish_reason": "stop"}]}', "'delta' is not an object"),
        ("openai-chat", '{"choices": [{"delta": {"content": 5}, "finish_reason": "stop"}]}', "'content' is not text"),
        ("openai-chat", '{"choices": [{"delta": {"content": ["a"]}}]}', "'content' is not an object"),
        ("openai-chat", '{"choices": [{"delta": {"reasoning": {"a": 1}}}]}', "'reasoning' is not text"),
        ("openai-chat", '{"choices": [{"delta": {"tool_calls": {"a": 1}}}]}', "'tool_calls' is not a list"),
        ("openai-chat", '{"choices": [{"delta": {"tool_calls": [{"index": "0"}]}}]}', "'index' is not a whole number"),
        ("openai-chat", '{"choices": [{"finish_reason": {"a": 1}}]}', "'finish_reason' is not text"),
        ("openai-chat", '["choices"]', "not an object"),
        ("openai-chat", "<html>", "not JSON"),
        (
            "anthropic-messages",
            '{"type": "content_block_start", "content_block": 1}',
            "'content_block' is not an object",
        ),
        ("anthropic-messages", '{"type": "content_block_delta", "index": "0"}', "'index' is not a whole number"),
        ("anthropic-messages", '{"type": "content_block_delta", "delta": [1]}', "'delta' is not an object"),
        ("anthropic-messages", '{"type": "message_start", "message": "hi"}', "'message' is not an object"),
        ("anthropic-messages", '{"type": "message_delta", "delta": {"stop_reason": 1}}', "'stop_reason' is not text"),
        *(
            ("openai-responses", f'{{"type": "response.{lie}}}', wrong)
            for lie, wrong in (
                ('completed", "response": "done"', "'response' is not an object"),
                ('completed", "response": {"output": {"a": 1}}', "'output' is not a list"),
                ('output_item.added", "item": [1]', "'item' is not an object"),
                ('output_text.delta", "delta": 5', "'delta' is not text"),
                ('refusal.delta", "delta": ["no"]', "'delta' is not text"),
            )
        ),
        ("gemini", '{"candidates": {"a": 1}}', "'candidates' is not a list"),
        ("gemini", '{"candidates": [{"content": "hi"}]}', "'content' is not an object"),
        ("gemini", '{"candidates": [{"content": {"parts": ["hi"]}}]}', "'parts' is not an object"),
        ("gemini", '{"candidates": [{"content": {"parts": [{"text": 5}]}}]}', "'text' is not text"),
        ("gemini", '{"candidates": [{"finishReason": 1}]}', "'finishReason' is not text"),
        ("gemini", "7", "not an object"),
        ("anthropic-messages", "7", "not an object"),
        ("anthropic-messages", "[DONE]", "not JSON"),
    ],
)
def test_a_wrong_shape_is_the_providers_error(name: str, lie: str, wrong: str) -> None:
    with pytest.raises(ProviderError, match=re.escape(wrong)):
        list(protocol(name).decode_stream([Frame(lie.encode())]))


@pytest.mark.parametrize(
    "late",
    [b"not JSON", b'{"choices": "none"}', b'{"choices": [], "usage": [1]}', b"[]"],
)
def test_junk_after_the_finish_reason_costs_the_usage_and_not_the_answer(late: bytes) -> None:
    end = b'{"id": "1", "model": "m", "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}'
    said = said_by_frames("openai-chat", (Frame(end), Frame(late)))
    assert said == Said((TextDelta("Hi"), Finish("stop", None, "m", "1")))


@pytest.mark.parametrize("late", [b"not JSON", b'{"candidates": "none"}', b'{"usageMetadata": [1]}', b"[]"])
def test_junk_after_the_finish_reason_of_gemini_costs_as_little(late: bytes) -> None:
    end = b'{"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}'
    assert said_by_frames("gemini", (Frame(end), Frame(late))) == Said((TextDelta("Hi"), Finish("stop")))


@pytest.mark.parametrize("data", ['{"message": "gone"}', '{"type": "lost", "message": "gone"}', '{"error": "gone"}'])
@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "anthropic-messages", "gemini", "cohere"])
def test_a_frame_that_is_named_an_error_keeps_its_message(name: str, data: str) -> None:
    said = said_by_frames(name, (Frame(data.encode(), "error"),))
    assert said.error and said.error["cause"] == "gone"


def test_figures_that_cannot_be_meant_are_left_out() -> None:
    details = '{"cached_tokens": "7", "cache_write_tokens": true}'
    usage = f'{{"prompt_tokens": -1, "completion_tokens": 1e999, "cost": NaN, "prompt_tokens_details": {details}}}'
    end = f'{{"choices": [{{"finish_reason": "stop"}}], "usage": {usage}}}'
    said = said_by_frames("openai-chat", (Frame(end.encode()),))
    assert said.finish == Finish("stop", Usage())
