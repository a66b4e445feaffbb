"""Loaded by every Python that a test starts: the network beyond loopback does not exist."""

import sys
from typing import Any

LOOPBACK = ("127.", "::1", "localhost")


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not str(arguments[1][0]).startswith(LOOPBACK):
        raise PermissionError(f"a test must not connect to {arguments[1]}")


sys.addaudithook(refuse)
