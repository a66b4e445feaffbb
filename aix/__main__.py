"""Where the process begins: `aix`, and `python -m aix`.

Ctrl-C while the modules load ends it at once and without a word; the command line then takes over with what it keeps.
"""

import signal
from typing import NoReturn


def main() -> NoReturn:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell had it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from aix.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
