"""`sh(…)` in a prompt that is trusted: a command run by the shell, within bounds, its output a plain text.

Its values are the command's `$1`, `$2`, …: the shell reads nothing in them, and none can be an option unless the prompt
says so. All that it started in its own process group ends with it.
"""

import datetime
import math
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aix.config.processes import end_group, signals_held
from aix.errors import TemplateError
from aix.library.trust.commands import Sh

SECONDS = 30.0
TOLD_AFTER = 1.0
"""After how many seconds a person is told what is waited for."""
MAX_OUTPUT = 1024 * 1024
MOST = 32
SAID = 300
"""How much is shown of what a command that failed said on stderr."""
SHORT = 8
"""A secret with fewer letters than this is looked for as a whole value only: a piece of that length means nothing."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Machine:
    """Where commands run. `env` has no keys; `choices` are values that may begin with a dash, as the prompt itself
    lists them; `secrets` are values that the list of processes is not to show; `notice` is told what is waited for."""

    cwd: Path
    env: Mapping[str, str]
    choices: Collection[str] = ()
    secrets: Collection[str] = ()
    notice: Callable[[str], None] = _silent
    seconds: float = SECONDS
    max_output: int = MAX_OUTPUT
    most: int = MOST


def running(machine: Machine) -> Sh:
    """For a prompt that is trusted: each call runs `sh -c`, and gives what it writes. Raises TemplateError."""
    count = 0

    def sh(command: str, *values: object) -> str:
        nonlocal count
        count += 1
        if count > machine.most:
            raise TemplateError(f"a prompt can run {machine.most} commands at most")
        arguments = [_argument(value, command, machine.choices) for value in values]
        if any(_shows(text, secret) for secret in machine.secrets for text in (command, *arguments)):
            hint = "everybody on this machine could see it in the list of processes"
            raise _failed("…", "is given a secret value", hint)
        return _run(command, arguments, machine)

    return sh


def _argument(value: object, command: str, choices: Collection[str]) -> str:
    """A value as an argument, which can be no option of the command's. Raises TemplateError."""
    infinite = isinstance(value, float) and not math.isfinite(value)  # to a command, -inf is -i, -n and -f
    if value is None or (isinstance(value, bool | int | float | datetime.date) and not infinite):
        return "" if value is None else str(value)
    if isinstance(value, list | tuple | dict):
        raise _failed(command, f"cannot have a {type(value).__name__} as a value", "join it to a text first")
    value = str(value)  # one that is undefined says so now
    if "\0" in value:
        raise _failed(command, "cannot have a value that holds a NUL byte")
    if value.startswith("-") and value not in choices:
        shown = value if len(value) <= 40 else value[:40] + "…"
        raise _failed(command, f"would take the value '{shown}' for an option", "a value must not begin with -")
    return value


def _shows(text: str, secret: str) -> bool:
    return text == secret or (len(secret) >= SHORT and secret in text)


def _run(command: str, values: list[str], machine: Machine) -> str:
    process = None
    try:
        with signals_held():
            process = _started(command, values, machine)
        out, err = _outputs(process, command, machine)
    finally:
        if process is not None:
            end_group(process)
    if process.returncode:
        said = " ".join(err.decode(errors="replace").split())[:SAID]
        raise _failed(command, f"ended with status {process.returncode}{f': {said}' if said else ''}")
    return out.decode(errors="replace").rstrip("\n")


def _started(command: str, values: list[str], machine: Machine) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            ["/bin/sh", "-c", command, "sh", *values],
            cwd=machine.cwd,
            env=dict(machine.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _failed(command, f"cannot be run: {getattr(error, 'strerror', None) or error}") from None


def _outputs(process: "subprocess.Popen[bytes]", command: str, machine: Machine) -> tuple[bytes, bytes]:
    """All that it writes, until both ends are closed and it has ended. Raises TemplateError."""
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = bytearray(), bytearray()
    began = time.monotonic()
    deadline, told = began + machine.seconds, False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, err)
        while selector.get_map():
            until = deadline if told else min(deadline, began + TOLD_AFTER)
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                raise _late(process, command, machine)
            if not told and time.monotonic() >= began + TOLD_AFTER:
                machine.notice(f"running {_short(command)}")
                told = True
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                key.data.extend(data)
                if not data:
                    selector.unregister(key.fileobj)
            if len(out) > machine.max_output:
                raise _failed(command, f"wrote more than {machine.max_output // 1024} KiB")
            del err[machine.max_output :]
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _late(process, command, machine) from None
    return bytes(out), bytes(err)


def _late(process: "subprocess.Popen[bytes]", command: str, machine: Machine) -> TemplateError:
    if process.poll() is None:
        return _failed(command, f"took longer than {machine.seconds:g} s")
    return _failed(
        command,
        f"left something running that keeps its output open for more than {machine.seconds:g} s",
        "send the output of what goes on elsewhere: … > /dev/null 2>&1 &",
    )


def _failed(command: str, what: str, hint: str = "") -> TemplateError:
    return TemplateError(f"the command `{_short(command)}` {what}", hint=hint)


def _short(command: str) -> str:
    shown = " ".join(command.split())
    return shown if len(shown) <= SAID else shown[:SAID] + "…"
