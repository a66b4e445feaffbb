"""How a provider is asked what a request comes to in tokens, and what its answer says."""

import json
from typing import Any

import pytest

from aix.errors import ProviderError
from aix.llm.protocols import COUNTERS, counter
from aix.llm.providers import Dialect
from aix.messages import Image, Message, Request, Text

TOOLS = [{"name": "look"}]
ASKED = Request(
    "the/model",
    (Message("system", (Text("Be short."),)), Message("user", (Text("Which colour?"), Image(b"\x89PNG", "image/png")))),
    max_tokens=64,
    temperature=0.5,
    top_p=0.9,
    effort="high",
    schema={"type": "object"},
    extra={"tools": TOOLS, "service_tier": "flex"},
)
PICTURE = "iVBORw=="

CALLS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "openai-responses": (
        "/responses/input_tokens",
        {},
        {
            "model": "the/model",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Which colour?"},
                        {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}", "detail": "auto"},
                    ],
                }
            ],
            "instructions": "Be short.",
            "reasoning": {"effort": "high", "summary": "auto"},
            "text": {
                "format": {"type": "json_schema", "name": "answer", "strict": False, "schema": {"type": "object"}}
            },
            "tools": TOOLS,
        },
    ),
    "anthropic-messages": (
        "/v1/messages/count_tokens",
        {"anthropic-version": "2023-06-01"},
        {
            "model": "the/model",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Which colour?"},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PICTURE},
                        },
                    ],
                }
            ],
            "system": "Be short.",
            "thinking": {"type": "adaptive"},
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "high"},
            "tools": TOOLS,
        },
    ),
    "gemini": (
        "/v1beta/models/the%2Fmodel:countTokens",
        {},
        {
            "generateContentRequest": {
                "model": "models/the/model",
                "systemInstruction": {"parts": [{"text": "Be short."}]},
                "contents": [
                    {
                        "role": "user",
                        "parts": [
                            {"text": "Which colour?"},
                            {"inlineData": {"mimeType": "image/png", "data": PICTURE}},
                        ],
                    }
                ],
                "generationConfig": {
                    "maxOutputTokens": 64,
                    "temperature": 0.5,
                    "topP": 0.9,
                    "responseMimeType": "application/json",
                    "responseJsonSchema": {"type": "object"},
                    "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True},
                },
                "tools": TOOLS,
                "service_tier": "flex",
            }
        },
    ),
    "cohere": ("/v1/tokenize", {}, {"text": "Be short.\nWhich colour?", "model": "the/model"}),
}

ANSWERS: dict[str, dict[str, Any]] = {
    "openai-responses": {"object": "response.input_tokens", "input_tokens": 42},
    "anthropic-messages": {"input_tokens": 42},
    "gemini": {"totalTokens": 42, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 42}]},
    "cohere": {"tokens": [*range(42)], "token_strings": ["x"] * 42, "meta": {}},
}

each_counter = pytest.mark.parametrize("name", COUNTERS)


@each_counter
def test_what_is_counted_is_what_would_be_sent(name: str) -> None:
    call = counter(name).count(ASKED, Dialect())
    path, headers, body = CALLS[name]
    assert (call.method, call.path, dict(call.headers), json.loads(call.content)) == ("POST", path, headers, body)


@each_counter
def test_the_count_is_read_from_the_answer(name: str) -> None:
    assert counter(name).counted(ANSWERS[name]) == 42


@pytest.mark.parametrize(
    "wrong", [{}, {"x": 42}, *({word: "42"} for word in ("input_tokens", "totalTokens", "tokens"))]
)
@each_counter
def test_an_answer_without_a_count_is_not_a_count_of_none(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        counter(name).counted(wrong)


@pytest.mark.parametrize("name", ["openai-responses", "anthropic-messages", "gemini"])
def test_a_request_of_nothing_is_0(name: str) -> None:
    assert counter(name).counted({"input_tokens": 0, "totalTokens": 0}) == 0
