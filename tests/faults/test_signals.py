"""Ctrl-C, a closed pipe and a full disk in the middle of an answer: what came is kept, and nobody sees a traceback."""

import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import STREAMS, Part, chat, error
from scene import ASK, asking, provide
from server import Server
from steps import Drip, Send, Stall, Tell, Until

SIGNALS = [signal.SIGINT, signal.SIGTERM]
SOON = 1.0
"""How long a process that was asked to end may take."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def ends(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal, and see that the process dies by it, soon and without a word."""
    started = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=20)
    assert time.monotonic() - started < SOON
    assert process.returncode == -number, process.stderr and process.stderr.read()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("protocol", STREAMS)
def test_a_signal_in_mid_stream_keeps_the_text(
    protocol: str, number: signal.Signals, server: Server, library: Path
) -> None:
    answer = STREAMS[protocol]("Hello", " world")
    first = next(count for count, part in enumerate(answer.parts, 1) if part.text)
    server.answers(answer.stalled_at(answer.after(first) + 20))
    provide(library, server.url, protocol)
    with asking() as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"Hello"
        ends(process, number)
        assert process.communicate() == (b"", b"")


@pytest.mark.parametrize("count", [1, 2, 5, 17, 60, 150])
def test_ctrl_c_loses_nothing_that_was_written_wherever_it_comes(count: int, server: Server, library: Path) -> None:
    words = [f"{number} " for number in range(1000)]
    answer = chat(*words)
    server.answers([Send(answer.head), Drip(answer.body, 300, 0.001)])
    provide(library, server.url)
    with asking() as process:
        assert process.stdout is not None
        start = b"".join(process.stdout.read(len(word)) for word in words[:count])
        ends(process, signal.SIGINT)
        assert "".join(words).encode().startswith(start + process.stdout.read())
        assert process.communicate() == (b"", b"")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_leaves_the_file_alone_and_keeps_the_text_beside_it(
    number: signal.Signals, server: Server, library: Path, home: Path
) -> None:
    reasoning = Part(b'data: {"choices": [{"delta": {"reasoning": "thinking"}}]}\n\n')
    answer = chat("Hello")
    parts = (answer.parts[0], reasoning)
    server.answers([Send(answer.framed("close").head + b"".join(part.data for part in parts)), Stall()])
    provide(library, server.url)
    (home / "out.md").write_text("old")
    master, terminal = pty.openpty()
    with asking("-o", "out.md", stderr=terminal) as process:
        os.close(terminal)
        seen = b""
        while b"thinking" not in seen:  # on a terminal the reasoning is shown, so the text before it has arrived
            seen += os.read(master, 1000)
        ends(process, number)
    os.close(master)
    assert (home / "out.md").read_text() == "old"
    assert (home / "out.md.partial").read_text() == "Hello"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_wait_for_the_first_byte(number: signal.Signals, server: Server, library: Path) -> None:
    asked = threading.Event()
    server.answers([Tell(asked), Stall()])
    provide(library, server.url)
    with asking() as process:
        assert asked.wait(20)
        ends(process, number)
        assert process.communicate() == (b"", b"")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_wait_between_two_attempts(number: signal.Signals, server: Server, library: Path) -> None:
    waiting = threading.Event()
    server.answers([Send(error(503, Retry_After="15").raw), Stall(), Tell(waiting)])
    provide(library, server.url)
    with asking() as process:
        assert waiting.wait(20)
        ends(process, number)
        assert process.communicate() == (b"", b"")
    assert len(server.requests) == 1


HANGING = """
    import socket, sys, threading
    def hang(*_, **__):
        print("looking", flush=True)
        threading.Event().wait(60)
    socket.getaddrinfo = hang
    from aix.cli.main import main
    sys.argv = ["aix", *sys.argv[1:]]
    main()
"""


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_look_up_that_hangs(number: signal.Signals, library: Path) -> None:
    provide(library, "http://slow.invalid", allow_http=True)
    command = [sys.executable, "-c", textwrap.dedent(HANGING), *ASK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"looking\n"
        ends(process, number)
        assert process.communicate() == (b"", b"")


def test_a_reader_that_leaves_ends_the_answer_by_sigpipe(server: Server, library: Path) -> None:
    left = threading.Event()
    answer = chat("one\n", "two\n", "three\n")
    server.answers([Send(answer.raw[: answer.after(1)]), Until(left), Send(answer.raw[answer.after(1) :])])
    provide(library, server.url)
    with asking() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        process.stdout.close()
        left.set()
        assert process.wait(timeout=20) == -signal.SIGPIPE
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_head_gets_its_line_and_the_shell_sees_141(server: Server, library: Path) -> None:
    server.answers(chat(*["line\n"] * 20_000))
    provide(library, server.url)
    line = f'{" ".join(["aix", *ASK])} | head -1; echo "${{PIPESTATUS[0]}}"'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=30, env={**os.environ, "PATH": path})
    assert (done.stdout, done.stderr) == (b"line\n141\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_a_storage_error(server: Server, library: Path) -> None:
    server.answers(chat("Hello"))
    provide(library, server.url)
    with open("/dev/full", "wb") as full, asking(stdout=full) as process:
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 13
    assert stderr.startswith(b"aix: error: cannot write standard output: no space left on device\n")
    assert b"Traceback" not in stderr


def test_a_closed_stdout_is_a_storage_error(server: Server, library: Path) -> None:
    server.answers(chat("Hello"))
    provide(library, server.url)
    line = f"exec {Path(sys.executable).parent / 'aix'} {' '.join(ASK)} >&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.count(b"aix: error:")) == (13, 1)
    assert b"Traceback" not in done.stderr
