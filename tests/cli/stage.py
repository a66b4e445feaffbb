"""What the tests of the command line share: prompts on the disk, a model on this machine, and a terminal."""

import io
import json
import os
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pexpect
import pyte  # type: ignore[import-not-found,unused-ignore]
from conftest import AIX, WARM, Result
from pexpect.fdpexpect import fdspawn

NOT_SENT = "aix: rendered, not sent; add -x to send\n"
SECONDS = 30.0
"""How long anything may take before a test gives up."""
ROWS = 60
"""How high a terminal is: the longest help fits."""


def write(library: Path, name: str, text: str) -> Path:
    """A prompt file in the library."""
    path = library / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def configure(library: Path, **settings: Any) -> None:
    """config.json as aix itself would leave it."""
    path = library / "config.json"
    path.write_text(json.dumps(settings))
    path.chmod(0o600)


def echoed(*messages: str, options: str = "") -> str:
    """What `echo` answers when it is given user messages, or `role: text` ones."""
    heading = f"echo was asked{f' with {options}' if options else ''}:"
    return "\n\n".join([heading, *(_said(message) for message in messages)]) + "\n"


def _said(message: str) -> str:
    role, colon, text = message.partition(": ")
    return f"[{role}]\n{text}" if colon and role in ("system", "assistant") else f"[user]\n{message}"


def shell(script: str, *arguments: str, cwd: Path | None = None, without: tuple[str, ...] = ()) -> Result:
    """Run a line of sh in which "$AIX" is the command and "$@" are the arguments."""
    env = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        ["sh", "-c", script, "sh", *arguments],
        env={**env, "AIX": str(WARM.command)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd,
        timeout=SECONDS,
        check=False,
    )
    return Result(done.stdout.decode(), done.stderr.decode(), done.returncode)


@dataclass(slots=True)
class Model:
    """A model that says what a test tells it to, and keeps what it was asked."""

    port: int = 0
    name: str = "tiny-1"
    text: tuple[str, ...] = ("Good day.",)
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = "stop"
    error: tuple[int, str] | None = None
    turns: list[str | tuple[int, str]] = field(default_factory=list)
    """What it says to each question, where that is not the same every time."""
    models: tuple[str, ...] = ("tiny", "big")
    key: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    said: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    @property
    def provider(self) -> dict[str, Any]:
        return {"base_url": f"http://127.0.0.1:{self.port}/v1", "default_model": "tiny"}

    def take_turn(self) -> None:
        """Go on to what is said next."""
        if self.turns:
            said = self.turns.pop(0)
            self.text, self.error = ((said,), None) if isinstance(said, str) else (self.text, said)

    def deltas(self) -> Iterator[dict[str, Any]]:
        if self.reasoning:
            yield {"reasoning_content": self.reasoning}
        yield from ({"content": piece} for piece in self.text)
        for index, (name, arguments) in enumerate(self.calls):
            yield {
                "tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": name, "arguments": arguments}}]
            }

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.text), "reasoning_content": self.reasoning or None}
        return {"model": self.name, "choices": [{"message": message, "finish_reason": self.finish}], "usage": USAGE}


USAGE = {"prompt_tokens": 11, "completion_tokens": 7}


@contextmanager
def serving(library: Path, **settings: Any) -> Iterator[Model]:
    """A Model that listens on loopback as the custom provider `box`, which is the default one."""
    model = Model()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model))
    model.port = server.server_address[1]
    configure(library, **{"default_provider": "box", "custom_providers": {"box": model.provider}, **settings})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if model.key and self.headers["Authorization"] != f"Bearer {model.key}":
                self._json(401, {"error": {"message": "wrong key"}})
            else:
                self._json(200, {"object": "list", "data": [{"id": name} for name in model.models]})

        def do_POST(self) -> None:
            model.headers.append(dict(self.headers))
            model.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            model.take_turn()
            if model.error:
                self._json(model.error[0], {"error": {"message": model.error[1]}})
            elif self.path == "/api/chat":
                self._lines()
            elif model.asked[-1]["stream"]:
                self._stream()
            else:
                self._json(200, model.whole())

        def _json(self, status: int, value: Mapping[str, Any]) -> None:
            self._head(status, "application/json")
            self.wfile.write(json.dumps(value).encode())

        def _stream(self) -> None:
            self._head(200, "text/event-stream")
            for delta in model.deltas():
                self._frame({"model": model.name, "choices": [{"delta": delta}]})
            model.said.set()
            model.go_on.wait(SECONDS)
            if model.finish:
                self._frame({"choices": [{"delta": {}, "finish_reason": model.finish}]})
                self._frame({"choices": [], "usage": USAGE})

        def _lines(self) -> None:
            """The answer as Ollama itself gives it."""
            self._head(200, "application/x-ndjson")
            counts = {"prompt_eval_count": USAGE["prompt_tokens"], "eval_count": USAGE["completion_tokens"]}
            said = [{"message": {"content": piece}} for piece in model.text]
            for line in (*said, {"model": model.name, "done": True, "done_reason": model.finish, **counts}):
                self.wfile.write(json.dumps(line).encode() + b"\n")

        def _head(self, status: int, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()

        def _frame(self, value: Mapping[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    return Handler


class Window(fdspawn):  # type: ignore[misc,type-arg,unused-ignore]
    """A terminal on which the warm process is the command, driven like those that pexpect starts."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], size: tuple[int, int]) -> None:
        driver, terminal = os.openpty()
        termios.tcsetwinsize(terminal, size)
        self._running = WARM.run(arguments, env, Path.cwd(), [terminal] * 3, on_terminal=True)
        os.close(terminal)
        self.exitstatus: int | None = None
        self.signalstatus: int | None = None
        super().__init__(driver, timeout=SECONDS)

    def kill(self, number: int) -> None:
        os.kill(self._running.pid, number)

    def close(self) -> None:
        """Close the window, and wait for the command's end."""
        super().close()
        status = self._running.wait(SECONDS)
        self.exitstatus, self.signalstatus = (status, None) if status >= 0 else (None, -status)


class Terminal:
    """The real command on a terminal of its own. `raw` is all that it wrote there, `screen` what a person sees.

    Where a `script` says how it starts, sh runs that, in which "$AIX" is the installed command and "$@" the arguments.
    """

    def __init__(
        self, *arguments: str, env: Mapping[str, str] | None = None, script: str = "", columns: int = 80
    ) -> None:
        self._written = io.BytesIO()
        self._columns = columns
        environment = {**os.environ, "AIX": str(AIX), "PROMPT_TOOLKIT_NO_CPR": "1", **(env or {})}
        size = (ROWS, columns)
        self._child: Any = (
            pexpect.spawn("sh", ["-c", script, "sh", *arguments], env=environment, dimensions=size, timeout=SECONDS)
            if script
            else Window(arguments, environment, size)
        )
        self._child.delaybeforesend = None
        self._child.logfile_read = self._written

    def wait_for(self, text: str) -> None:
        self._child.expect_exact(text.encode())

    def choose(self, text: str) -> None:
        """Move the pointer of a question down to a choice, and press Enter."""
        self.wait_for("»")
        while not (at := self._pointed_at).startswith(text):
            self.type("\x1b[B")
            while self._pointed_at == at:
                self._child.read_nonblocking(4096, timeout=SECONDS)
        self.type("\r")

    @property
    def _pointed_at(self) -> str:
        return self.screen.rpartition("»")[2].partition("\n")[0].strip()

    def type(self, text: str) -> None:
        self._child.send(text)

    def press_control_c(self) -> None:
        self.type("\x03")

    def signal(self, number: int) -> None:
        self._child.kill(number)

    def end(self) -> int:
        """Wait for the end; the exit status, or minus the signal that the command died by."""
        self._child.expect_exact(pexpect.EOF)
        self._child.close()
        signal = self._child.signalstatus
        return -signal if signal is not None else int(self._child.exitstatus)

    @property
    def raw(self) -> bytes:
        return self._written.getvalue()

    @property
    def screen(self) -> str:
        display = pyte.Screen(self._columns, ROWS)
        pyte.ByteStream(display).feed(self.raw)
        return "\n".join(line.rstrip() for line in display.display).rstrip("\n") + "\n"
