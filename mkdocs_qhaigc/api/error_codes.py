"""The codes of services' errors that say more than their status does, each with the services that send it. Pure.

To add one, write it into a table in small letters, without what follows a dot: `SensitiveContentDetected.Violence` is
`sensitivecontentdetected`. A code with a dot counts only as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

REFUSALS: Mapping[str, str] = {
    "content_policy_violation": "OpenAI, Azure, relays",
    "moderation_blocked": "OpenAI",
    "content_filter": "Azure, Moonshot",
    "contentfilter": "Azure",
    "responsibleaipolicyviolation": "Azure",
    "inputtextsensitivecontentdetected": "Ark",
    "inputimagesensitivecontentdetected": "Ark",
    "outputtextsensitivecontentdetected": "Ark",
    "outputimagesensitivecontentdetected": "Ark",
    "inputtextriskdetection": "Ark",
    "inputimageriskdetection": "Ark",
    "outputtextriskdetection": "Ark",
    "outputimageriskdetection": "Ark",
    "sensitivecontentdetected": "Ark",
    "contentsecuritydetectionerror": "Ark",
    "datainspectionfailed": "DashScope",
    "data_inspection_failed": "DashScope",
    "ipinfringementsuspect": "DashScope",
    "1301": "Zhipu",
    "1026": "MiniMax",
    "1027": "MiniMax",
    "sensitive_words_detected": "new-api",
    "prompt_blocked": "new-api",
    "content_moderation": "Stability",
    "illegal_prompt": "Novita",
    "illegal_image_content": "Novita",
    "nsfw_content_detected": "relays",
}
"""Codes of requests that are refused for their content: asked again, they are refused again."""

ACCOUNT_STATES: Mapping[str, str] = {
    "insufficient_quota": "OpenAI, relays",
    "billing_hard_limit_reached": "OpenAI",
    "billing_not_active": "OpenAI",
    "account_deactivated": "OpenAI",
    "invalid_api_key": "OpenAI, relays",
    "accountoverdueerror": "Ark",
    "setlimitexceeded": "Ark",
    "quotaexceeded": "Ark",
    "invalidaccountstatus": "Ark",
    "operationdenied.serviceoverdue": "Ark",
    "authenticationerror": "Ark",
    "arrearage": "DashScope",
    "prepaidbilloverdue": "DashScope",
    "postpaidbilloverdue": "DashScope",
    "commoditynotpurchased": "DashScope",
    "allocationquota.freetieronly": "DashScope",
    "invalidapikey": "DashScope",
    "1004": "Zhipu, MiniMax",
    "1008": "MiniMax",
    "1112": "Zhipu",
    "1113": "Zhipu",
    "1121": "Zhipu",
    "1304": "Zhipu",
    "1308": "Zhipu",
    "1309": "Zhipu",
    "insufficient_user_quota": "new-api",
    "pre_consume_token_quota_failed": "new-api",
    "insufficient_balance": "DeepSeek, relays",
    "billing_balance_not_enough": "Novita",
    "not_enough_balance": "Novita",
    "30001": "SiliconFlow",
    "exceeded_current_quota_error": "Moonshot",
    "api_key_invalid": "Google",
    "payment_required": "Stability, relays",
    "no_db_connection": "LiteLLM, for a key that it does not know",
}
"""Codes of accounts that can buy nothing: the key is unknown, the balance used up, or a limit that was set reached."""

NO_SUCH_MODEL: Mapping[str, str] = {
    "model_not_found": "OpenAI; new-api, with status 503",
    "modelnotopen": "Ark",
    "invalidendpointormodel": "Ark",
}
"""Codes of models that the service, or the account, does not have: whatever the status, waiting does not help."""

_REFUSAL_IN_WORDS = re.compile(
    r"(?i)\b(?:rejected|blocked|flagged) (?:as a result of|by|for) (?:(?:our|the) )?(?:content |image )?"
    r"(?:safety|moderation|content policy)\b"
    r"|\bcontent[ _-]?policy[ _-]?violation|\b(?:input|prompt|request) (?:was|is|has been) flagged\b|\bcontains nsfw\b"
)
_ACCOUNT_IN_WORDS = re.compile(
    r"(?i)\bexceeded your current quota\b|\bbilling hard limit has been reached\b|\binsufficient_(?:user_)?quota\b"
)
"""Match words of OpenAI, xAI, Cloudflare and OpenRouter, where no code says it, or a proxy such as LiteLLM drops it."""
_UNKNOWN_KEY = re.compile(
    r"(?i)\b(?:incorrect|invalid|unknown|expired|wrong)\W+(?:\w+\W+){0,2}?api[ _-]?key\b"
    r"|\bapi[ _-]?key\b[^.]{0,30}?\b(?:invalid|not valid|incorrect|unknown|expired|not found)\b"
)
"""Matches what services say of a key with a status that is for wrong fields."""
_NO_SUCH_FIELD_CODES = frozenset(("unknown_parameter", "unsupported_parameter", "extra_forbidden"))
_NO_VALUE = r"(?:(?!\bvalue|\d ?[x×*] ?\d)[^.;])"
"""Matches a character before which no value of a field is meant."""
_NO_SUCH_FIELD = re.compile(
    rf"(?i)\b(?:argument|parameter|field|property|key)s?\b{_NO_VALUE}{{0,40}}?"
    r"\b(?:not (?:supported|permitted|allowed)|unsupported|unknown|unrecognized|unexpected)"
    rf"|\b(?:unsupported|unknown|unrecognized|unexpected|extra)\b{_NO_VALUE}{{0,20}}"
    r"\b(?:argument|parameter|field|property|input)s?\b(?! value)"
    rf"|(?:\bnot|n't) (?:support|accept|allow|take|have|an? (?:supported|allowed|valid|known)) {_NO_VALUE}{{0,30}}?"
    r"\b(?:argument|parameter|field|property)\b(?! value)"
    r"|(?:不支持|未知)的?(?:参数|字段)(?!的?取?值)"
)
"""Matches what services say of a field that they do not take; not of a value that they do not take."""


def code_among(codes: Iterable[str], table: Mapping[str, str]) -> str:
    """Return the first of an error's codes that a table has; an empty text if it has none."""
    return next((code for code in codes if code.lower() in table or code.lower().partition(".")[0] in table), "")


def says_refusal(message: str) -> bool:
    """Whether an error's words are those of a refusal."""
    return _REFUSAL_IN_WORDS.search(message) is not None


def says_account_state(message: str) -> bool:
    """Whether an error's words are those of an account that can buy nothing."""
    return _ACCOUNT_IN_WORDS.search(message) is not None


def says_unknown_key(message: str) -> bool:
    """Whether an error's words say that the service does not know the key."""
    return _UNKNOWN_KEY.search(message) is not None


def says_no_such_field(code: str, words: str) -> bool:
    """Whether an error is about a field that the service does not take, and not about its value."""
    return code in _NO_SUCH_FIELD_CODES or _NO_SUCH_FIELD.search(words) is not None
