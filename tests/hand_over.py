"""How a command is asked of the warm process of warm.py: its streams and its directory are handed over, the rest told.

This is also what the program does that shells call: it loads next to nothing, so it begins in a tenth of the time.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import marshal
import os
import sys

ENDING = (1, 2, 15)  # SIGHUP, SIGINT, SIGTERM


def hand_over(
    address: str, arguments: list[str], env: dict[str, str], streams: list[int], on_terminal: bool = False
) -> _socket.socket:
    """A connection that tells the command's number, and in the end its status. `streams` are its stdin, stdout and
    stderr, and its directory."""
    order = marshal.dumps((arguments, env, on_terminal))
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(address)
    rights = b"".join(stream.to_bytes(4, sys.byteorder) for stream in streams)
    connection.sendmsg([len(order).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    connection.sendall(order)
    return connection


def stand_in(address: str, installed: str) -> None:
    """Be as the command: pass signals on, and end as it ends. With a closed stream, which cannot be handed over, become
    the installed one."""
    arguments = sys.argv[1:]
    try:
        streams = [os.fstat(stream) and stream for stream in (0, 1, 2)]
    except OSError:
        os.execv(installed, [installed, *arguments])
    connection = hand_over(address, arguments, dict(os.environ), [*streams, os.open(".", os.O_RDONLY)])
    pid = int(connection.recv(16))
    for number in ENDING:
        _signal.signal(number, lambda number, _: os.kill(pid, number))
    status = int(connection.recv(32).split()[0])
    if status < 0:
        _signal.signal(-status, _signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
