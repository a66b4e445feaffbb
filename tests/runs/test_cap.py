"""What one run may cost: how long an answer it pays for, and what it pays for none of."""

from decimal import Decimal
from typing import Any

import pytest

from aix.errors import RefusedError, UsageError
from aix.llm.catalogue import FREE, Model, Price, Rates
from aix.llm.providers import Dialect, Providers
from aix.llm.routing import Target
from aix.messages import Message, Request, Text
from aix.runs.cap import Cap
from aix.runs.fitting import Fitted
from aix.runs.flags import dollars_of

BOX = Target(Providers({"box": {"base_url": "http://127.0.0.1:9/v1"}}, {}).get("box"), "tiny")
LETTERS = 4000
"""So many letters are 1000 tokens by estimate, and taken to be 1500."""


def price(*figures: str) -> Price:
    return Price("list", "", Rates(*map(Decimal, figures)))


def fit(price: Price | None, *, asked: int | None = None, cut: int | None = None, **model: Any) -> Fitted:
    prices = (price,) if price else ()
    message = Message("user", (Text("x" * LETTERS),))
    request = Request("tiny", (message,), max_tokens=asked)
    return Fitted(request, Dialect(), Model("tiny", "box", prices=prices, **model), LETTERS // 4, cut=cut)


CHEAP = price("2", "10")


@pytest.mark.parametrize(
    ("most", "fitted", "cut"),
    [
        ("1", fit(CHEAP, max_output=8000), None),
        ("0.083", fit(CHEAP, max_output=8000), None),
        ("0.08299", fit(CHEAP, max_output=8000), 7999),
        ("0.00316", fit(CHEAP, max_output=8000), 16),
        ("0.013", fit(CHEAP, asked=1000, max_output=8000), None),
        ("0", fit(FREE), None),
        ("0", fit(FREE, max_output=8000, context=4000), None),
        ("0", fit(FREE, asked=1000), None),
        ("0.05", fit(CHEAP, context=4000), None),
        ("0.03", fit(CHEAP, context=4000), 2500),
        ("0.0105", fit(CHEAP, context=4000), 750),
        ("5", fit(CHEAP), 499_700),
        ("20", fit(CHEAP), None),
        ("1000000000000000", fit(CHEAP), None),
        ("0.083", fit(price("2", "10", "2", "2", "5"), max_output=8000), None),
        ("0.083", fit(price("2", "10", "2", "2", "20"), max_output=8000), 4000),
    ],
    ids=str,
)
def test_an_answer_is_cut_where_the_money_ends(most: str, fitted: Fitted, cut: int | None) -> None:
    assert Cap(Decimal(most)).cut(BOX, fitted) == cut


ANSWER = "by box:tiny may cost"


@pytest.mark.parametrize(
    ("cap", "fitted", "message", "hints"),
    [
        (Cap(Decimal(0)), fit(CHEAP), f"an answer of 16 tokens {ANSWER} ~$0.0032; the cap is $0.00", ["0.0032"]),
        (Cap(Decimal("1E-7")), fit(CHEAP), "the cap is $0.0000001", ["0.0032"]),
        (Cap(Decimal("0.01"), Decimal("0.0095")), fit(CHEAP), "~$0.0032, and $0.0095 is spent already", ["0.0127"]),
        (Cap(Decimal("0.01")), fit(CHEAP, asked=5000), f"an answer of 5000 tokens {ANSWER} ~$0.053", ["700", "0.0530"]),
        (Cap(Decimal("0.01")), fit(CHEAP, asked=500, cut=1524), f"an answer of 1524 tokens {ANSWER}", ["700"]),
        (Cap(Decimal(1)), fit(None), "box:tiny is unpriced, so the cap of $1.00 cannot be kept", []),
    ],
    ids=str,
)
def test_what_it_does_not_pay_for_is_refused(cap: Cap, fitted: Fitted, message: str, hints: list[str]) -> None:
    with pytest.raises(RefusedError) as caught:
        cap.cut(BOX, fitted)
    assert message in caught.value.message
    assert caught.value.reason == "max_cost"
    assert all(hint in caught.value.hint for hint in hints)


@pytest.mark.parametrize(
    ("most", "fitted", "message"),
    [
        ("0.083", fit(CHEAP, max_output=8000), ""),
        ("0.08", fit(CHEAP, max_output=8000), f"an answer of 8000 tokens {ANSWER} ~$0.083; the cap is $0.08"),
        ("0.08", fit(CHEAP, asked=100, cut=9000), f"an answer of 9000 tokens {ANSWER} ~$0.093; the cap is $0.08"),
        ("0.08", fit(CHEAP), f"an answer of any number of tokens {ANSWER} anything; the cap is $0.08"),
        ("0", fit(FREE), ""),
    ],
)
def test_an_answer_that_cannot_be_cut_is_checked_as_it_is(most: str, fitted: Fitted, message: str) -> None:
    try:
        Cap(Decimal(most)).check(BOX, fitted)
    except RefusedError as error:
        assert error.message == message
    else:
        assert message == ""


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.05", "0.05"), ("$0.05", "0.05"), (" $2 ", "2"), ("0", "0"), ("-0", "0"), ("1e-7", "0.0000001"), (".5", "0.5")],
)
def test_an_amount_is_taken_as_it_is_written(text: str, amount: str) -> None:
    assert str(dollars_of(text).normalize()) == str(Decimal(amount).normalize())


@pytest.mark.parametrize("text", ["-1", "0,05", "NaN", "inf", "1e999999", "1e16", "5 dollars", "", "$", "€5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-cost must be an amount of dollars"):
        dollars_of(text)
