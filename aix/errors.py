"""Every error that aix raises on purpose, as one tree.

AixError (1)
├── UsageError (2)          bad flags; a missing, empty or wrong param
├── IncompleteError (3)     text without its end mark, length limit, refusal, mid-stream error
├── AuthError (4)           no key; 401, 403
├── NotFoundError (5)       prompt, model, provider; 404
├── TemplateError (6)       front matter, syntax, undefined, sandbox, render limit
├── NetworkError (7)        DNS, connect, TLS, proxy, redirect
├── RateLimitError (8)      429, quota, 402, 529, after the retries
├── ProviderError (9)       5xx, other 4xx, malformed, oversized or empty answer
├── DeadlineError (10)      the deadline before any text; 408
├── RefusedError (11)       untrusted content, a cap, a limit, a deny list
├── ConfigError (12)        unreadable, invalid or unsafe config
├── StorageError (13)       disk full, read-only, lock timeout
└── CheckError (15)         --fail-if was true

An error is raised once, where the fault is known, with what to do next; `cli/main.py` alone turns it into a message
and an exit status.
"""

from collections.abc import Callable
from typing import Any, ClassVar

AGAIN = "run the command again"
"""The hint of a failure that may not come twice; where the run is in the log, `aix rerun` takes its place."""


class AixError(Exception):
    """An error with one clear sentence, an exit status, and what to do next.

    `cause` is the provider's own words (untrusted text), `hint` a command that can be run, `reason` a word that a
    script can compare, `request_id` the provider's name for the failed call.
    """

    exit_code: ClassVar[int] = 1
    name: ClassVar[str] = "ERROR"

    def __init__(
        self, message: str, *, hint: str = "", cause: str = "", reason: str = "", request_id: str = "", status: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause
        self.reason = reason
        self.request_id = request_id
        self.status = status
        """The HTTP status that was answered; 0 where there was none."""
        self.wait: float | None = None
        """For how many seconds the provider asks us to leave it alone; None where it does not say."""
        self.response: Any = None
        """Of a call from Python: what had come by then, as an `aix.Response`; None where nothing was sent."""

    def reword(self, change: Callable[[str], str]) -> None:
        """Put all that the error says through `change`."""
        self.message, self.hint = change(self.message), change(self.hint)
        self.cause, self.request_id = change(self.cause), change(self.request_id)
        self.args = (self.message,)


class UsageError(AixError):
    """The command line, or a value on it, is wrong."""

    exit_code = 2
    name = "USAGE"


class IncompleteError(AixError):
    """Something was answered, and it is not the whole answer."""

    exit_code = 3
    name = "INCOMPLETE"


class AuthError(AixError):
    """There is no key, or the provider does not accept it."""

    exit_code = 4
    name = "AUTH"


class NotFoundError(AixError):
    """A prompt, model or provider of that name does not exist."""

    exit_code = 5
    name = "NOT_FOUND"


class TemplateError(AixError):
    """A prompt file cannot be read or rendered."""

    exit_code = 6
    name = "TEMPLATE"


class NetworkError(AixError):
    """The provider could not be reached, or not safely."""

    exit_code = 7
    name = "NETWORK"


class RateLimitError(AixError):
    """The provider wants us to wait, or to pay."""

    exit_code = 8
    name = "RATE_LIMIT"


class ProviderError(AixError):
    """The provider failed, or answered with something that is not an answer."""

    exit_code = 9
    name = "PROVIDER"


class DeadlineError(AixError):
    """Nothing came before the deadline."""

    exit_code = 10
    name = "TIMEOUT"


class RefusedError(AixError):
    """aix itself refuses: untrusted content, a cap, a limit, a deny list."""

    exit_code = 11
    name = "REFUSED"


class ConfigError(AixError):
    """config.json is unreadable, invalid or unsafe."""

    exit_code = 12
    name = "CONFIG"


class StorageError(AixError):
    """The disk refused."""

    exit_code = 13
    name = "STORAGE"


class CheckError(AixError):
    """The answer is whole, and what the user does not want to see in it is true of it."""

    exit_code = 15
    name = "CHECK"
