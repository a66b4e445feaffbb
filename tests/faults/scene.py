"""A prompt, a provider and a scripted server behind it: what every test of faults begins with."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from conftest import AIX, Aix, Result

from aix.config.paths import find_paths
from aix.config.secrets import Secret
from aix.config.settings import Settings
from aix.errors import AixError
from aix.llm.client import Client
from aix.llm.deadlines import USUAL, Deadlines
from aix.llm.exchange import Attempt, Exchange
from aix.llm.protocols import protocol
from aix.llm.providers import Providers
from aix.llm.routing import Target
from aix.messages import Message, Request, Text
from aix.runs.run import Order, Run
from aix.runs.runner import Runner

KEY = "sk-canary-0123456789abcdef"
PROMPT = "Say hello."
ASK = ("run", "ask", "-x", "--provider", "fake")
BUILT_IN = Providers({}, {})


def provide(library: Path, url: str, protocol_name: str = "openai-chat", **row: Any) -> None:
    """The prompt `ask` and the provider `fake` with a key, as a user would have written them."""
    fake = {"base_url": url, "protocol": protocol_name, "default_model": "m", **row}
    config = library / "config.json"
    config.write_text(json.dumps({"custom_providers": {"fake": fake}, "api_keys": {"fake": KEY}}))
    config.chmod(0o600)
    (library / "ask.md").write_text(PROMPT)


def ask(aix: Aix, *flags: str) -> Result:
    """Send the prompt with the real command. Nothing that a user may see ever holds the key or a traceback."""
    result = aix(*ASK, *flags)
    assert KEY not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "this is a bug" not in result.stderr
    return result


@contextmanager
def asking(
    *flags: str, stdout: int | IO[bytes] = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """The real command while it runs."""
    command = [str(AIX), *ASK, *flags]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()


def exchange(
    url: str,
    protocol_name: str = "openai-chat",
    *,
    stream: bool = True,
    timeout: float = 20.0,
    deadlines: Deadlines = USUAL,
    **row: Any,
) -> Exchange:
    """The same question without a command line."""
    provider = Providers({"fake": {"base_url": url, "protocol": protocol_name, **row}}, {}).get("fake")
    module = protocol(protocol_name)
    request = Request("m", (Message("user", (Text(PROMPT),)),))
    call = module.encode(request, provider.dialect, stream=stream)
    return Exchange(provider, "m", module, call, Secret(KEY), stream, timeout, deadlines=deadlines)


@dataclass(slots=True)
class Outcome:
    """How a question ended: `status` is the exit status that it would give."""

    text: str = ""
    error: AixError | None = None
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def status(self) -> int:
        return self.error.exit_code if self.error else 0


def outcome(question: Exchange, client: Client | None = None) -> Outcome:
    """Ask in this process, through the runner, which judges whether the answer is whole."""
    env: dict[str, str] = {}
    settings = Settings(find_paths(env, Path.cwd()), env)
    runner = Runner(settings, BUILT_IN, lambda: client or Client(env), env, lambda _: None)
    run, result, started = Run("ask", ""), Outcome(), time.monotonic()
    try:
        run.target = Target(question.provider, question.model)
        for _ in runner.send(run, Order(), lambda _: question):
            pass
    except AixError as error:
        result.error = error
    result.seconds = time.monotonic() - started
    result.text, result.attempts = run.response.text, run.attempts
    return result
