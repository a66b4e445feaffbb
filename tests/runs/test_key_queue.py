"""The keys of a provider in their order: each is looked for once, and one that was turned down is not the best."""

from collections.abc import Iterator

import pytest

from aix.config.secrets import Key, Secret
from aix.errors import AixError, AuthError, ProviderError, RateLimitError
from aix.runs.key_queue import KeyQueue, turned_down

ONE, AGAIN, TWO = Key(Secret("one"), "A"), Key(Secret("one"), "B"), Key(Secret("two"), "C")


def test_a_key_is_looked_for_when_it_is_asked_for_and_never_twice() -> None:
    looked_for: list[str] = []

    def keys() -> Iterator[Key]:
        for key in (ONE, AGAIN, TWO):
            looked_for.append(key.source)
            yield key

    queue = KeyQueue(keys())
    assert looked_for == []
    assert (queue.best(), queue.best(), looked_for) == (ONE, ONE, ["A"])
    assert (queue.after(ONE), looked_for) == (TWO, ["A", "B", "C"])
    assert (queue.best(), queue.after(TWO), queue.best()) == (TWO, None, TWO)
    assert (queue.find(ONE.secret), queue.find(Secret("three")), queue.find(None)) == (ONE, None, None)


def test_a_ring_can_be_empty() -> None:
    assert KeyQueue(iter(())).best() is None


def test_the_last_error_counts_the_keys_when_there_were_several() -> None:
    queue = KeyQueue(iter((ONE, TWO)))
    queue.best()
    assert queue.used_up(AixError("no", hint="pay")).hint == "pay"
    queue.after(ONE)
    assert queue.used_up(AixError("no")).hint == "all 2 keys were tried"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AuthError("no", status=401), "is not accepted"),
        (AuthError("no", status=400), "is not accepted"),
        (AuthError("no", status=403), "is not allowed this"),
        (RateLimitError("no", status=402), "has nothing left to spend"),
        (RateLimitError("no", status=429, reason="quota"), "has nothing left to spend"),
        (RateLimitError("no", status=429), "is at its limit"),
        (RateLimitError("no", status=529), ""),
        (ProviderError("no", status=500), ""),
    ],
)
def test_another_key_may_do_better_after_some_errors(error: AixError, said: str) -> None:
    assert turned_down(error) == said
