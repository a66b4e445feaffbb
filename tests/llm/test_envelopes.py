"""Every error envelope in use, at every built-in provider: the error, its reason, its sentence and what to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aix.errors import (
    AixError,
    AuthError,
    DeadlineError,
    IncompleteError,
    NetworkError,
    NotFoundError,
    ProviderError,
    RateLimitError,
)
from aix.llm.failure import failure, in_band
from aix.llm.providers import Provider, Providers
from aix.llm.retry import Failure, Patience, wait

ROWS = [Providers({}, {}).get(name) for name in Providers({}, {}).names()]

KEY, LIMIT, WAIT, PAY = "does not accept the key", "is limiting requests", "wait a little", "add credit: https://"
USED_UP, LONGER, NONE = "is used up", "is longer than m-1 can take", "has no model 'm-1'"


@dataclass(frozen=True, slots=True)
class Case:
    """An answer with a status of 400 or more, and what it means."""

    status: int
    body: Any
    error: type[AixError]
    said: str
    hint: str = ""
    reason: str = ""
    cause: str = "why"

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def openai(message: str = "why", type_: str = "", code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_ or None, "param": None, "code": code}}


def anthropic(type_: str, message: str = "why", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type_, "message": message, **more}, "request_id": "req_1"}


def google(code: int, status: str, message: str = "why", *details: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def context(status: int, body: Any, cause: str) -> Case:
    return Case(status, body, ProviderError, LONGER, "send less, or ask a model that takes more", "context", cause)


def unknown(status: int, body: Any, cause: str) -> Case:
    return Case(status, body, NotFoundError, NONE, "", "model", cause)


PER_DAY = {"@type": "…QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
PER_MINUTE = {"@type": "…QuotaFailure", "violations": [{"quotaId": "GenerateContentInputTokensPerModelPerMinute"}]}

CASES: Mapping[str, Case] = {
    # keys
    "OpenAI, a wrong key": Case(401, openai(code="invalid_api_key"), AuthError, KEY, "aix api-key"),
    "Anthropic, a wrong key": Case(401, anthropic("authentication_error"), AuthError, KEY, "aix api-key"),
    "Gemini, a wrong key": Case(
        400, google(400, "INVALID_ARGUMENT", "why", {"reason": "API_KEY_INVALID"}), AuthError, KEY, "aix api-key"
    ),
    "Gemini, a wrong key, in a list": Case(
        400, [google(400, "INVALID_ARGUMENT", "API key not valid.")], AuthError, KEY, "aix api-key", "", "API key not"
    ),
    "xAI, a wrong key": Case(
        400,
        {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: x"},
        AuthError,
        KEY,
        "aix api-key",
        "",
        "Incorrect API key",
    ),
    "Cohere, a wrong key": Case(401, {"message": "why", "id": "x"}, AuthError, KEY, "aix api-key"),
    "Replicate, a wrong key": Case(
        401, {"title": "Unauthenticated", "status": 401, "detail": "why"}, AuthError, KEY, "aix api-key"
    ),
    "AWS, a key that is no longer one": Case(403, {"Message": "why"}, AuthError, "does not allow this", "check what"),
    "Anthropic, no permission": Case(403, anthropic("permission_error"), AuthError, "does not allow this", "check"),
    # limits, and what is used up
    "OpenAI, too fast": Case(429, openai(type_="requests", code="rate_limit_exceeded"), RateLimitError, LIMIT, WAIT),
    "OpenAI, slow down": Case(429, openai(type_="rate_limit_error", code="slow_down"), RateLimitError, LIMIT, WAIT),
    "OpenAI, no quota": Case(
        429, openai(type_="insufficient_quota", code="insufficient_quota"), RateLimitError, USED_UP, PAY, "quota"
    ),
    "OpenAI, no credit": Case(
        429, openai(type_="insufficient_quota", code="credit_balance_exhausted"), RateLimitError, USED_UP, PAY, "quota"
    ),
    "Anthropic, too fast": Case(429, anthropic("rate_limit_error"), RateLimitError, LIMIT, WAIT),
    "Anthropic, a spend limit": Case(
        429,
        anthropic("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}),
        RateLimitError,
        USED_UP,
        PAY,
        "quota",
    ),
    "Anthropic, no credit": Case(
        400,
        anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        RateLimitError,
        USED_UP,
        PAY,
        "quota",
        "Your credit balance",
    ),
    "Anthropic, billing": Case(402, anthropic("billing_error"), RateLimitError, USED_UP, PAY, "quota"),
    "Gemini, too fast": Case(429, google(429, "RESOURCE_EXHAUSTED", "why", PER_MINUTE), RateLimitError, LIMIT, WAIT),
    "Gemini, the day's quota": Case(
        429, google(429, "RESOURCE_EXHAUSTED", "why", PER_DAY), RateLimitError, USED_UP, PAY, "quota"
    ),
    "Cohere, the month's calls": Case(
        429,
        {"message": "You are using a Trial key, which is limited to 1000 API calls / month."},
        RateLimitError,
        USED_UP,
        PAY,
        "quota",
        "You are using a Trial key",
    ),
    "OpenRouter, too fast": Case(
        429,
        {"error": {"code": 429, "message": "why", "metadata": {"error_type": "rate_limit_exceeded", "raw": "tired"}}},
        RateLimitError,
        LIMIT,
        WAIT,
        "",
        "why: tired",
    ),
    "OpenRouter, no credit": Case(402, {"error": {"code": 402, "message": "why"}}, RateLimitError, "paid before", PAY),
    "DeepSeek, no balance": Case(
        402, openai("Insufficient Balance"), RateLimitError, USED_UP, PAY, "quota", "Insufficient Balance"
    ),
    "Z.AI, no balance": Case(
        429,
        {"error": {"code": "1113", "message": "Insufficient balance or no resource package."}},
        RateLimitError,
        USED_UP,
        PAY,
        "quota",
        "Insufficient balance",
    ),
    "Moonshot, no quota": Case(
        429, openai(type_="exceeded_current_quota_error"), RateLimitError, USED_UP, PAY, "quota"
    ),
    "Anthropic, overloaded": Case(529, anthropic("overloaded_error"), RateLimitError, "is overloaded", WAIT),
    # models that there are not
    "OpenAI, no such model": unknown(
        404, openai("The model `gpt-9.5-x` does not exist", code="model_not_found"), "The model"
    ),
    "Anthropic, no such model": Case(
        404, anthropic("not_found_error", "model: m-1"), NotFoundError, NONE, "--model", "", "model: m-1"
    ),
    "Gemini, no such model": unknown(
        404, google(404, "NOT_FOUND", "models/m-1 is not found for API version v1beta"), "models/m-1"
    ),
    "OpenRouter, no such model": unknown(
        400, {"error": {"message": "m-1 is not a valid model ID", "code": 400}}, "m-1 is not"
    ),
    "DeepSeek, no such model": unknown(400, openai("Model Not Exist", "invalid_request_error"), "Model Not Exist"),
    "Mistral, no such model": unknown(
        400, {"object": "error", "message": "Invalid model: m-1", "type": "invalid_model", "code": "1500"}, "Invalid"
    ),
    "Ollama, no such model": unknown(404, {"error": "model 'm-1' not found"}, "model 'm-1'"),
    "Azure, no such deployment": unknown(404, openai(code="DeploymentNotFound"), "why"),
    "Bedrock, no such model": unknown(
        400, {"message": "The provided model identifier is invalid."}, "The provided model"
    ),
    "FastAPI, no such address": Case(404, {"detail": "Not Found"}, NotFoundError, NONE, "", "", "Not Found"),
    # requests that are too long
    "OpenAI, too long": context(400, openai(type_="invalid_request_error", code="context_length_exceeded"), "why"),
    "Anthropic, too long": context(
        400,
        anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        "prompt is too long",
    ),
    "Anthropic, too long with its answer": context(
        400,
        anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 9 + 8 > 10"),
        "input length",
    ),
    "Gemini, too long": context(
        400,
        google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed"),
        "The input token count",
    ),
    "OpenRouter, too long": context(
        400,
        {"error": {"code": 400, "message": "why", "metadata": {"error_type": "context_length_exceeded"}}},
        "why",
    ),
    "llama.cpp, too long": context(
        400, {"error": {"code": 400, "message": "why", "type": "exceed_context_size_error", "n_ctx": 512}}, "why"
    ),
    "Groq, too long": context(413, openai("Request too large for model `x`"), "Request too large"),
    "Groq, too long, by its code": context(400, openai(code="context_length_exceeded"), "why"),
    "Cohere, too long": context(400, {"message": "too many tokens: size limit exceeded by 9 tokens"}, "too many"),
    "Mistral, too long": context(
        400,
        {"object": "error", "message": "Prompt contains 9 tokens, too large for model with 8 maximum context length"},
        "Prompt contains",
    ),
    "vLLM, too long": context(
        400, {"object": "error", "message": "This model's maximum context length is 8 tokens."}, "This model's"
    ),
    "xAI, too long": context(400, {"error": "This model's maximum prompt length is 8"}, "This model's"),
    # refusals
    "Azure, the content filter": Case(
        400,
        {
            "error": {
                "message": "why",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
            }
        },
        IncompleteError,
        "refused to answer (content filter)",
        "say it differently",
        "content_filter",
    ),
    "OpenRouter, the moderation": Case(
        403,
        {"error": {"code": 403, "message": "why", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}},
        IncompleteError,
        "refused to answer",
        "say it differently",
        "content_filter",
    ),
    # all other requests that are wrong
    "OpenAI, a bad request": Case(400, openai(code="bad"), ProviderError, "rejects the request (HTTP 400)"),
    "Anthropic, a bad request": Case(400, anthropic("invalid_request_error"), ProviderError, "rejects the request"),
    "Mistral, a bad field": Case(
        422,
        {"detail": [{"loc": ["body", "x"], "msg": "why", "type": "extra"}]},
        ProviderError,
        "rejects the request (HTTP 422)",
        "",
        "",
        "[{",
    ),
    "Mistral, a bad field, told otherwise": Case(
        422, {"object": "error", "message": {"detail": [{"msg": "why"}]}}, ProviderError, "rejects", "", "", '{"detail"'
    ),
    "Anthropic, too many bytes": Case(
        413, anthropic("request_too_large"), ProviderError, "is too large for", "send less text"
    ),
    "an error in a list": Case(400, {"errors": [{"message": "why", "code": 7003}]}, ProviderError, "rejects"),
    "a sentence": Case(400, b"why", ProviderError, "rejects"),
    # servers that fail
    "OpenAI, a fault": Case(500, openai(type_="server_error"), ProviderError, "failed (HTTP 500)"),
    "OpenAI, overloaded": Case(503, openai(code="server_is_overloaded"), ProviderError, "failed (HTTP 503)"),
    "Gemini, unavailable": Case(503, google(503, "UNAVAILABLE"), ProviderError, "failed (HTTP 503)"),
    "Anthropic, a time-out": Case(504, anthropic("timeout_error"), ProviderError, "failed (HTTP 504)"),
    "Ollama's cloud": Case(502, {"error": "why"}, ProviderError, "failed (HTTP 502)"),
    "llama.cpp, loading": Case(503, openai(type_="unavailable_error"), ProviderError, "failed (HTTP 503)"),
    "a web page": Case(502, b"<html>why", ProviderError, "failed (HTTP 502)", "", "", ""),
    "a time-out": Case(408, openai(), DeadlineError, "took too long"),
    "a proxy": Case(407, b"<html>", NetworkError, "the proxy for", "check HTTPS_PROXY", "", ""),
}


def meant(case: Case, row: Provider) -> AixError:
    names = {"provider": row.name, "model": "m-1", "page": row.key_page or "https://page.example"}
    return failure(case.status, case.data, names, "", row)


@pytest.mark.parametrize("name", CASES)
def test_an_envelope_means_the_same_at_every_provider(name: str) -> None:
    case = CASES[name]
    for row in ROWS:
        error = meant(case, row)
        assert type(error) is case.error, row.name
        assert (error.reason, case.said in error.message) == (case.reason, True), (row.name, error.message)
        assert error.cause.startswith(case.cause)
        assert bool(error.cause) == bool(case.cause)
        assert row.pull or str(error.status) in row.hints or case.hint in error.hint, row.name
        assert not {"{", "}"} & set(error.message + error.hint)


@pytest.mark.parametrize("status", [401, 402, 404, 429])
def test_there_is_a_hint_for_every_usual_trouble_at_every_provider(status: int) -> None:
    for row in ROWS:
        assert meant(Case(status, b"", AixError, ""), row).hint, row.name


def test_what_cannot_pass_is_never_sent_again() -> None:
    for name, case in CASES.items():
        error = meant(case, ROWS[0])
        final = case.reason or case.error in (AuthError, NotFoundError, NetworkError) or case.status in (400, 402, 422)
        again = wait(Failure(error, {}), 1, dice=0.5, patience=Patience())
        assert (again is None) == bool(final or case.status == 413), name


@pytest.mark.parametrize(
    ("provider", "status", "error", "hint"),
    [
        ("cohere", 498, AuthError, "aix api-key cohere"),
        ("groq", 498, RateLimitError, "wait a little"),
        ("ollama", 404, NotFoundError, "ollama pull m-1"),
        ("perplexity", 404, NotFoundError, "aix config --set custom_providers.perplexity.protocol openai-responses"),
        ("perplexity", 410, ProviderError, "aix config --set custom_providers.perplexity.protocol openai-responses"),
    ],
)
def test_a_provider_s_own_habits_are_in_its_row(provider: str, status: int, error: type[AixError], hint: str) -> None:
    row = next(row for row in ROWS if row.name == provider)
    found = meant(Case(status, {"error": "why"}, error, ""), row)
    assert type(found) is error
    assert hint in found.hint
    again = wait(Failure(found, {}), 1, dice=0.5, patience=Patience())
    assert (again is not None) == (error is RateLimitError)


def test_a_model_that_the_provider_suggests_instead_is_named() -> None:
    models = ["rm -rf /", "anthropic/claude-haiku-4.5", "x"]
    body = {"error": {"code": 503, "message": "why", "availability": {"fallback_models": models, "retryable": True}}}
    error = meant(Case(503, body, ProviderError, ""), ROWS[0])
    assert error.hint == "it suggests: --model openrouter:anthropic/claude-haiku-4.5"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if isinstance(case.body, dict)])
def test_the_same_error_inside_an_answer_means_the_same_or_is_the_provider_s(name: str) -> None:
    case = CASES[name]
    error = in_band(case.body, {"provider": "p", "model": "m-1", "page": "https://page.example"})
    assert error.reason == case.reason
    assert error.cause.startswith(case.cause)
    if case.reason:
        assert type(error) is case.error
