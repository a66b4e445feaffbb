"""What a model takes: a request and a dialect made to fit it, and a sentence for whatever had to change. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from aix.llm.catalogue import Model
from aix.llm.effort import nearest
from aix.llm.providers import Dialect, Provider
from aix.messages import File, Image, Message, Part, Request, Text, Usage, estimate_tokens
from aix.runs.logged import Estimate

OPTIONS = ("temperature", "top_p", "max_tokens", "stop", "seed", "effort")
"""What a prompt and a flag may set of a request; the first three are settings too."""

IN_WORDS = "Answer with JSON only: one value that is valid by this JSON Schema: {}"

IMAGE_TOKENS = 1000
PAGE_TOKENS = 2000
USUAL_ANSWER = 2000
"""How many tokens an answer is expected to have where nobody says, until it is there."""

SOON = timedelta(days=60)
"""How long before its end a model is said to retire."""

PAGE = re.compile(rb"/Type\s*/Page\b")

SEES: Mapping[str, str] = {"image/": "vision", "application/pdf": "pdf"}
"""What a model must be able to do for a part of this media type."""


def expected_answer(asked: int | None, longest: int | None) -> int:
    """How many tokens an answer is expected to have: as many as were asked for, else as is usual."""
    return asked or min(longest or USUAL_ANSWER, USUAL_ANSWER)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request as its model takes it, of about so many `tokens`; `notes` are sentences about what was changed, and
    what may go wrong. `cut` is how many tokens of answer its protocol asks for at most, where that is not for the
    request to say."""

    request: Request
    dialect: Dialect
    model: Model
    tokens: int
    notes: tuple[str, ...] = ()
    cut: int | None = None

    @property
    def longest(self) -> int | None:
        """The tokens that the answer can have at most; None where nobody says."""
        return self.cut or self.request.max_tokens or self.model.max_output

    def estimate(self, asked: int | None) -> Estimate:
        """What it is expected to take, with an answer of as many tokens as were `asked` for."""
        answer = expected_answer(asked, self.longest)
        return Estimate(self.tokens, answer, self.cost(self.tokens, answer))

    def cost(self, tokens: int, answer: int | None) -> Decimal | None:
        """Dollars for so many tokens in and so many out, were they thought or said, whichever is dearer; None where it
        is unpriced, or nobody knows how many."""
        price = self.model.price
        if price is None or answer is None:
            return None
        costs = (price.cost(Usage(tokens, answer, reasoning_tokens=thought)) for thought in (0, answer))
        return max((cost for cost in costs if cost is not None), default=None)


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a request: `name` is how a person writes it, `unsaid` are the fields that it cannot be told."""

    name: str
    dialect: Dialect
    unsaid: frozenset[str]
    model: Model


def fitted(
    request: Request, provider: Provider, unsaid: frozenset[str], known: Model | None, today: date | None = None
) -> Fitted:
    """The request as the model takes it. `unsaid` are the fields for which the protocol has no word; `known` is what
    the catalogue has of the model, which may be retired `today`."""
    taker = _taker(request.model, provider, unsaid, known)
    notes = []
    for step in (_with_accepted_effort, _within_its_longest_answer, _without_unsaid, _with_schema_in_words):
        request, note = step(request, taker)
        notes.append(note)
    tokens = estimated(request.messages)
    notes += [_overflow(tokens, taker), retirement(taker.model, today) if today else ""]
    return Fitted(request, taker.dialect, taker.model, tokens, tuple(filter(None, notes)))


def unseen(request: Request, model: Model, uncarried: frozenset[str] = frozenset()) -> str:
    """The first capability that the parts of a request need and the model is known not to have, or its protocol has no
    use for (`uncarried`); empty for none."""
    kinds = [part.media_type for part in _parts(request.messages) if isinstance(part, Image | File)]
    needed = (capability for start, capability in SEES.items() for kind in kinds if kind.startswith(start))
    return next((capability for capability in needed if capability in uncarried or not model.can(capability)), "")


def estimated(messages: Sequence[Message]) -> int:
    """About how many tokens some messages are."""
    texts = sum(estimate_tokens(message.text) for message in messages)
    return texts + sum(_estimate(part) for part in _parts(messages))


def _estimate(part: Part) -> int:
    match part:
        case Image():
            return IMAGE_TOKENS
        case File(data):
            return PAGE_TOKENS * max(1, len(PAGE.findall(data)))
    return 0


def _parts(messages: Sequence[Message]) -> list[Part]:
    return [part for message in messages for part in message.parts]


def _taker(model: str, provider: Provider, unsaid: frozenset[str], known: Model | None) -> Taker:
    found = known or Model(model, provider.name)
    dialect = provider.dialect.with_deviations(found.dialect)
    if found.max_output:
        dialect = replace(dialect, default_max_tokens=min(dialect.default_max_tokens, found.max_output))
    if dialect.schema == "native" and not found.can("schema"):
        dialect = replace(dialect, schema="words")
    lost = () if found.can("reasoning") else ("effort",)
    return Taker(f"{provider.name}:{model}", dialect, unsaid.union(dialect.rejects, lost), found)


def _with_accepted_effort(request: Request, taker: Taker) -> tuple[Request, str]:
    """The nearest level of effort that the model takes; one that does not think need not be told not to."""
    level = request.effort
    if level == "none" and not taker.model.can("reasoning"):
        return replace(request, effort=None), ""
    taken = level and nearest(level, taker.model.efforts)
    if taken == level or "effort" in taker.unsaid:
        return request, ""
    return replace(request, effort=taken), f"{taker.name} takes no effort '{level}'; '{taken}' is asked for"


def _within_its_longest_answer(request: Request, taker: Taker) -> tuple[Request, str]:
    longest, asked = taker.model.max_output, request.max_tokens
    if not longest or not asked or asked <= longest:
        return request, ""
    note = f"{taker.name} answers with {longest} tokens at most; max_tokens was lowered to that from {asked}"
    return replace(request, max_tokens=longest), note


def _without_unsaid(request: Request, taker: Taker) -> tuple[Request, str]:
    lost = [name for name in OPTIONS if name in taker.unsaid and getattr(request, name) not in (None, ())]
    if not lost:
        return request, ""
    emptied: dict[str, Any] = {name: () if name == "stop" else None for name in lost}
    listed = " and ".join(filter(None, (", ".join(f"no {name}" for name in lost[:-1]), f"no {lost[-1]}")))
    return replace(request, **emptied), f"{taker.name} takes {listed}; {'they were' if lost[1:] else 'it was'} left out"


def _with_schema_in_words(request: Request, taker: Taker) -> tuple[Request, str]:
    """The schema said in words where it cannot be sent, or only as a wish for some JSON."""
    sendable = "schema" not in taker.unsaid and taker.dialect.schema != "words"
    if request.schema is None or (sendable and taker.dialect.schema == "native"):
        return request, ""
    words = IN_WORDS.format(json.dumps(request.schema, ensure_ascii=False))
    said = replace(request, messages=with_instruction(request.messages, words))
    return (said if sendable else replace(said, schema=None)), ""


def with_instruction(messages: Sequence[Message], words: str) -> tuple[Message, ...]:
    """The conversation with an instruction at the end of its last system message, or of its first user message."""
    places = [index for index, message in enumerate(messages) if message.role == "system"][-1:]
    places += [index for index, message in enumerate(messages) if message.role == "user"]
    if not places:
        return (Message("system", (Text(words),)), *messages)
    place = messages[places[0]]
    said = replace(place, parts=(*place.parts, Text(f"\n\n{words}")))
    return (*messages[: places[0]], said, *messages[places[0] + 1 :])


def retirement(model: Model, today: date) -> str:
    """What is to be said of a model that its maker has ended, or ends soon; empty for another."""
    if not model.retires or model.retires > (today + SOON).isoformat():
        return ""
    ends = "was retired" if model.is_retired(today) else "retires"
    instead = f"; its successor is {model.successor}" if model.successor else ""
    return f"{model.provider}:{model.id} {ends} on {model.retires}{instead}"


def _overflow(tokens: int, taker: Taker) -> str:
    window = taker.model.context
    if not window or tokens <= window:
        return ""
    return f"about {tokens} tokens (estimated) are more than the {window} that {taker.name} reads and writes"
