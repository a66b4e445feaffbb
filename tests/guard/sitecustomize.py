"""Loaded by every Python that a test starts: the network beyond loopback does not exist, nor do model servers that
happen to run on the machine."""

import sys
from typing import Any

LOOPBACK = ("127.", "::1", "localhost")
MODEL_SERVERS = (11434, 1234, 8000, 8080)
"""Where Ollama, LM Studio, vLLM and llama.cpp listen; a test that wants one has its own, at another port."""


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host, port = str(arguments[1][0]), arguments[1][1]
    if not host.startswith(LOOPBACK):
        raise PermissionError(f"a test must not connect to {arguments[1]}")
    if port in MODEL_SERVERS:
        raise ConnectionRefusedError(111, "Connection refused")


sys.addaudithook(refuse)
