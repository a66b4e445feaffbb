"""What is said where the log has nothing to show."""

from aix.cli.options import Shell
from aix.runs.logged import Choice

FIRST = "nothing is in the run log yet; aix run hello --name Ada -x would be the first"
OFF = "nothing is in the run log, which is off; aix config log full turns it on"


def nothing(shell: Shell, like_that: str) -> str:
    """`like_that` where there are other runs; else how there comes to be one."""
    if shell.app.log.list(Choice(limit=1)):
        return like_that
    return OFF if shell.app.settings.get("log").value == "off" else FIRST
