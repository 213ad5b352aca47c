"""The rules of each family of models, as strict as its service: fields and their values, sizes, formats of answers.

OpenAI's gpt-image models, Volcengine Ark's Seedream, and all others as Qhaigc has them. By the services' own
descriptions, and by no table of the rest of this package: the sandbox is to disagree where that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Check = Callable[[Any], str]
"""Returns what a field's value should be; empty if it is."""


def _one_of(*words: str) -> Check:
    expected = f"expected one of {', '.join(map(repr, words))}"
    return lambda value: "" if value is None or value in words else expected


def _number(least: float, most: float, *, whole: bool = True) -> Check:
    expected = f"expected {'an integer' if whole else 'a number'} from {least} to {most}"
    kinds = int if whole else (int, float)
    return lambda value: (
        ""
        if value is None or (isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most)
        else expected
    )


def _of_kind(kind: type, name: str) -> Check:
    return lambda value: "" if value is None or isinstance(value, kind) else f"expected {name}"


def _anything(_: Any) -> str:
    return ""


def _no_stream(value: Any) -> str:
    return "the sandbox sends no event streams: expected false" if value else ""


@dataclass(frozen=True, slots=True)
class Family:
    """The rules of one family of models, for requests and answers."""

    fields: Mapping[str, Check]
    """Beside `model`, `prompt`, `size` and `n`, which all take."""
    sizes: Callable[[int, int], str]
    """Returns what is wrong with a size in pixels; empty if nothing is."""
    words: Mapping[str, tuple[int, int]]
    """The service's own words for sizes, and the pixels of the answer."""
    most_n: int
    formats: tuple[str, ...]
    """Values of `output_format`, the usual one first; of a model that takes no such field, the format of its images."""
    answers: Literal["url", "b64_json"] = "url"
    """The format of answers to requests without `response_format`."""
    usage: Literal["tokens", "images"] | None = None
    """The unit in which answers count what was used; `None` if they do not count."""
    watermark: bool = False
    """Whether images have one unless `watermark: false` is asked for."""


def _within_4096(width: int, height: int) -> str:
    if 16 <= width <= 4096 and 16 <= height <= 4096:
        return ""
    return "expected WIDTHxHEIGHT, each from 16 to 4096 pixels, such as 1280x720"


def _multiples_of_16(width: int, height: int) -> str:
    if width % 16 or height % 16:
        return "expected width and height divisible by 16"
    if not 1 / 3 <= width / height <= 3:
        return "expected an aspect ratio between 1:3 and 3:1"
    if max(width, height) > 3840 or width * height > 3840 * 2160:
        return "expected at most 3840x2160"
    return ""


def _three_sizes(width: int, height: int) -> str:
    if (width, height) in ((1024, 1024), (1536, 1024), (1024, 1536)):
        return ""
    return "expected 1024x1024, 1536x1024, 1024x1536 or auto"


def _pixels(least: int, most: int) -> Callable[[int, int], str]:
    def check(width: int, height: int) -> str:
        if least <= width * height <= most and 1 / 16 <= width / height <= 16:
            return ""
        return f"expected {least} to {most} pixels in all, and an aspect ratio between 1:16 and 16:1"

    return check


def _sides_of_512_to_2048(width: int, height: int) -> str:
    return "" if min(width, height) >= 512 and max(width, height) <= 2048 else "expected 512x512 to 2048x2048"


_ANSWER = {"response_format": _one_of("url", "b64_json")}
_ANY = Family(
    fields={
        **_ANSWER,
        **dict.fromkeys(
            ("quality", "style", "user", "background", "moderation", "output_format", "output_compression"), _anything
        ),
        "seed": _of_kind(int, "an integer"),
        "negative_prompt": _anything,
    },
    sizes=_within_4096,
    words={},
    most_n=10,
    formats=("webp",),
)
_DALL_E_3 = Family(
    fields={
        **_ANSWER,
        "quality": _one_of("standard", "hd"),
        "style": _one_of("vivid", "natural"),
        "user": _of_kind(str, "a string"),
    },
    sizes=_within_4096,
    words={},
    most_n=1,
    formats=("png",),
)


def _gpt_image(sizes: Callable[[int, int], str]) -> Family:
    return Family(
        fields={
            "quality": _one_of("low", "medium", "high", "xhigh", "max", "auto"),
            "background": _one_of("transparent", "opaque", "auto"),
            "moderation": _one_of("low", "auto"),
            "output_format": _one_of("png", "webp", "jpeg"),
            "output_compression": _number(0, 100),
            "user": _of_kind(str, "a string"),
            "safety_identifier": _of_kind(str, "a string"),
            "stream": _no_stream,
        },
        sizes=sizes,
        words={"auto": (1024, 1024)},
        most_n=10,
        formats=("png", "webp", "jpeg"),
        answers="b64_json",
        usage="tokens",
    )


def _seedream(sizes: Callable[[int, int], str], words: str, formats: tuple[str, ...] = ("jpeg",)) -> Family:
    """`words`: the service's own words for sizes, as in `1K 2K`: thousands of pixels of a square's side."""
    return Family(
        fields={
            **_ANSWER,
            "seed": _number(-1, 2**31 - 1),
            "guidance_scale": _number(1, 10, whole=False),
            "watermark": _of_kind(bool, "a boolean"),
            "sequential_image_generation": _one_of("auto", "disabled"),
            "sequential_image_generation_options": _of_kind(dict, "an object"),
            "optimize_prompt_options": _of_kind(dict, "an object"),
            "stream": _no_stream,
            **({"output_format": _one_of(*formats)} if len(formats) > 1 else {}),
        },
        sizes=sizes,
        words={word: (1024 * int(word[0]), 1024 * int(word[0])) for word in words.split()},
        most_n=1,
        formats=formats,
        usage="images",
        watermark=True,
    )


_LARGE = _pixels(2560 * 1440, 4096 * 4096)
_FAMILIES = (
    (r"(?:chatgpt|gpt)-image-latest|gpt-image-1(?:\.5|-mini)?", _gpt_image(_three_sizes)),
    (r"gpt-image-[0-9.]+(?:-[a-z]+)?", _gpt_image(_multiples_of_16)),
    (r"dall-e-3", _DALL_E_3),
    (r"(?:doubao-)?seedream-3-0-t2i", _seedream(_sides_of_512_to_2048, "")),
    (r"(?:doubao-)?seedream-4-0", _seedream(_pixels(1280 * 720, 4096 * 4096), "1K 2K 4K")),
    (r"(?:doubao-)?seedream-4-5", _seedream(_LARGE, "2K 4K")),
    (r"(?:doubao-)?seedream-5-0", _seedream(_LARGE, "2K 3K", ("jpeg", "png"))),
    (r"(?:doubao-)?seedream.*", _seedream(_pixels(1280 * 720, 4096 * 4096), "1K 2K 3K 4K")),
)
_DATED = r"(?:-[0-9]{4}-?[0-9]{2}-?[0-9]{2}|-[0-9]{6})?"


def family_of(model: str) -> Family:
    """Return the family of a model."""
    return next((family for name, family in _FAMILIES if re.fullmatch(name + _DATED, model)), _ANY)
