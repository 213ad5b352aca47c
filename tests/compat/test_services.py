"""Images APIs that are not ours: what an author sees of each of their answers, word for word.

Real programs (LiteLLM's proxy, aimock, Prism with OpenAI's document) where they are installed, and two services by the
tests' own servers, written after what was seen of them: Volcengine Ark, and a relay that drops fields (new-api).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.api import KEY, ImagesApi, draw, error
from tests.helpers.services import aimock, ark, ark_url, images_document, litellm, prism, relay

pytestmark = pytest.mark.compatibility

IMAGE = "the image"
"""What the author sees where all is well: no warning, and the image."""
PNG = draw("of a mock", 1280, 720)
_AROUND = (
    r"^WARNING +-? *qhaigc: (1 image is a placeholder \(index\.md#hero\)|index\.md#hero): "
    r"|\. A placeholder stands there$"
)
"""What every message has: where, and what stands in the image's place."""
WRONG = "wrong-key-0123456789abcdef"


def seen(project: Project, base_url: str, *, key: str = KEY, **fields: Any) -> str:
    """Return what an author sees of a build with one image: `IMAGE`, or the words of the warnings.

    `fields` are the directive's; those in capital letters are options.
    """
    options = {name.lower(): value for name, value in fields.items() if name.isupper()}
    project.options |= {"base_url": base_url, "size": "1280x720", "timeout": 6, "retries": 1, **options}
    project.environment["QHAIGC_API_KEY"] = key
    project.write("docs/look.png", draw("a look", 64, 64))
    project.write("docs/palette.png", draw("a palette", 64, 64))
    hero = {"prompt": "A lighthouse", **{name: value for name, value in fields.items() if name.islower()}, "alt": "x"}
    project.page("index.md", "![](qhaigc:hero)", qhaigc={"hero": hero})
    built = project.build()
    assert built.code == 0, built.output
    if not built.warnings:
        assert [name for name in project.originals if name.endswith(".json")], built.output
        return IMAGE
    words = "\n".join(re.sub(_AROUND, "", line) for line in built.warnings).replace(str(project.folder), "FOLDER")
    return re.sub(r"(?<=equest id: )[0-9]+|(?<=hero-)[0-9a-f]{16}", "…", words)


# Ark


@pytest.fixture
def volcengine() -> Iterator[ImagesApi]:
    with ImagesApi(ark) as api:
        yield api


ARK: dict[str, tuple[dict[str, Any], str]] = {
    "url": ({}, IMAGE),
    "b64_json": ({"RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "its own fields": ({"params": {"watermark": False, "seed": 3, "guidance_scale": 5}}, IMAGE),
    "references": ({"references": ["look.png", "palette.png"], "REFERENCES_BY": "json"}, IMAGE),
    "a refusal": (
        {"prompt": "[refuse]"},
        (
            "the API refuses this prompt (The request failed because the input text may contain sensitive "
            "information. Request id: …). Change the prompt; until then it is not asked for again"
        ),
    ),
    "an account in arrears": (
        {"prompt": "[overdue]"},
        (
            "the API answered 403 (AccountOverdueError): The request failed because your account has an overdue "
            "balance. Request id: …. Check the key and the account, then build again"
        ),
    ),
    "a quota": (
        {"prompt": "[limit]"},
        (
            "the API answered 429 (SetLimitExceeded): Your account has reached the set inference limit for the "
            "model, and the model service is paused. Request id: …. Check the key and the account, then build "
            "again"
        ),
    ),
    "a wrong key": (
        {"key": WRONG},
        (
            "the API answered 401 (AuthenticationError): The API key or AK/SK in the request is missing or "
            "invalid. Request id: …. Check the key and the account, then build again"
        ),
    ),
    "a size that is too small": (
        {"size": "512x512"},
        (
            "the API answered 400 (InvalidParameter): The parameter `size` specified in the request is not valid:"
            " image size must be at least 921600 pixels. Request id: …. Check `size`"
        ),
    ),
    "a field it does not know": (
        {"params": {"quality": "hd"}},
        (
            "the API answered 400 (InvalidParameter): The parameter `quality` specified in the request is not "
            "valid. Request id: …. Check `quality` under `params`"
        ),
    ),
    "another address": (
        {"base_url": "/v1"},
        "the API answered 404 (InvalidEndpoint.NotFound): The requested endpoint is not found. Request id: …",
    ),
}


@pytest.mark.parametrize("case", ARK)
def test_ark(project: Project, volcengine: ImagesApi, case: str) -> None:
    fields, words = ARK[case]
    base_url = volcengine.origin + fields["base_url"] if "base_url" in fields else ark_url(volcengine)
    assert seen(project, base_url, **{k: v for k, v in fields.items() if k != "base_url"}) == words


# A relay


RELAY: dict[str, tuple[dict[str, Any], str]] = {
    "url": ({}, IMAGE),
    "b64_json": ({"RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "references": ({"references": ["look.png", "palette.png"], "REFERENCES_BY": "json"}, IMAGE),
    "a refusal": (
        {"prompt": "[words]"},
        (
            "the API refuses this prompt (user sensitive words detected (request id: …)). Change the prompt; "
            "until then it is not asked for again"
        ),
    ),
    "a refusal of the service behind it": (
        {"prompt": "[refuse]"},
        (
            "the API refuses this prompt (The request failed because the input text may contain sensitive "
            "information. Request id: … (request id: …)). Change the prompt; until then it is not asked for again"
        ),
    ),
    "a quota": (
        {"prompt": "[quota]"},
        (
            "the API answered 403 (insufficient_user_quota): 用户额度不足, 剩余额度: ＄0.000000 (request id: …). Check "
            "the key and the account, then build again"
        ),
    ),
    "a wrong key": (
        {"key": WRONG},
        (
            "the API answered 401 (new_api_error): 无效的令牌 (request id: …). Check the key and the account, then "
            "build again"
        ),
    ),
    "nobody behind it": (
        {"model": "m[nobody]"},
        (
            "the API answered 503 (model_not_found): No available channel for model m[nobody] under group default"
            " (request id: …). Check `model`"
        ),
    ),
    "a size that is too small": (
        {"size": "512x512"},
        (
            "the API answered 400 (InvalidParameter): The parameter `size` specified in the request is not valid:"
            " image size must be at least 921600 pixels. Request id: … (request id: …). Check `size`"
        ),
    ),
}


@pytest.fixture
def relayed(volcengine: ImagesApi) -> Iterator[ImagesApi]:
    with ImagesApi(relay(ark_url(volcengine))) as api:
        yield api


@pytest.mark.parametrize("case", RELAY)
def test_a_relay(project: Project, relayed: ImagesApi, case: str) -> None:
    fields, words = RELAY[case]
    assert seen(project, relayed.base_url, **fields) == words


def test_a_relay_drops_a_seed_without_a_word(project: Project, relayed: ImagesApi, volcengine: ImagesApi) -> None:
    assert seen(project, relayed.base_url, params={"seed": 3, "watermark": False}) == IMAGE
    assert "seed" in relayed.calls[0]
    assert "seed" not in volcengine.calls[0]
    assert volcengine.calls[0]["watermark"] is False


# LiteLLM


LITELLM: dict[str, tuple[dict[str, Any], str]] = {
    "url": ({}, IMAGE),
    "b64_json": ({"RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "no field": ({"RESPONSE_FORMAT": "none"}, IMAGE),
    "dropped fields": ({"model": "dropping", "RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "references": ({"references": ["look.png", "palette.png"], "REFERENCES_BY": "edits"}, IMAGE),
    "a refusal": (
        {"prompt": "[refuse]", "RESPONSE_FORMAT": "none"},
        (
            "the API refuses this prompt (litellm.BadRequestError: OpenAIException - Your request was rejected as a "
            "result of our safety system. LiteLLM: model group 'qh-draw-x2-preview' failed with the error above. No "
            "fallback was attempted). Change the prompt; until then it is not asked for again"
        ),
    ),
    "a quota": (
        {"model": "quota", "RESPONSE_FORMAT": "none"},
        (
            "the API answered 429 (throttling_error): litellm.RateLimitError: RateLimitError: OpenAIException - "
            "You exceeded your current quota, please check your plan. LiteLLM: model group 'quota' failed with "
            "the error above. No fallback was attempted. Check the key and the account, then build again"
        ),
    ),
    "a hard limit": (
        {"model": "limit", "RESPONSE_FORMAT": "none"},
        (
            "the API answered 400 (invalid_request_error): litellm.BadRequestError: OpenAIException - Billing "
            "hard limit has been reached. LiteLLM: model group 'limit' failed with the error above. No fallback "
            "was attempted. Check the key and the account, then build again"
        ),
    ),
    "a wrong key": (
        {"key": f"sk-{WRONG}"},
        "the API answered 400 (no_db_connection): No connected db. Check the key and the account, then build again",
    ),
    "a model that it does not have": (
        {"model": "none-such"},
        (
            "the API answered 400 (invalid_request_error): 400: {'error': '/image/generations: Invalid model name"
            " passed in model=none-such. Call `/v1/models` to view available models for your key.'}"
        ),
    ),
    "a size that is none": (
        {"size": "4097x16", "RESPONSE_FORMAT": "none"},
        (
            "the API answered 400 (invalid_request_error): litellm.BadRequestError: OpenAIException - Invalid "
            "'size': expected WIDTHxHEIGHT, each from 16 to 4096 pixels, such as 1280x720. LiteLLM: model group "
            "'qh-draw-x2-preview' failed with the error above. No fallback was attempted. Check `size`"
        ),
    ),
    "a field that is none": (
        {"params": {"wings": 2}, "RESPONSE_FORMAT": "none"},
        (
            "the API answered 400 (invalid_request_error): litellm.BadRequestError: OpenAIException - Unknown "
            "parameter: 'wings'. LiteLLM: model group 'qh-draw-x2-preview' failed with the error above. No "
            "fallback was attempted. Check `wings` under `params`"
        ),
    ),
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """LiteLLM before the sandbox, and before a server that is out of quota."""
    with Sandbox() as sandbox, ImagesApi() as out, ImagesApi() as limited:
        out.default = error(429, "insufficient_quota", "You exceeded your current quota, please check your plan.")
        limited.default = error(400, "billing_hard_limit_reached", "Billing hard limit has been reached.")
        models: dict[str, tuple[str, dict[str, Any]]] = {
            "qh-draw-x2-preview": (sandbox.base_url, {}),
            "dropping": (sandbox.base_url, {"drop_params": True}),
            "quota": (out.base_url, {"max_retries": 0}),
            "limit": (limited.base_url, {}),
        }
        with litellm(tmp_path_factory.mktemp("litellm"), models) as base_url:
            yield base_url


@pytest.mark.parametrize("case", LITELLM)
def test_litellm_before_the_sandbox(project: Project, proxy: str, case: str) -> None:
    fields, words = LITELLM[case]
    assert seen(project, proxy, **{"key": f"sk-{KEY}", **fields}) == words


# aimock


AIMOCK: dict[str, tuple[dict[str, Any], str]] = {
    "url": ({}, IMAGE),
    "b64_json": ({"prompt": "Fog in base64", "RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "base64 where an address was asked for": ({"prompt": "Fog in base64"}, IMAGE),
    "references": ({"references": ["look.png", "palette.png"], "REFERENCES_BY": "edits"}, IMAGE),
    "a refusal": (
        {"prompt": "A refusal"},
        (
            "the API refuses this prompt (Your request was rejected by our safety system). Change the prompt; "
            "until then it is not asked for again"
        ),
    ),
    "a quota": (
        {"prompt": "A quota"},
        (
            "the API answered 429 (insufficient_quota): You exceeded your current quota. Check the key and the "
            "account, then build again"
        ),
    ),
    "a wrong key": (
        {"prompt": "A wrong key"},
        (
            "the API answered 401 (invalid_api_key): Incorrect API key provided. Check the key and the account, "
            "then build again"
        ),
    ),
    "a prompt that it does not have": (
        {"prompt": "Unheard of"},
        "the API answered 404 (no_fixture_match): No fixture matched",
    ),
    "no images": (
        {"prompt": "Nothing"},
        "the API answered 200 without an image. What came is kept in FOLDER/.qhaigc/rejected/hero-….answer",
    ),
}


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    def failure(status: int, code: str, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": "invalid_request_error", "code": code}, "status": status}

    with ImagesApi() as host:
        answers = {
            "A lighthouse": {"image": {"url": host.origin + host.host(PNG)}},
            "Fog in base64": {"image": {"b64Json": base64.b64encode(PNG).decode(), "revisedPrompt": "Dense fog"}},
            "A refusal": failure(400, "content_policy_violation", "Your request was rejected by our safety system."),
            "A quota": failure(429, "insufficient_quota", "You exceeded your current quota."),
            "A wrong key": failure(401, "invalid_api_key", "Incorrect API key provided."),
            "Nothing": {"images": []},
        }
        with aimock(tmp_path_factory.mktemp("aimock"), answers) as base_url:
            yield base_url


@pytest.mark.parametrize("case", AIMOCK)
def test_aimock(project: Project, mock: str, case: str) -> None:
    fields, words = AIMOCK[case]
    assert seen(project, mock, **fields) == words


# Prism, with OpenAI's document


PRISM: dict[str, tuple[dict[str, Any], str]] = {
    "b64_json": ({"RESPONSE_FORMAT": "b64_json"}, IMAGE),
    "url": ({"HEADERS": {"Prefer": "example=url"}}, IMAGE),
    "references": ({"references": ["look.png", "palette.png"], "REFERENCES_BY": "edits"}, IMAGE),
    "a refusal": (
        {"HEADERS": {"Prefer": "code=400"}, "base_url": "/failing/v1"},
        (
            "the API refuses this prompt (Your request was rejected by the safety system). Change the prompt; "
            "until then it is not asked for again"
        ),
    ),
    "a quota": (
        {"HEADERS": {"Prefer": "code=429"}, "base_url": "/failing/v1"},
        (
            "the API answered 429 (insufficient_quota): You exceeded your current quota. Check the key and the "
            "account, then build again"
        ),
    ),
    "a wrong key": (
        {"HEADERS": {"Prefer": "code=401"}, "base_url": "/failing/v1"},
        (
            "the API answered 401 (invalid_api_key): Incorrect API key provided. Check the key and the account, "
            "then build again"
        ),
    ),
    "a value that is none": (
        {"params": {"quality": "best"}},
        (
            "the API answered 422 (enum): body.quality: Request body property quality must be equal to one of the"
            " allowed values: standard, hd, low, medium, high, auto,. Check `quality` under `params`"
        ),
    ),
    "a field that is none": (
        {"params": {"seed": 3}},
        (
            "the API answered 422 (additionalProperties): body: Request body must NOT have additional properties;"
            " found 'seed'"
        ),
    ),
    "another address": (
        {"base_url": "/v2"},
        (
            "the API answered 404: The route /v2/images/generations hasn't been found in the specification file. "
            "Check `base_url`: it mostly ends in /v1, and /images/generations is added to it"
        ),
    ),
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ImagesApi() as host:
        published = images_document(host.origin + host.host(PNG), PNG)
        with prism(tmp_path_factory.mktemp("prism"), published) as base_url:
            yield base_url


@pytest.mark.parametrize("case", PRISM)
def test_prism_with_openai_s_document(project: Project, document: str, case: str) -> None:
    fields, words = PRISM[case]
    base_url = document.removesuffix("/v1") + fields.get("base_url", "/v1")
    assert seen(project, base_url, **{k: v for k, v in fields.items() if k != "base_url"}) == words


def test_what_a_service_counts_is_in_the_record(project: Project, document: str) -> None:
    project.options["prices"] = {"gpt-image-2": {"input": 5, "output": 40, "per": "1M tokens"}, "currency": "USD"}
    assert seen(project, document, model="gpt-image-2", size="1024x1024") == IMAGE
    (record,) = (Path(project.cache, "originals", name) for name in project.originals if name.endswith(".json"))
    assert '"output_tokens": 1056' in record.read_text(encoding="utf-8")
