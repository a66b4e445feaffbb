"""Single providers, tried: do they answer, take the key, have the model, and say something when they are asked?"""

import time
from collections.abc import Iterator, Sequence

from aix.config.secrets import known_secrets
from aix.errors import AixError, NotFoundError
from aix.health.checks import finished
from aix.health.finding import Finding, fault, ok, warning
from aix.health.keys import runner
from aix.health.network import answers, judged, usable
from aix.health.scene import Scene
from aix.llm.probe import Probe
from aix.llm.providers import Provider
from aix.llm.routing import Target
from aix.messages import Message, Request, Text
from aix.runs.run import TRIAL, Order, Run

QUESTION = "Answer with the word OK."
MAX_TOKENS = 16


def tried(scene: Scene, names: Sequence[str]) -> Iterator[Finding]:
    """What comes of asking these providers, or all that can be used, for their models; where the scene says `online`,
    also of one short message to each. Raises NotFoundError for a name that there is not."""
    chosen = [scene.providers.get(name) for name in dict.fromkeys(names)] if names else list(usable(scene))
    secrets = known_secrets(scene.env, scene.settings.data)
    if not chosen:
        nobody = warning("there is nobody to ask", "aix provider quick-setup, or aix api-key openrouter")
        yield finished(nobody, "all", "Providers", secrets)
    asked = [provider for provider in chosen if provider.base_url]
    by_name = {answer.provider.name: answer for answer in answers(scene, asked)}
    for provider in chosen:
        for finding in _said(scene, provider, by_name.get(provider.name)):
            yield finished(finding, provider.name, "Providers", secrets)


def _said(scene: Scene, provider: Provider, answer: Probe | None) -> Iterator[Finding]:
    if answer is None:
        yield ok(f"{provider.name} has no model, and answers here", provider=provider.name)
        return
    yield from judged(scene, answer)
    if scene.online and (answer.error is None or answer.status == 404):
        yield _sent(scene, answer)


def _sent(scene: Scene, answer: Probe) -> Finding:
    """What comes of one short message."""
    name = answer.provider.name
    scene.tell(f"sending {name} a message")
    started = time.monotonic()
    try:
        target = _target(scene, answer)
        order = Order(provider=name, timeout=60.0)
        request = Request(target.model, (Message("user", (Text(QUESTION),)),), max_tokens=MAX_TOKENS)
        run = Run(TRIAL, "", target=target)
        asking = runner(scene)
        fit, key = asking.fitted(target, request), asking.keys.best(target.provider)
        exchange = asking.exchange(target, fit, order, key=key)
        with scene.recorded(run, request, order):
            for event in scene.client().events(exchange, run.attempts):
                run.collector.note(event)
    except AixError as error:
        return fault(error, provider=name)
    seconds = round(time.monotonic() - started, 3)
    finish = run.response.finish
    model = finish.model if finish and finish.model else target.model
    return ok(f"{name}:{model} answers a message in {seconds:.2f} s", provider=name, model=model, seconds=seconds)


def _target(scene: Scene, answer: Probe) -> Target:
    """The model that a run would ask the provider for, or its first one."""
    try:
        return runner(scene).choose(Order(provider=answer.provider.name), "")
    except NotFoundError:
        if not answer.models:
            raise
        return Target(answer.provider, answer.models[0])
