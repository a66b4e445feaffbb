"""What we send beside what the official SDKs send for the same conversations: `sdk/<sdk>/<case>.json` holds theirs.

`sdk/record.py` writes those files; nothing of an SDK is needed here. Both bodies are compared field by field, and a
difference stands in `MEANT` with its reason, or fails.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from aix.llm.protocols import COUNTERS, counter, protocol
from aix.llm.providers import Provider, Providers
from aix.messages import File, Image, Message, Part, Request, Text, ToolCall, ToolResult

SDK = Path(__file__).parent / "sdk"
RECORDED = {f"{path.parent.name}/{path.stem}": path for path in sorted(SDK.glob("*/*.json"))}

PARTS: Mapping[str, Callable[[Any], Part]] = {
    "text": lambda part: Text(part["text"]),
    "image": lambda part: Image(base64.b64decode(part["image"]), part["media_type"]),
    "file": lambda part: File(base64.b64decode(part["file"]), part["media_type"], part["name"]),
    "tool_call": lambda part: ToolCall(**part["tool_call"]),
    "tool_result": lambda part: ToolResult(**part["tool_result"]),
}
MODELS: Mapping[str, Mapping[str, Any]] = {
    "google-genai/gemini.effort-budget": {"effort": "budget"},
    "ollama/ollama.effort": {"effort": "levels"},
}
"""What the catalogue says of the model that is asked."""


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT: Any = _Absent()
ANYTHING: Any = object()
WRAPPED = "generateContentRequest"
"""Around all that Gemini is to count; without it, it counts contents alone."""

KEY = "***"
"""What the recordings have in place of a key."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A difference that is meant: where it is found, what we say there, what they say, and why."""

    where: str
    path: str
    ours: Any
    theirs: Any
    why: str

    def explains(self, where: str, path: str, ours: Any, theirs: Any) -> bool:
        here = re.fullmatch(self.where, where) and re.fullmatch(self.path, path)
        return bool(here) and (self.ours is ANYTHING or same(self.ours, ours)) and same(self.theirs, theirs)


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


MEANT = (
    Meant(
        "(openai|anthropic)/.*:plain", "/body/stream", False, ABSENT,
        "a plain answer is their default; we say it, for servers that stream unless they are told",
    ),
    Meant(
        "anthropic/.*", "/headers/x-api-key", KEY, ABSENT,
        "Anthropic takes either header, its imitators mostly this one",
    ),
    Meant("anthropic/.*", "/headers/authorization", ABSENT, f"Bearer {KEY}", "the other side of x-api-key"),
    Meant(
        "anthropic/.*", "/headers/anthropic-version", "2023-06-01", "2026-10-21",
        "the version that imitators know too; a row can ask for the newer one",
    ),
    Meant(
        "anthropic/.*options:(plain|stream)", "/body/temperature", 0.5, ABSENT,
        "it is a field of version 2023-06-01; in 2026-10-21 it is refused, so their SDK has lost it",
    ),
    Meant("anthropic/.*options:(plain|stream)", "/body/top_p", 0.9, ABSENT, "as temperature"),
    Meant("mistralai/.*", "/body/messages/[0-9]+/prefix", ABSENT, False, "a default that their SDK spells out"),
    Meant(
        "mistralai/.*", "/body/messages/[0-9]+/tool_calls/[0-9]+/index", ABSENT, 0,
        "a default that their SDK spells out, the same for every call",
    ),
    Meant("ollama/.*", "/body/tools", ABSENT, [], "an empty list that their SDK spells out"),
    *(
        Meant(
            "google-genai/.*:count", f"/body/{field}", ANYTHING, ABSENT,
            "their SDK counts the contents alone for this provider, and refuses to count what bears on them",
        )
        for field in ("model", "systemInstruction", "generationConfig")
    ),
    Meant(
        "google-genai/.*:(plain|stream)", "/body/systemInstruction/role", ABSENT, "user",
        "an instruction has no speaker; their SDK makes every content one of the user's",
    ),
)  # fmt: skip
"""Every difference there may be. `where` is `<sdk>/<case>:<mode>`; both patterns match from end to end."""


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED[name].read_bytes())
    return found


def request_of(said: Mapping[str, Any], unsaid: frozenset[str]) -> Request:
    """The Request as the runner gives it to a protocol: without what the protocol has no word for."""
    messages = tuple(
        Message(message["role"], tuple(PARTS[next(iter(part))](part) for part in message["parts"]))
        for message in said["messages"]
    )
    request = Request(**{**said, "messages": messages, "stop": tuple(said.get("stop", ()))})
    plain: Any = {field.name: field.default for field in fields(Request) if field.name in unsaid}
    return replace(request, **plain)


@cache
def row(name: str) -> Provider:
    return Providers({}, {}).get(name)


def ours(name: str, mode: str) -> dict[str, Any]:
    """What we would send, with the deviations of the provider's row and of the model."""
    said = recorded(name)
    provider, module = row(said["provider"]), protocol(said["protocol"])
    request = request_of(said["request"], module.UNSAID)
    dialect = provider.dialect.with_deviations(MODELS.get(name, {}))
    if mode == "count":
        call = counter(said["protocol"]).count(request, dialect)
    else:
        call = module.encode(request, dialect, stream=mode == "stream")
    key = {} if provider.key_optional else provider.authorize(KEY)
    headers = {header.lower(): value for header, value in {**call.headers, **key}.items()}
    body = call.body.get(WRAPPED, call.body) if mode == "count" else call.body
    return {"method": call.method, "url": provider.base_url + call.path, "headers": headers, "body": body}


def theirs(name: str, mode: str) -> dict[str, Any]:
    """What the SDK would send to the address that it knows by itself."""
    said = recorded(name)
    sent, home = said["sent"][mode], urlsplit(said["home"])
    url = f"{home.scheme}://{home.netloc}{sent['path']}"
    return {"method": sent["method"], "url": url, "headers": said["headers"], "body": respelled(name, sent["body"])}


def respelled(name: str, body: Any) -> Any:
    """Their body in the one spelling of JSON that we write, where the provider reads two and their SDK mixes them."""
    if not name.startswith("google-genai/"):
        return body
    text = re.sub(r'"(mime_type|include_thoughts|thinking_(level|budget))":', _camel, json.dumps(body))
    return json.loads(re.sub(r'"data": "[^"]+"', lambda found: found[0].replace("-", "+").replace("_", "/"), text))


def _camel(name: re.Match[str]) -> str:
    return re.sub("_(.)", lambda letter: letter[1].upper(), name[0])


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place where two JSON values differ, and what stands there in both."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key, ABSENT), other.get(key, ABSENT), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
    elif not same(one, other):
        yield path, one, other


def found(name: str) -> Iterator[tuple[str, str, Any, Any]]:
    """Every difference, in each mode that was recorded."""
    for mode in recorded(name)["sent"]:
        for difference in differences(ours(name, mode), theirs(name, mode)):
            yield f"{name}:{mode}", *difference


@pytest.mark.parametrize("name", RECORDED)
def test_we_send_what_the_sdk_sends_or_the_difference_is_meant(name: str) -> None:
    unexplained = [
        f"{where}{path}: we say {mine!r}, they say {said!r}"
        for where, path, mine, said in found(name)
        if not any(meant.explains(where, path, mine, said) for meant in MEANT)
    ]
    assert unexplained == []


def test_every_difference_that_is_meant_is_there() -> None:
    """A reason for what is no longer so would hide what comes after it."""
    differing = [difference for name in RECORDED for difference in found(name)]
    assert [meant for meant in MEANT if not any(meant.explains(*difference) for difference in differing)] == []


@pytest.mark.parametrize(
    ("protocol_", "sdk"),
    [
        *(("openai-chat", "openai"), ("openai-chat", "mistralai"), ("openai-responses", "openai")),
        *(("anthropic-messages", "anthropic"), ("gemini", "google-genai"), ("cohere", "cohere"), ("ollama", "ollama")),
    ],
)
def test_every_protocol_has_been_compared_on_every_conversation(protocol_: str, sdk: str) -> None:
    cases = {name.rpartition(".")[2]: recorded(name) for name in RECORDED if name.startswith(f"{sdk}/{protocol_}.")}
    assert {"options", "turns", "image", "schema", "effort", "tools"} <= set(cases)
    assert all({"plain", "stream"} <= set(said["sent"]) for said in cases.values())
    assert protocol_ not in COUNTERS or any("count" in said["sent"] for said in cases.values())
    assert all(said["version"] and said["date"] for said in cases.values())
