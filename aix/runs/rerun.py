"""A run once more: what the log keeps for it besides what was said, how that is read back, and when it is proposed."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, cast

from aix.errors import AGAIN, AixError, NotFoundError
from aix.library.place import FILE
from aix.library.prompt import Output, Prompt
from aix.llm.failure import OTHERS
from aix.llm.late import LONGER
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Target, is_near
from aix.messages import File, Image, Message, Part, Request, Role, Text
from aix.runs.failover import triggers
from aix.runs.fitting import OPTIONS
from aix.runs.logged import ANSWER, Logged, Said
from aix.runs.run import TRIAL, Order, Run, Wanted

if TYPE_CHECKING:
    from aix.runs.runlog import RunLog
    from aix.runs.runner import Runner

PASSING = frozenset({"402", "408", "409", "429", "5xx", "connect", "timeout"})
"""After what (as in `fallback.on`) the same may go well later, or elsewhere."""

LASTING = frozenset({"certificates"})
"""Reasons that are this machine's own, and are the same wherever it is sent."""

ANEW = {"": "COMMAND | aix run - -x", FILE: "aix run FILE -x"}
"""How a prompt is run that is not in the library, by its layer."""


@dataclass(frozen=True, slots=True)
class Again:
    """A logged run to be sent once more: to `asked`, or else to one of `others`, wanting the same of the answer.
    `prompt` has what it asked for besides; its model is in the user's own words."""

    logged: Logged
    messages: tuple[Message, ...]
    prompt: Prompt
    wanted: Wanted
    others: tuple[str, ...]
    max_cost: Decimal | None = None

    @property
    def run(self) -> Run:
        """A new run of the same prompt, ready to be sent."""
        old = self.logged
        run = Run(old.prompt, old.digest, old.layer, old.revision or "", json.loads(old.arguments or "{}"))
        run.messages = self.messages
        return run

    def order(self, flags: Order) -> Order:
        """The flags of a new run. Where they choose nobody, those are asked who were to be asked then."""
        flags = replace(flags, max_cost=self.max_cost) if flags.max_cost is None else flags
        if flags.provider or flags.model or flags.pack:
            return flags
        provider, _, model = self.logged.asked.partition(":")
        others = () if flags.alone else flags.fallback or self.others
        return replace(flags, provider=provider, model=model, fallback=others)

    def want(self, flags: Wanted) -> Wanted:
        """What is wanted of the new answer; a schema by flag is not for a part of the answer that was wanted then."""
        extract = flags.extract or ("" if flags.schema else self.wanted.extract)
        return Wanted(flags.schema, extract, flags.fail_if or self.wanted.fail_if)


def again(logged: Logged, said: Sequence[Said]) -> Again:
    """A logged run to be sent once more. Raises NotFoundError where what it sent is not in the log."""
    asked = [part for part in said if part.role != ANSWER]
    lost = next((part for part in asked if part.kind != "text" and part.data is None), None)
    if lost:
        raise _gone(logged, f"{lost.name or f'an attached {lost.kind}'} was too large to be kept")
    if not asked or logged.options is None:
        raise _gone(logged, "what it sent was not kept, or is dropped by now")
    options = json.loads(logged.options)
    prompt = Prompt(
        logged.prompt,
        "",
        "",
        layer=logged.layer,
        model=options.get("model", ""),
        options={name: options[name] for name in OPTIONS if name in options},
        output=Output(options.get("format", "text"), options.get("schema")),
    )
    wanted = Wanted(None, options.get("extract", ""), tuple(options.get("fail_if", ())))
    most, others = options.get("max_cost"), tuple(options.get("fallback", ()))
    return Again(logged, tuple(_messages(asked)), prompt, wanted, others, None if most is None else Decimal(most))


def _messages(said: Sequence[Said]) -> Iterator[Message]:
    for (_, role), parts in groupby(said, lambda part: (part.message, part.role)):
        yield Message(cast("Role", role), tuple(map(_part, parts)))


def _part(said: Said) -> Part:
    data, media_type, name = said.data or b"", said.media_type or "", said.name or ""
    if said.kind == "image":
        return Image(data, media_type, name)
    return File(data, media_type, name) if said.kind == "file" else Text(said.text or "")


def _gone(logged: Logged, why: str) -> NotFoundError:
    anew = ANEW.get(logged.layer) or f"aix run {shlex.quote(logged.prompt)} -x"
    anew = f"aix model test {shlex.quote(logged.asked)}" if logged.prompt == TRIAL else anew
    return NotFoundError(f"run {logged.id} cannot be sent again: {why}", hint=anew, reason="texts")


def _may_pass(error: AixError) -> bool:
    """Whether a failure is one of those, or has advice that says so: an answer that broke off is no trigger."""
    advised = any(line == AGAIN or line.startswith(LONGER) for line in error.hint.splitlines())
    return error.reason not in LASTING and (advised or not triggers(error).isdisjoint(PASSING))


@dataclass(frozen=True, slots=True)
class Repeats:
    """Runs that are sent once more: from the log, to whom the runner can ask."""

    log: "RunLog"
    providers: Providers
    runner: "Runner"

    def get(self, number: int | None) -> Again:
        """A run of the log; None is the last one. Raises NotFoundError."""
        logged = self.log.get(number)
        return again(logged, self.log.said(logged.id))

    def keep(self, run: Run, request: Request, order: Order, prompt: Prompt, wanted: Wanted) -> None:
        """Note in a run what the log is to have for the next one: the fields of its request, what was wanted of it."""
        first, *others = run.route.targets if run.route else (run.asked,)
        fields = {name: getattr(request, name) for name in (*OPTIONS, "schema")}
        model = prompt.model if order.model in ("", first.model) else order.model
        more = {
            "model": model,
            "fallback": [target.name for target in others],
            "format": prompt.output.format,
            "extract": wanted.extract,
            "fail_if": wanted.fail_if,
            "max_cost": None if order.max_cost is None else str(order.max_cost),
        }
        run.options = {name: value for name, value in {**fields, **more}.items() if value not in (None, "", (), [])}

    def propose(self, error: BaseException, run: Run, prompt: Prompt) -> None:
        """Have an error that may pass tell how to send the run once more, in place of advice that says no more."""
        if not isinstance(error, AixError) or not _may_pass(error) or not (name := self._name(run)):
            return
        advice = [line.replace(OTHERS, "") for line in error.hint.splitlines() if line != AGAIN]
        flags = [line for line in advice if line.startswith(f"{LONGER}--")]
        other = self._other(run.route.targets if run.route else (run.asked,), prompt)
        words = [f"aix rerun {name}", *(line.removeprefix(LONGER) for line in flags), other and f"--fallback {other}"]
        error.hint = "\n".join([*(line for line in advice if line not in flags), " ".join(filter(None, words))])

    def _name(self, run: Run) -> str:
        """How a run is named that can be sent once more; empty where it cannot be."""
        try:
            return "" if run.number is None else self._named(self.get(run.number).logged.id)
        except AixError:
            return ""

    def _named(self, number: int) -> str:
        return "last" if self.log.get(None).id == number else str(number)

    def _other(self, asked: Sequence[Target], prompt: Prompt) -> str:
        """A provider with a key that was not asked, and may be; empty for none. What a model in the user's own network
        was to read is for nobody outside it."""
        asked_names, near = {target.provider.name for target in asked}, any(is_near(one.provider) for one in asked)
        known = {provider.name: provider for provider in self.providers.sound()}
        names = (name for name in dict.fromkeys((*self.providers.preferred(), *known)) if name in known)
        others = (known[name] for name in names if name not in asked_names)
        fit = (other for other in others if self._has_key(other) and (is_near(other) or not near))
        return next((other.name for other in fit if self._may_follow(asked[0], other.name, prompt)), "")

    def _has_key(self, provider: Provider) -> bool:
        return not provider.keyless and self.runner.keys.usable(replace(provider, key_optional=False))

    def _may_follow(self, first: Target, name: str, prompt: Prompt) -> bool:
        """Whether a provider is asked after the first where it is named as a fallback."""
        order = Order(first.provider.name, first.model, fallback=(name,))
        try:
            _, *groups = self.runner.candidates(order, prompt).groups
        except AixError:
            return False
        return any(target.provider.name == name for group in groups for target in group.targets)
