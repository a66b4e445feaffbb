"""`aix run` through the real command: a prompt's values in every form, its help, and the flags that clash with it."""

from pathlib import Path

import pytest
from conftest import Aix, Result
from stage import NOT_SENT, echoed, write

from aix.cli.prompt_flags import HEADINGS
from aix.cli.run import run

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24


@pytest.fixture
def greet(library: Path) -> Path:
    """The smallest prompt: one message, one value."""
    return write(library, "greet", "Hello {{ name }}!")


# --- values ---------------------------------------------------------------------------------------------------------

VALUES: list[tuple[str, list[str], str | None, str]] = [
    ("{type: string}", ["--x", "one two"], None, '"one two"'),
    ("{type: string}", ["--x=@.env"], None, '"@.env"'),
    ("{type: string}", ["--x", ""], None, '""'),
    ("{type: string}", ["--x", "--y"], None, '"--y"'),
    ("{type: string, default: 1.10}", [], None, '"1.10"'),
    ("{type: string}", [], None, '""'),
    ("{type: string, short: q}", ["-q", "short"], None, '"short"'),
    ("{type: string, short: q}", ["-qshort"], None, '"short"'),
    ("{type: string}", ["-p", "x=a=b"], None, '"a=b"'),
    ("{type: string}", ["-px=a"], None, '"a"'),
    ("{type: string}", ["--param", "x={{ now }}"], None, '"{{ now }}"'),
    ("{type: text}", ["--x", "a\nb"], None, '"a\\nb"'),
    ("{type: text}", ["--x-file", "notes.txt"], None, '"line one\\nzwei\\n"'),
    ("{type: text}", ["-p", "x@notes.txt"], None, '"line one\\nzwei\\n"'),
    ("{type: text}", ["--x-file", "-"], "from stdin", '"from stdin"'),
    ("{type: text}", ["-p", "x@-"], "from stdin", '"from stdin"'),
    ("{type: text}", [], "not asked for", '""'),
    ("{type: text, stdin: true}", [], "piped", '"piped"'),
    ("{type: text, stdin: true}", ["--x", "given"], "piped", '"given"'),
    ("{type: text, stdin: true}", ["two", "words"], "piped", '"two words"'),
    ("{type: text, stdin: true}", ["--", "--json"], None, '"--json"'),
    ("{type: text, required: true}", [], "piped", '"piped"'),
    ("{type: text, required: true}", ["a", "word"], None, '"a word"'),
    ("{type: text, required: true}", ["-"], "dash", '"dash"'),
    ("{type: integer, min: 1, max: 9}", ["--x", "7"], None, "7"),
    ("{type: integer, default: 3}", [], None, "3"),
    ("{type: number}", ["--x", "-0.5"], None, "-0.5"),
    ("{type: boolean}", ["--x"], None, "true"),
    ("{type: boolean, default: true}", ["--no-x"], None, "false"),
    ("{type: boolean, short: q}", ["-q"], None, "true"),
    ("{type: boolean}", ["-p", "x=yes"], None, "true"),
    ("{type: boolean}", [], None, "false"),
    ("{type: date}", ["--x", "2026-11-21"], None, '"2026-11-21"'),
    ("{type: json}", ["--x", '{"a": [1]}'], None, '{"a": [1]}'),
    ("{type: json}", ["--x-file", "data.json"], None, '{"b": 2}'),
    ("{type: list}", ["--x", "a", "--x", "b"], None, '["a", "b"]'),
    ("{type: list}", ["-p", "x=a", "--x", "b"], None, '["b", "a"]'),
    ("{type: file}", ["--x", "notes.txt"], None, '"line one\\nzwei\\n"'),
    ("{choices: [python, go], default: go}", ["--x", "python"], None, '"python"'),
    ("{type: integer}", ["--param-file", "values.json"], None, "5"),
    ("{type: integer}", ["--param-file", "values.yaml"], None, "6"),
    ("{type: integer}", ["--param-file", "values.json", "--x", "4"], None, "4"),
]


@pytest.mark.parametrize(("declared", "arguments", "stdin", "shown"), VALUES, ids=str)
def test_a_value_reaches_the_template(
    declared: str, arguments: list[str], stdin: str | None, shown: str, aix: Aix, home: Path, library: Path
) -> None:
    write(library, "one", f"---\nparams:\n  x: {declared}\n---\n{{{{ x | json }}}}")
    (home / "notes.txt").write_text("line one\nzwei\n")
    (home / "data.json").write_text('{"b": 2}')
    (home / "values.json").write_text('{"x": 5}')
    (home / "values.yaml").write_text("x: 6\n")
    assert aix("run", "one", *arguments, stdin=stdin) == Result(shown, NOT_SENT, 0)


def test_an_image_stands_where_it_is_named(aix: Aix, home: Path, library: Path) -> None:
    write(library, "see", "---\nparams:\n  shot: {type: image}\n---\nWhat is {{ shot }}?")
    (home / "pixel.png").write_bytes(PNG)
    assert aix("run", "see", "--shot", "pixel.png") == Result("What is [image/png, 32 bytes]?", NOT_SENT, 0)


def test_a_prompt_can_be_a_file_or_stdin(aix: Aix, home: Path) -> None:
    (home / "draft.md").write_text("---\nparams: {a: {}}\n---\nA {{ a }}")
    for name in ("draft.md", "./draft.md", str(home / "draft.md"), "~/draft.md"):
        assert aix("run", name, "--a", "1") == Result("A 1", NOT_SENT, 0)
    assert aix("run", "-", "--a", "1", stdin="B {{ a }}") == Result("B 1", NOT_SENT, 0)


def test_the_prompt_and_a_value_cannot_both_come_from_stdin(aix: Aix) -> None:
    done = aix("run", "-", stdin="---\nparams: {a: {type: text, required: true, stdin: true}}\n---\nB {{ a }}")
    assert done == Result("", "aix: error: required param 'a' is missing\n  hint: add --a …\n", 2)


def test_library_takes_its_prompts_from_elsewhere(aix: Aix, home: Path, greet: Path) -> None:
    write(home / "team", "greet", "Servus {{ name }}!")
    for arguments in (["--library", "team", "greet"], ["greet", "--library=team"], ["greet", "--library", "~/team"]):
        assert aix("run", *arguments, "--name", "Ada") == Result("Servus Ada!", NOT_SENT, 0)


def test_several_messages_have_a_heading_each(aix: Aix) -> None:
    rendered = (
        "## system\n\nYou greet people in one short, warm sentence. Answer in Latin, with the greeting alone.\n\n"
        "## user\n\nSay hello to Ada.\n"
    )
    assert aix("run", "hello", "--name", "Ada", "--language", "Latin") == Result(rendered, NOT_SENT, 0)


def test_system_takes_the_place_of_the_system_message(aix: Aix, greet: Path) -> None:
    done = aix("run", "greet", "--name", "Ada", "--system", "Be brief.")
    assert done == Result("## system\n\nBe brief.\n\n## user\n\nHello Ada!\n", NOT_SENT, 0)
    done = aix("run", "hello", "--name", "Ada", "--system", "Be brief.")
    assert done == Result("## system\n\nBe brief.\n\n## user\n\nSay hello to Ada.\n", NOT_SENT, 0)


# --- a param against a flag of aix's own ------------------------------------------------------------------------------

CLASH = """---
params:
  model: {type: text, stdin: true, help: Which one, short: m}
  json: {type: boolean}
  note: {short: n}
---
{{ model }}|{{ json }}|{{ note }}"""


def test_a_param_with_a_flag_of_aix_is_reached_by_p(aix: Aix, library: Path) -> None:
    write(library, "clash", CLASH)
    done = aix("run", "clash", "-p", "model=T", "-p", "json=true", "--note", "n")
    assert done == Result("T|True|n", NOT_SENT, 0)


@pytest.mark.parametrize(
    ("arguments", "flag", "hint"),
    [
        (["--model", "T"], "--model", "-p model=VALUE, and for aix's own -m"),
        (["--model=T"], "--model", "-p model=VALUE, and for aix's own -m"),
        (["--json"], "--json", "-p json=VALUE"),
    ],
)
def test_its_plain_flag_means_neither(arguments: list[str], flag: str, hint: str, aix: Aix, library: Path) -> None:
    write(library, "clash", CLASH)
    done = aix("run", "clash", *arguments)
    assert done.stderr == (
        f"aix: error: {flag} is a flag of aix run and a param of 'clash'\n  hint: for the param write {hint}\n"
    )
    assert done.status == 2


def test_a_short_flag_of_aix_stays_its_own(aix: Aix, library: Path) -> None:
    write(library, "clash", CLASH)
    assert aix("run", "clash", "-x", "-m", "echo", "--note", "N") == Result(echoed("|False|N"), "", 0)


def test_after_two_dashes_there_are_only_words(aix: Aix, library: Path) -> None:
    write(library, "clash", CLASH)
    assert aix("run", "--", "clash", "-n").stdout == "-n|False|"
    assert aix("run", "clash", "--", "--json", "--model") == Result("--json --model|False|", NOT_SENT, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--name", "Ada", "greet"],
            "aix: error: --name is not a flag of aix run itself\n"
            "  hint: a prompt's own flags come after its name: aix run NAME --name …\n",
        ),
        (
            ["--exectue", "greet"],
            "aix: error: --exectue is not a flag of aix run itself\n  hint: did you mean --execute?\n"
            "  hint: a prompt's own flags come after its name: aix run NAME --exectue …\n",
        ),
        (
            ["-q", "greet"],
            "aix: error: -q is not a flag of aix run itself\n"
            "  hint: a prompt's own flags come after its name: aix run NAME -q …\n",
        ),
        ([], "aix: error: which prompt? aix run takes a name, a file, or -\n  hint: aix list shows all prompts\n"),
        (["-x"], "aix: error: which prompt? aix run takes a name, a file, or -\n  hint: aix list shows all prompts\n"),
    ],
    ids=" ".join,
)
def test_what_stands_before_the_name_is_a_flag_of_aix(arguments: list[str], said: str, aix: Aix, greet: Path) -> None:
    assert aix("run", *arguments) == Result("", said, 2)


@pytest.mark.parametrize(
    "arguments",
    [["-x", "-mecho", "greet"], ["-xm", "echo", "greet"], ["-xmecho", "greet"], ["--model=echo", "-x", "greet"]],
)
def test_flags_of_aix_may_stand_before_the_name(arguments: list[str], aix: Aix, greet: Path) -> None:
    assert aix("run", *arguments, "--name", "Ada") == Result(echoed("Hello Ada!"), "", 0)


# --- help -------------------------------------------------------------------------------------------------------------

OWN_HELP = """\
Values:
  -p, --param K=VALUE  Give a param a value, or K@FILE a file's text.
  --param-file FILE    Give many params values, from JSON or YAML.
  --system TEXT        Put TEXT in place of the system message.
  -a, --attach FILE    Add an image, a PDF or a text; - is stdin; repeatable.
  --library DIR        Use the prompts in DIR instead of your own.
  --no-project         Leave out the project's prompts, roles and limits.

Commands:
  --disable-commands  Run no sh() of the prompt; put [command: …] there.
  --trust DIGEST      Run this one content and its commands: sha256:…

Who is asked:
  --provider NAME    Whom to ask: openai, ollama, custom:NAME …
  -m, --model MODEL  A model, PROVIDER:MODEL, or a role (strong).
  --pack NAME        Take what a role means from this pack first.
  --fallback MODEL   Whom to ask when the first fails; repeatable.
  --no-fallback      Ask nobody else, and with no other key.

Sending:
  -x, --execute / --no-execute  Send it, and stream the answer.
  --stream / --no-stream        As it is written, or all at its end.
  --max-tokens INT              Cut the answer at this many tokens.
  --temperature NUMBER          How freely it chooses words; 0 is the least.
  --top-p NUMBER                Choose among this share of words, 0 to 1.
  --stop TEXT                   End the answer before TEXT; repeatable.
  --seed INT                    Ask for the same answer every time.
  --effort LEVEL                How hard to think: none, low, medium, high …
  --timeout SECONDS             Give up when all of it takes longer.
  --max-cost DOLLARS            Send nothing that may cost more.
  --no-log                      Keep nothing but what limits count.

The answer:
  --schema FILE|JSON   Have the answer fit a JSON Schema.
  --extract code|json  Print the answer's only code block, or its JSON.
  --fail-if EXPR       Exit 15 if this is true of data (its JSON) or text;
                       repeatable.

What is shown:
  --watch            Send nothing; render on each save, and show changes.
  -n, --dry-run      Send nothing, even with -x; say who would be asked.
  --show-request     Send nothing; print the HTTP request, its key masked.
  -o, --output FILE  Write to FILE; it is replaced when all is well.
  --json             Print JSON for a program to read.
  --usage            Say on stderr how many tokens it took.
  --raw              Do not draw Markdown on a terminal.
  --debug            Say on stderr what is asked, and of whom.

Help:
  -h, --help  Show this message and exit.

  Examples:
    aix run hello --name Ada                     render it and look at it
    aix run hello --name Ada -x                  send it
    git diff | aix run review -x -o review.md    from a pipe, into a file
    aix run explain "what is a monad" -x -m openai:gpt-5.5
    aix run explain "this plan" -a plan.pdf -x   with an image, a PDF or a text
    aix run ./draft.md -p topic@notes.txt -n     a file; say what would be sent
"""
OPTIONS = OWN_HELP.partition("\n  Examples:")[0]  # below the params of a prompt: the examples are of others
HEAD = """\
Usage: aix run {NAME|FILE|-} [WORDS] [OPTIONS]

  Render a prompt; with -x, send it and stream the answer.

  A prompt's params are flags too: aix run NAME --help shows them.

"""
EVERY_TYPE = """---
params:
  title:  {required: true, help: What it is called, short: t}
  body:   {type: text, stdin: true, help: What it says}
  count:  {type: integer, default: 3, min: 1, max: 9}
  ratio:  {type: number, min: 0}
  most:   {type: number, max: 2}
  strict: {type: boolean, default: false, short: m, help: Be strict}
  day:    {type: date}
  data:   {type: json}
  tags:   {type: list, pattern: "[a-z]+"}
  source: {type: file}
  shot:   {type: image}
  lang:   {choices: [python, go], default: go}
  model:  {type: text, help: Clashes}
  raw:    {type: boolean}
---
{{ title }}"""
PARAM_HELP = """\
Params of every:
  -t, --title TEXT        What it is called [required]
  --body TEXT             What it says [from words or stdin]
  --body-file FILE        Read body from FILE; - is stdin.
  --count INT             [at least 1; at most 9; default: 3]
  --ratio NUMBER          [at least 0]
  --most NUMBER           [at most 2]
  --strict / --no-strict  Be strict [default: false]
  --day YYYY-MM-DD
  --data JSON
  --data-file FILE        Read data from FILE; - is stdin.
  --tags TEXT             [matching [a-z]+; repeatable]
  --source FILE
  --shot FILE
  --lang TEXT             [one of: python, go; default: go]
  -p model=TEXT           Clashes
  --model-file FILE       Read model from FILE; - is stdin.
  -p raw=true|false

"""


@pytest.mark.parametrize("arguments", [["every", "--help"], ["-h", "every"]], ids=" ".join)
def test_the_help_of_a_prompt_begins_with_its_params(arguments: list[str], aix: Aix, library: Path) -> None:
    write(library, "every", EVERY_TYPE)
    assert aix("run", *arguments) == Result(HEAD + PARAM_HELP + OPTIONS, "", 0)


def test_without_a_prompt_the_help_is_that_of_run(aix: Aix) -> None:
    assert aix("run", "--help") == Result(HEAD + OWN_HELP, "", 0)


def test_no_line_of_the_help_is_wider_than_80_columns() -> None:
    assert max(map(len, (HEAD + PARAM_HELP + OWN_HELP).splitlines())) < 80


def test_every_option_of_run_stands_under_one_heading() -> None:
    names = [name for name in run.__annotations__ if name not in ("ctx", "name", "words", "return")]
    assert sorted([*names, "help"]) == sorted(name for names in HEADINGS.values() for name in names)


def test_what_a_prompt_without_front_matter_needs_is_in_its_help(aix: Aix, greet: Path) -> None:
    shown = "Params of greet:\n  --name TEXT       [required]\n  --name-file FILE  Read name from FILE; - is stdin.\n\n"
    assert aix("run", "greet", "--help") == Result(HEAD + shown + OPTIONS, "", 0)
