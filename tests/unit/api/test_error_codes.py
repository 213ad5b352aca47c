"""Which errors of which services are refusals, and which are states of the account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mkdocs_qhaigc.api.error_codes import ACCOUNT_STATES, REFUSALS, says_no_such_field
from mkdocs_qhaigc.api.response import ServerError, read_error


def read(status: int, body: Any) -> ServerError:
    return read_error(status, "application/json", json.dumps(body).encode())


def test_codes_are_in_one_table_in_small_letters_with_the_services_that_send_them() -> None:
    assert not REFUSALS.keys() & ACCOUNT_STATES.keys()
    for code, services in {**REFUSALS, **ACCOUNT_STATES}.items():
        assert code == code.lower()
        assert services


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_a_code_of_a_refusal_is_one_with_any_status(code: str, status: int) -> None:
    error = read(status, {"error": {"code": code.upper(), "message": "No"}})
    assert error.refused
    assert not error.account


@pytest.mark.parametrize("code", ACCOUNT_STATES)
@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_code_of_an_account_s_state_is_one_with_any_status(code: str, status: int) -> None:
    error = read(status, {"error": {"code": code, "message": "No"}})
    assert error.account
    assert not error.refused


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 1301, "message": "No"}},
        {"error": {"code": "SensitiveContentDetected.Violence", "message": "No"}},
        {"code": "DataInspectionFailed", "message": "No", "request_id": "1"},
        {"error": {"code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}, "message": "No"}},
        {"error": "content_policy_violation", "message": "No"},
        {"detail": [{"type": "content_policy_violation", "loc": ["body", "prompt"], "msg": "No"}]},
        {"name": "content_moderation", "errors": ["No"]},
        {"base_resp": {"status_code": 1026, "status_msg": "No"}},
    ],
)
def test_a_refusal_is_found_wherever_a_service_puts_its_code(body: Any) -> None:
    error = read(400, body)
    assert error.refused
    assert "No" in error.message


@pytest.mark.parametrize(
    ("status", "message", "refused"),
    [
        (403, 'Flux requires moderation on Black Forest Labs. Your input was flagged for "violence".', True),
        (403, "Content policy violation", True),
        (400, "Generated image rejected by content moderation.", True),
        (400, "Your request was rejected by the safety system.", True),
        (400, "litellm.ContentPolicyViolationError: the response was filtered", True),
        (400, "AiError: Input prompt contains NSFW content.", True),
        (403, "Your IP address was flagged", False),
        (503, "The content policy violation detector is not available", False),
        (429, "Blocked by our safety limit of requests", False),
        (400, "The request was rejected by the gateway", False),
        (403, "The content policy of your account allows no images", False),
    ],
)
def test_words_of_a_refusal_are_one_where_no_code_says_so(status: int, message: str, refused: bool) -> None:
    error = read(status, {"error": {"code": status, "message": message}})
    assert error.refused is refused
    assert error.account is (status == 403 and not refused)


@pytest.mark.parametrize(
    ("status", "message", "unknown"),
    [
        (400, "Incorrect API key provided: xai-abc.", True),
        (400, "API key not valid. Please pass a valid API key.", True),
        (400, "Invalid api_key", True),
        (400, "The api key was not found", True),
        (400, "Unknown parameter: key", False),
        (400, "Invalid size", False),
        (500, "Invalid API key", False),
    ],
)
def test_words_about_an_unknown_key_are_a_state_of_the_account(status: int, message: str, unknown: bool) -> None:
    assert read(status, {"error": {"message": message}}).account is unknown


@pytest.mark.parametrize(
    ("code", "status"),
    [("RateLimitExceeded.EndpointRPMExceeded", 429), ("rate_limit_exceeded", 429), ("1302", 429), ("quota", 400)],
)
def test_a_busy_service_is_no_account_that_can_buy_nothing(code: str, status: int) -> None:
    error = read(status, {"error": {"code": code, "message": "Slow down"}})
    assert not error.account
    assert not error.refused


@pytest.mark.parametrize(
    ("words", "is_field"),
    [
        ("Argument not supported: size", True),
        ('json: unknown field "size"', True),
        ("This model doesn't support the size parameter", True),
        ("size is not a supported parameter", True),
        ("generate() got an unexpected keyword argument 'size'", True),
        ("不支持的参数: size", True),
        ("Size 96x54 is not supported. Supported: 1024x1024", False),
        ("The model does not support this size parameter value", False),
        ("The parameter `size` specified in the request is not valid", False),
        ("Unsupported value: '96x54'", False),
        ("'96x54' is not a valid value for parameter 'size'", False),
        ("The model does not accept the value '96x54' for parameter size", False),
        ("The size parameter '96x54' is not supported", False),
        ("Unsupported parameter value: size 96x54", False),
        ("不支持的参数值: size", False),
    ],
)
def test_a_field_that_is_not_taken_is_told_from_a_value_that_is_not(words: str, is_field: bool) -> None:
    assert says_no_such_field("", words) is is_field


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (404, {"message": "Invalid URL (POST /images/generations)", "type": "invalid_request_error"}, True),
        (405, {"message": "Not here", "code": "method_not_allowed"}, True),
        (404, {"message": "no model x", "code": "model_not_found"}, False),
        (404, {"message": "no x", "type": "invalid_request_error", "param": "model"}, False),
        (404, {"message": "no deployment", "code": "DeploymentNotFound"}, False),
        (400, {"message": "no", "type": "invalid_request_error"}, False),
    ],
)
def test_of_a_wrong_address_the_option_is_named(status: int, error: dict[str, str], told: bool) -> None:
    assert ("Check `base_url`: it mostly ends in /v1" in str(read(status, {"error": error}).as_exception())) is told
