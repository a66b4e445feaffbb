"""`aix provider quick-setup`: the model servers that run on this machine, and one of them for all that is asked."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from aix.cli import ask
from aix.cli.options import Shell, Yes
from aix.config.settings import default_model_key
from aix.errors import NotFoundError, UsageError
from aix.llm.probe import Probe, has

HELP = """Find a model server on this machine, and ask it from now on.

It looks for Ollama, LM Studio, vLLM, llama.cpp and your own where they usually listen.

\b
  aix provider quick-setup
  aix provider quick-setup --yes        takes the first, with its first model
"""


def register(noun: typer.Typer) -> None:
    noun.command("quick-setup", help=HELP)(quick_setup)


def quick_setup(
    ctx: typer.Context,
    local_model: Annotated[
        str, typer.Option("--model", "-m", metavar="MODEL", help="The model, without a question.")
    ] = "",
    yes: Yes = False,
) -> None:
    shell: Shell = ctx.obj
    found = look(shell)
    if not found:
        raise _nobody(shell)
    ready = [answer for answer in found if answer.models and (not local_model or has(answer.models, local_model))]
    if not ready:
        raise _no_model(found, local_model)
    if not yes and not shell.console.person_is_there:
        names = ", ".join(f"{answer.provider.name} ({summary(answer.models)})" for answer in ready)
        raise UsageError(f"there is nobody to ask which: {names}", hint="add --yes for the first")
    chosen = ready[0] if yes or len(ready) == 1 else _chosen(ready)
    model = local_model or (chosen.models[0] if yes else _model(chosen))
    _save(shell, chosen.provider.name, model)


def look(shell: Shell) -> list[Probe]:
    """The model servers of this machine that answer now."""
    shell.console.progress("looking for models on this machine")
    found = shell.app.local_servers()
    shell.console.done_waiting()
    return found


def summary(models: Sequence[str]) -> str:
    """`tiny, big and 3 more`."""
    more = f" and {len(models) - 2} more" if len(models) > 2 else ""
    return f"{', '.join(models[:2]) or 'no model yet'}{more}"


def _chosen(found: Sequence[Probe]) -> Probe:
    width = max(len(answer.provider.name) for answer in found)
    offers = {answer.provider.name: f"{answer.provider.name:<{width}}  {summary(answer.models)}" for answer in found}
    name = ask.choose("Which one?", offers)
    return next(answer for answer in found if answer.provider.name == name)


def _model(chosen: Probe) -> str:
    """The model that a person chooses, also of one: that is where they say no."""
    return ask.choose(f"Which model of {chosen.provider.name}?", chosen.models)


def _save(shell: Shell, name: str, model: str) -> None:
    settings, console = shell.app.settings, shell.console
    values: dict[str, Any] = {"default_provider": name, default_model_key(name): model}
    old = settings.find("default_model")
    settings.save_all({**values, "default_model": None})
    console.note(f"saved in {shell.app.paths.config}: {name} is asked from now on, with {model}")
    if old:
        console.note(f"default_model, which was {old}, is no longer set")
    for key in ("default_provider", "default_model"):
        if variable := settings.variable_over(key):
            console.warn(f"{variable} is set in the environment and wins over it")
    console.note("next: aix run hello --name Ada -x")


def _nobody(shell: Shell) -> NotFoundError:
    """No server: where was looked, and what starts one."""
    asked = shell.app.providers.local()
    looked = ", ".join(f"{provider.name} at {provider.base_url}" for provider in asked)
    start = [f"start one: {provider.start}" for provider in asked if provider.start][:1]
    return NotFoundError(
        "no model server answers on this machine",
        hint="\n".join((f"looked for {looked}", *start, "elsewhere: aix provider add NAME URL")),
        reason="provider",
    )


def _no_model(found: Sequence[Probe], model: str) -> NotFoundError:
    names = " and ".join(answer.provider.name for answer in found)
    if model:
        listed = "\n".join(f"{answer.provider.name} has {summary(answer.models)}" for answer in found)
        return NotFoundError(f"there is no model {model} at {names}", hint=listed, reason="model")
    pulls = [answer.provider.pull for answer in found if answer.provider.pull]
    return NotFoundError(
        f"there is no model yet at {names}",
        hint=pulls[0].format(model="llama3.2") if pulls else "load one there, and run this again",
        reason="model",
    )
