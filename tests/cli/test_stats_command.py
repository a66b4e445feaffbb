"""`aix stats` through the real command: the same figures on a terminal, in a pipe, as JSON and as a page."""

import json
import re
import stat
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import Terminal, configure

from aix.cli.stats_page import Told, page
from aix.cli.stats_table import drawn
from aix.llm.exchange import Attempt
from aix.runs.logged import Choice
from aix.runs.runlog import RunLog
from aix.runs.stats import Fact, figures, rows

NOW = datetime.now().astimezone()
TODAY = NOW.date().isoformat()
CENT = 10**10
HOSTILE = "<script>alert('x')</script>"
SPAN = f"{NOW.date() - timedelta(days=29)} to {TODAY}, on this machine only"


def logged(home: Path, *, days_ago: int = 0, error: str | None = None, **columns: object) -> None:
    """A run in the log, as it stands there after its end."""
    log = RunLog(home / ".local" / "share" / "aix" / "runs.db")
    started = int((NOW - timedelta(days=days_ago)).timestamp() * 1000)
    usual = {"prompt": "commit", "layer": "user", "digest": "", "asked": "", "provider": "openai", "model": "gpt-5.5"}
    row = {**usual, "estimated": 0, "reported": 1, "started": started, "ended": started + 1, "error": error, **columns}
    log.end(log.begin(row), {"first_token": 0.5}, [Attempt("openai", "gpt-5.5", 200, "", 2.5, 0.5)])


@pytest.fixture
def three(home: Path) -> Path:
    """Three runs: two today, one of them with what is cached and reasoned, and one that is unpriced two days ago."""
    logged(home, input_tokens=1000, output_tokens=100, cost=3 * CENT, cache_read_tokens=600, reasoning_tokens=20)
    logged(home, input_tokens=500, output_tokens=50, cost=CENT + 1, reported=0)
    logged(home, days_ago=2, prompt="review", provider="box", model="tiny", input_tokens=10, output_tokens=4)
    return home


def test_without_a_log_it_says_how_to_begin_and_makes_none(aix: Aix, home: Path) -> None:
    said = "aix: nothing is in the run log yet; aix run hello --name Ada -x would be the first\n"
    assert aix("stats") == Result("", said, 0)
    shown = json.loads(aix("stats", "--json").stdout)
    assert (shown["ok"], shown["rows"], shown["total"]["runs"], shown["total"]["cost"]) == (True, [], 0, "0")
    assert not (home / ".local").exists()


def test_where_the_log_is_off_it_says_so(aix: Aix, library: Path) -> None:
    configure(library, log="off")
    said = "aix: nothing is in the run log, which is off; aix config log full turns it on\n"
    assert aix("stats") == Result("", said, 0)


def test_where_no_run_is_like_that_it_says_where_to_look(aix: Aix, three: Path) -> None:
    done = aix("stats", "--prompt", "nobody", "--until", "2020-01")
    assert (done.stdout, done.status) == ("", 0)
    assert "no run is like that from 2020-01-02 to 2020-01-31; aix log list shows the last ones" in done.stderr


def test_a_pipe_gets_all_digits_a_row_a_line(aix: Aix, three: Path) -> None:
    done = aix("stats")
    first, between, last = (line.split("\t") for line in done.stdout.splitlines())
    assert first[1:] == ["1", "0", "10", "0", "4", "0", "unpriced", "0", "1", "0.500", "2.0"]
    assert between[1:] == ["0", "0", "0", "0", "0", "0", "0", "0", "0", "", ""]
    assert last == [TODAY, "2", "0", "1500", "600", "150", "20", "0.040000000001", "1", "0", "0.500", "37.5"]
    assert done.stderr.splitlines() == [
        f"aix: {SPAN}",
        "aix: unpriced: 1 run, whose cost is in no sum",
        "aix: estimated (~): 1 run, for which no provider reported the price or the tokens",
    ]


def test_a_terminal_gets_bars_and_what_there_is_to_know(three: Path) -> None:
    terminal = Terminal("stats", "--by", "model", columns=140)
    assert terminal.end() == 0
    heading, dear, unpriced, total, _, *foot = terminal.screen.splitlines()
    headings = ["runs", "in", "cached", "out", "reasoning", "cost", "unpriced", "1st token", "tokens/s", "by cost"]
    assert re.split("  +", heading.strip()) == headings
    assert re.fullmatch(r"openai:gpt-5\.5 +2 +1\.5k +40 % +150 +20 +~\$0\.04 +0\.5 s +38  █+", dear)
    assert re.fullmatch(r"box:tiny +1 +10 +4 +unpriced +1 +0\.5 s +2", unpriced)
    assert re.fullmatch(r"total +3 +1\.51k +40 % +154 +20 +~\$0\.04 +1 +0\.5 s +25", total)
    assert foot[0] == SPAN


def test_json_has_every_figure(aix: Aix, three: Path) -> None:
    shown = json.loads(aix("stats", "--by", "prompt", "--json").stdout)
    assert [row["name"] for row in shown["rows"]] == ["commit", "review"]
    assert shown["total"] == {
        "runs": 3,
        "failed": 0,
        "unfinished": 0,
        "input_tokens": 1510,
        "cache_read_tokens": 600,
        "output_tokens": 154,
        "reasoning_tokens": 20,
        "cost": "0.040000000001",
        "cost_is_estimate": True,
        "unpriced": 1,
        "estimated": 1,
        "first_token": 0.5,
        "tokens_per_second": 25.0,
    }
    rest = {key: shown[key] for key in shown if key not in ("rows", "total", "since", "until")}
    about = {"by": "prompt", "unpriced": 1, "estimated": 1, "machine_only": True}
    assert rest == {"version": 1, "ok": True, **about, "error": None}


def test_the_last_month_is_the_one_before_this(aix: Aix, home: Path) -> None:
    logged(home)
    logged(home, days_ago=NOW.day)
    shown = json.loads(aix("stats", "--month", "last", "--by", "month", "--json").stdout)
    before = NOW - timedelta(days=NOW.day)
    assert [(row["name"], row["runs"]) for row in shown["rows"]] == [(f"{before:%Y-%m}", 1)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "year"], "--by takes day, week, month, model, provider, prompt, not 'year'"),
        (["--month", "2026-11-01"], "--month: '2026-11-01' is not a month"),
        (["--month", "2026-13"], "--month: '2026-13' is not a time"),
        (["--month", "     7d"], "--month: '     7d' is not a month"),
        (["--month", "last", "--since", "7d"], "--month is a time of its own"),
        (["--since", "a while"], "--since: 'a while' is not a time"),
        (["--since", "2026-02-01", "--until", "2026-01"], "there is nothing from 2026-02-01 00:00 to 2026-02-01 00:00"),
        (["--prompt", ""], "--prompt is empty"),
        (["--html", ""], "--html is empty"),
        (["--html", "no/such/page.html"], "--html "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_use_is_told_with_an_example(arguments: list[str], said: str, aix: Aix) -> None:
    done = aix("stats", *arguments)
    first, *rest = done.stderr.splitlines()
    assert (done.stdout, first.startswith(f"aix: error: {said}"), done.status) == ("", True, 2)
    assert rest[:1] == [] or rest[0].startswith("  hint: ")


def test_limits_stand_at_the_foot(aix: Aix, three: Path) -> None:
    (three / ".prompts").mkdir()
    configure(three / ".prompts", limits=[{"per": "month", "cost": 5}, {"per": "run", "cost": 1}])
    assert "aix: limit: $0.04 of $5.00 per month" in aix("stats", "--since", "today").stderr


def fact(day: date, *, prompt: str = "commit", provider: str = "openai", model: str = "gpt-5.5", cost: int = 1) -> Fact:
    started = int(datetime(day.year, day.month, day.day, 12).timestamp() * 1000)
    return Fact(started, prompt, provider, model, 0, 0, 1000, 300, 200, 10, 0, 1, cost * CENT, 0.5, 2.0)


DAYS = [date(2026, 10, 1) + timedelta(days=days) for days in range(30)]
LONG = "a-provider-with-quite-a-name:organisation/some-model-of-a-family-Instruct-2026-05-AWQ-int4"


@pytest.mark.parametrize("room", [40, 80, 200])
@pytest.mark.parametrize("by", ["day", "model", "prompt"])
@pytest.mark.parametrize("symbols", [True, False])
def test_a_table_fits_the_terminal(room: int, by: str, symbols: bool) -> None:
    some = [fact(day, prompt="校對-文章", model=LONG if day.day % 2 else "\x1b[31mred", cost=day.day) for day in DAYS]
    lines = drawn(rows(some, by, DAYS[-1]), figures(some), room, symbols=symbols)
    assert all(len(line) + sum("\u2e80" < letter < "\uff00" for letter in line) <= room for line in lines)
    assert "\x1b" not in "".join(lines)
    assert all(line.endswith("█" if symbols else "#") for line in lines if "30" in line.split()[:1])


@pytest.mark.parametrize(("symbols", "bars"), [(True, ["██████████", "█████", "▏"]), (False, ["#" * 10, "#" * 5, "#"])])
def test_bars_are_as_long_as_what_they_stand_for(symbols: bool, bars: list[str]) -> None:
    some = [fact(day, cost=cost) for day, cost in zip(DAYS, (1000, 500, 1), strict=False)]
    _, *lines, _ = drawn(rows(some, "day", DAYS[2]), figures(some), 36, symbols=symbols)
    assert [line.split()[-1] for line in lines] == bars


@pytest.mark.parametrize(
    ("some", "by"),
    [
        ([fact(DAYS[0])], "by cost"),
        ([fact(DAYS[0])._replace(cost=None)], "by tokens"),
        ([fact(DAYS[0])._replace(cost=0, input_tokens=0, output_tokens=0, failed=1)], "by runs"),
    ],
)
def test_bars_are_drawn_by_what_there_is(some: list[Fact], by: str) -> None:
    assert drawn(rows(some, "day", DAYS[0]), figures(some), 80, symbols=True)[0].endswith(by)


class Page(HTMLParser):
    """A page as a browser takes it: its elements, what is written in them, and whether each is closed in its turn."""

    EMPTY = ("meta", "line", "rect", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open += [tag] if tag not in self.EMPTY else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def told(some: list[Fact], by: str = "day", choice: Choice | None = None) -> str:
    last = max((datetime.fromtimestamp(one.started / 1000).date() for one in some), default=DAYS[-1])
    return page(Told(some, choice or Choice(), last, by, ["October, on this machine only", "unpriced: 3 runs"]))


def test_names_of_strangers_are_text_on_the_page() -> None:
    quoted = '"><img src=x onerror=alert(1)>\u202e'
    some = [fact(day, prompt=HOSTILE, provider=quoted, model=HOSTILE) for day in DAYS]
    some += [fact(day, provider=HOSTILE) for day in DAYS]
    found = Page(told(some, choice=Choice(prompt=HOSTILE, provider=quoted)))
    assert {"script", "img"} & {tag for tag, _ in found.tags} == set()
    assert HOSTILE in found.words
    assert any('"><img src=x onerror=alert(1)>\\u202e' in words for words in found.words)
    assert "\u202e" not in "".join(found.words)


@pytest.mark.parametrize(
    "some",
    [
        [],
        [fact(DAYS[0])],
        [fact(day) for day in DAYS],
        [fact(DAYS[0] + timedelta(days=7 * weeks)) for weeks in range(300)],
        [fact(day)._replace(cost=None, first_token=None, writing=None) for day in DAYS],
        [fact(day, cost=0)._replace(failed=1, input_tokens=0, output_tokens=0, reasoning_tokens=0) for day in DAYS],
        [fact(day, provider=f"provider-{day.day}", cost=day.day) for day in DAYS],
    ],
    ids=["none", "one", "a month", "years", "unpriced", "all failed", "many providers"],
)
def test_the_page_is_whole_and_asks_nobody_for_anything(some: list[Fact]) -> None:
    found = Page(told(some))
    kinds = {tag for tag, _ in found.tags}
    names = {name for _, attributes in found.tags for name in attributes}
    assert {"script", "link", "img", "iframe", "image", "use", "a", "form"} & kinds == set()
    assert {"src", "href", "xlink:href", "srcset", "style"} & names == set()
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in told(some)
    assert "@import" not in told(some)
    policy = [attributes["content"] for tag, attributes in found.tags if attributes.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_bar_tells_its_figures_and_fits_its_chart() -> None:
    some = [fact(day, cost=day.day, provider=("openai", "groq")[day.day % 2]) for day in DAYS]
    shown = told(some)
    found = Page(shown)
    assert "2026-10-30: $0.30\nopenai: $0.30" in found.words
    bars = [attributes for tag, attributes in found.tags if tag == "rect" and "x" in attributes]
    assert len(bars) > 5 * len(DAYS)
    assert all(float((bar["x"] or "").rstrip("%")) + float((bar["width"] or "").rstrip("%")) <= 100.01 for bar in bars)
    assert all(float(bar.get("y") or 0) >= 0 for bar in bars)


def test_more_than_a_quarter_is_shown_by_weeks_and_more_than_that_by_months() -> None:
    for days, unit in ((90, "day"), (200, "week"), (900, "month")):
        assert f"Cost by {unit}" in Page(told([fact(DAYS[0]), fact(DAYS[0] + timedelta(days=days))])).words
    assert "Cost by month" in Page(told([fact(DAYS[0])], by="month")).words


def test_the_page_has_the_figures_of_the_terminal_and_is_for_its_owner_only(aix: Aix, three: Path) -> None:
    (three / "page.html").write_text("old")
    done = aix("stats", "--html", "page.html")
    assert done == Result("", "aix: page.html shows it in a browser\n", 0)
    assert stat.S_IMODE((three / "page.html").stat().st_mode) == 0o600
    found = Page((three / "page.html").read_text())
    figures = ["openai:gpt-5.5", "2", "1.5k", "40 %", "150", "20", "~$0.04", "0.5 s", "38"]
    words = [word for word in found.words if word]
    assert [words[words.index("openai:gpt-5.5") :][at] for at in range(len(figures))] == figures
    assert SPAN in words
    assert aix("stats", "--html", "-").stdout == (three / "page.html").read_text()
