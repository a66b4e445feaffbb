"""What every prompt of the starter library keeps to."""

import re
from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest
from shelf import LIBRARY, PROMPTS
from typer.models import OptionInfo

from aix.cli.run import run
from aix.library.prompt import Param, Prompt
from aix.library.templates.template import Template

TAGS = {
    "start": "the first minute",
    "git": "what goes with a commit, a branch or a release",
    "code": "works on code, or writes it",
    "review": "finds what is wrong before it matters",
    "ops": "running things, and what goes wrong with them",
    "data": "structured in, or structured out",
    "writing": "text for other people to read",
    "reading": "understanding what is already written",
}
"""The whole vocabulary. A new tag has to serve three prompts."""

DATA = "Everything inside a fenced block is"
"""How each prompt begins to say that what it works on is not an order."""

REQUESTS = {"regex task", "shell task", "sql question"}
"""The texts that are not fenced, because they are the user's own order."""

CLOSINGS = {"text": "Output only the ", "json": "Output only the JSON", "markdown": "Answer in Markdown"}
"""What a prompt tells the model about the form of its answer, by its output format."""

each_prompt = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)


def params(prompt: Prompt) -> tuple[Param, ...]:
    assert prompt.params is not None, "a starter prompt declares its params"
    return prompt.params


def flat(prompt: Prompt) -> str:
    """The body on one line, so that a sentence is found wherever it is wrapped."""
    return " ".join(prompt.body.split())


def own_flags() -> set[str]:
    """The flags of `aix run` itself."""
    flags = {"--help", "-h"}
    for name, parameter in signature(run).parameters.items():
        for option in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(option, OptionInfo):
                flags.update(f"--{name.replace('_', '-')}/{'/'.join(option.param_decls or ())}".split("/"))
    return flags


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema with all the schemas in it."""
    yield schema
    for inner in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        yield from objects(inner)


def test_there_are_prompts_for_a_working_week() -> None:
    assert 24 <= len(PROMPTS) <= 32


@each_prompt
def test_a_name_is_short_and_easy_to_type(prompt: Prompt) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", prompt.name)
    assert len(prompt.name) <= 14


@each_prompt
def test_a_description_is_a_line_that_fits_a_list(prompt: Prompt) -> None:
    assert 10 <= len(prompt.description) <= 52
    assert prompt.description[0].isupper()
    assert not prompt.description.endswith(".")


@each_prompt
def test_tags_are_of_the_vocabulary(prompt: Prompt) -> None:
    assert 1 <= len(prompt.tags) <= 3
    assert set(prompt.tags) <= set(TAGS)


def test_a_tag_brings_prompts_together() -> None:
    used = [tag for prompt in PROMPTS.values() for tag in prompt.tags]
    assert {tag for tag in TAGS if used.count(tag) < 3} == {"start"}


@each_prompt
def test_nothing_in_the_front_matter_is_unknown(prompt: Prompt) -> None:
    assert (prompt.warnings, prompt.extra) == ((), {})


@each_prompt
def test_each_param_has_help_on_one_line(prompt: Prompt) -> None:
    for param in params(prompt):
        assert 3 <= len(param.help) <= 72, param.name
        assert not param.help.endswith("."), param.name


@each_prompt
def test_the_commonest_use_needs_one_value(prompt: Prompt) -> None:
    required = [param.name for param in params(prompt) if param.required]
    assert len(required) == (2 if prompt.name == "ask" else 1)
    assert params(prompt)[0].required, "what is needed stands first"


@each_prompt
def test_what_it_works_on_can_be_piped_named_as_a_file_or_written_as_words(prompt: Prompt) -> None:
    marked = [param for param in params(prompt) if param.stdin]
    assert [param.type for param in marked] == ([] if prompt.name == "hello" else ["text"])


@each_prompt
def test_no_flag_is_one_of_aix_run_itself(prompt: Prompt) -> None:
    assert {flag for param in params(prompt) for flag in param.flags} & own_flags() == set()


@each_prompt
def test_it_says_who_speaks(prompt: Prompt) -> None:
    assert prompt.body.count("{% system %}") == prompt.body.count("{% user %}") == 1
    assert prompt.body.index("{% system %}") < prompt.body.index("{% user %}")


@each_prompt
def test_the_form_that_it_asks_for_is_the_one_that_it_declares(prompt: Prompt) -> None:
    closing = "with the greeting alone" if prompt.name == "hello" else CLOSINGS[prompt.output.format]
    assert closing in flat(prompt)
    assert prompt.output.format != "markdown" or "Output only" not in flat(prompt)


@each_prompt
def test_a_text_for_a_pipe_has_one_way_to_say_that_it_cannot_be_written(prompt: Prompt) -> None:
    expected = prompt.output.format == "text" and prompt.name != "hello"
    assert ("CANNOT: `" in prompt.body) == expected


@each_prompt
def test_what_may_come_from_strangers_is_fenced_and_said_to_be_no_order(prompt: Prompt) -> None:
    texts = [
        param for param in params(prompt) if param.type == "text" and f"{prompt.name} {param.name}" not in REQUESTS
    ]
    for param in texts:
        assert f"{{{{ {param.name} | fenced" in prompt.body, param.name
    assert not texts or DATA in flat(prompt)


@each_prompt
def test_the_choice_of_the_model_is_left_to_the_user(prompt: Prompt) -> None:
    """A model role would set `default_model` aside, and many models refuse a temperature or an effort."""
    assert (prompt.model, prompt.fallback) == ("", ())
    assert set(prompt.options) <= {"max_tokens"}
    assert prompt.options.get("max_tokens", 16000) >= 16000, "a cut answer is no answer; thinking counts too"


@each_prompt
def test_it_is_whole_in_one_file_and_runs_no_command(prompt: Prompt) -> None:
    """A copy of it works anywhere."""
    assert not re.search(r"\{%-?\s*(include|import|from|extends)\b", prompt.body)
    assert Template(prompt, LIBRARY.read).commands == ()


@pytest.mark.parametrize("name", [name for name, prompt in PROMPTS.items() if prompt.output.schema])
def test_a_schema_is_one_that_every_provider_can_enforce(name: str) -> None:
    schema = PROMPTS[name].output.schema
    assert schema and schema["type"] == "object"
    for inner in objects(dict(schema)):
        assert set(inner) <= {"type", "properties", "required", "additionalProperties", "items", "enum", "description"}
        assert ("items" in inner) == (inner["type"] == "array")
        if inner["type"] == "object":
            assert inner["additionalProperties"] is False
            assert inner["required"] == list(inner["properties"])
            assert [key for key in inner["properties"] if f"`{key}`" not in PROMPTS[name].body] == []


def test_a_script_can_rely_on_two_schemas() -> None:
    assert [name for name, prompt in PROMPTS.items() if prompt.output.schema] == ["review-json", "triage"]
