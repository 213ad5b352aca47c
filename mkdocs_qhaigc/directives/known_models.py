"""The table of known models: the sizes that each takes, images a call, reference images, transparency. Pure.

The table is `known_models.json` beside this module, and the option `models` adds to it. It is read where something asks
for it: for a ratio, a service's own size, a call, advice. It is advice: what is not in it is sent as the author wrote
it. A name fits an entry that it equals, else the longest one that it begins with (`gpt-image-2-2026-04-21`), with or
without a vendor before it (`openai/gpt-image-2`).

A ratio's size is part of a key. An entry whose sizes are changed makes images of that model be bought again where a
ratio has another size then: a test holds the sizes of the usual ratios.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from mkdocs_qhaigc.directives.sizes import MOST_PIXELS, SIZE_LIMITS, USUAL_PIXELS, sides_of, size_of_ratio

ModelTable = Mapping[str, Mapping[str, Any]]
"""Name, or the beginning of names -> entry, in the form of `known_models.json`."""
TRANSPARENT_FORMATS = ("png", "webp")
"""Formats of the API's `output_format` that hold transparency, the preferred one first."""
_NOTHING: ModelTable = MappingProxyType({})
_SAME_CROP = 0.005
"""Shares cut off that differ by less count as equal: half a percent is a few pixels."""
_USUAL_MULTIPLE = 16
"""Pixels: sides that nearly all models take are multiples of it."""
_AFTER_NAME = "-_@:"
"""Characters with which a name goes on behind that of an entry."""


class SizeLimits(NamedTuple):
    """The sizes that a model takes, where they are no list."""

    multiple_of: int = 1
    """Pixels: both sides are multiples of it."""
    min_side: int = SIZE_LIMITS[0]
    """Pixels."""
    max_side: int = SIZE_LIMITS[1]
    """Pixels."""
    min_pixels: int = 0
    """Width times height."""
    max_pixels: int = MOST_PIXELS
    """Width times height."""
    max_ratio: float = math.inf
    """The longer side divided by the shorter one."""
    usual_pixels: int = USUAL_PIXELS
    """Width times height that the size of a ratio comes near to."""

    def allows(self, width: int, height: int) -> bool:
        """Return whether a size in pixels is within the limits."""
        return (
            self.min_side <= min(width, height)
            and max(width, height) <= self.max_side
            and width % self.multiple_of == 0 == height % self.multiple_of
            and self.min_pixels <= width * height <= self.max_pixels
            and max(width, height) <= self.max_ratio * min(width, height)
        )

    def nearest(self, width: int, height: int) -> list[tuple[int, int]]:
        """Return the sizes with exactly the proportions of `width` and `height`; if there are none, the nearest ones.

        Their sides are multiples of 16 where the limits name no other number.
        """
        step = self.multiple_of if self.multiple_of > 1 else _USUAL_MULTIPLE
        most = min(self.max_side, SIZE_LIMITS[1])
        common = math.gcd(width, height)
        width, height = width // common, height // common
        unit = math.lcm(step // math.gcd(step, width), step // math.gcd(step, height))
        exact = [(factor * width, factor * height) for factor in range(unit, most + 1, unit)]
        if allowed := [size for size in exact if self.allows(*size)]:
            return allowed
        ratio = min(max(height / width, 1 / self.max_ratio), self.max_ratio)
        sides = range(step, most + 1, step)
        sizes = [(wide, tall) for wide in sides for down in (wide * ratio // step,) for tall in _both(down, step)]
        return [size for size in sizes if self.allows(*size)]

    def __str__(self) -> str:
        """`sides that are multiples of 16, at most 3840 pixels a side, …`, for messages."""
        any_size = SizeLimits()
        limits = (
            (self.multiple_of != any_size.multiple_of, f"sides that are multiples of {self.multiple_of}"),
            (self.min_side != any_size.min_side, f"at least {self.min_side} pixels a side"),
            (self.max_side != any_size.max_side, f"at most {self.max_side} pixels a side"),
            (self.min_pixels != any_size.min_pixels, f"at least {self.min_pixels:,} pixels in all"),
            (self.max_pixels != any_size.max_pixels, f"at most {self.max_pixels:,} pixels in all"),
            (self.max_ratio != any_size.max_ratio, f"at most {self.max_ratio:g}:1"),
        )
        words = [text for given, text in limits if given]
        return ", ".join(words) or "any size"


class KnownModel(NamedTuple):
    """The abilities and limits of one model. The defaults are those of an unknown model."""

    sizes: tuple[str, ...] | SizeLimits | None = None
    """`WIDTHxHEIGHT` each, or their limits; `None` if unknown."""
    size_tokens: Mapping[str, str] = MappingProxyType({})
    """The service's own word for a size (`2K`) -> `WIDTHxHEIGHT` that is expected for it."""
    most_n: int | None = None
    """Images of one call; `None` if unknown."""
    response_format: bool = True
    """Whether the field may be sent."""
    sends_size: bool = True
    """Whether the field `size` is sent."""
    references: Literal["edits", "json", "none"] | None = None
    """How reference images are sent; `none` if the model takes none, `None` if that is unknown."""
    most_references: int | None = None
    """Reference images of one call; `None` if unknown."""
    transparent: bool | None = None
    """Whether it can leave the background transparent; `None` if unknown."""
    formats: tuple[str, ...] | None = None
    """Values of `output_format` that can be read here; empty if the field is not taken, `None` if unknown."""
    ended: Mapping[str, str] = MappingProxyType({})
    """Host of a service -> the day (ISO 8601) on which it ended the model."""

    def takes(self, size: str) -> bool | None:
        """Return whether the model takes a size, in pixels or a token; `None` if that is unknown."""
        sides = sides_of(size)
        if sides is None:
            return True if size in self.size_tokens else (None if self.sizes is None else False)
        if self.sizes is None or not self.sends_size:
            return None
        if isinstance(self.sizes, SizeLimits):
            return self.sizes.allows(*sides)
        return size in self.sizes

    def size_of_ratio(self, width: int, height: int) -> str:
        """Return the size to ask for where an image of these proportions is wanted, as `WIDTHxHEIGHT`.

        Of the sizes that the model takes, the one of which least has to be cut off, and of those the one nearest to the
        usual number of pixels.
        """
        limits = self.sizes if isinstance(self.sizes, SizeLimits) else SizeLimits()
        if not self.sizes or not self.sends_size:
            return size_of_ratio(width, height)
        listed = () if isinstance(self.sizes, SizeLimits) else self.sizes
        sizes = [*filter(None, map(sides_of, listed))] if listed else limits.nearest(width, height)
        usual = min(max(limits.usual_pixels, limits.min_pixels), limits.max_pixels)

        def merit(size: tuple[int, int]) -> tuple[float, float]:
            return round(_cut_off(size, width, height) / _SAME_CROP), abs(math.log(size[0] * size[1] / usual))

        best = min(sizes, key=merit, default=None)
        return f"{best[0]}x{best[1]}" if best else size_of_ratio(width, height)

    def pixels(self, size: str) -> tuple[int, int] | None:
        """Return width and height to expect for a size, in pixels; `None` for a word of which nothing is known."""
        return sides_of(self.size_tokens.get(size, size))


def known_model(name: str, own: ModelTable = _NOTHING) -> KnownModel:
    """Return what is known of a model. `own` is the option `models`, whose fields win over those of the table."""
    return read_entry(_fields(name, own))


def is_known(name: str, own: ModelTable = _NOTHING) -> bool:
    """Whether anything is known of a model."""
    return any(_entry(one, table) for table in (_table(), own) for one in (name, name.rpartition("/")[2]))


def known_names() -> tuple[str, ...]:
    """Return the names in the table, or the beginnings of names."""
    return tuple(_table())


def read_entry(fields: Mapping[str, Any]) -> KnownModel:
    """Return the values of an entry of the table, without `like`."""
    given = {name: value for name, value in fields.items() if value is not None}
    sizes = given.get("sizes")
    if sizes is not None:
        given["sizes"] = SizeLimits(**sizes) if isinstance(sizes, Mapping) else tuple(sizes)
    if "formats" in given:
        given["formats"] = tuple(given["formats"])
    given["sends_size"] = given.pop("size", None) != "none"
    return KnownModel(**given)


def _fields(name: str, own: ModelTable) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for table in (_table(), own):
        found = _entry(name, table) or _entry(name.rpartition("/")[2], table)
        if found is None:
            continue
        entry = dict(table[found])
        if like := entry.pop("like", None):
            others = {one: table[one] for one in table if one != found} if table is own else _NOTHING
            fields = _fields(like, others)
        fields |= entry
    return fields


def _entry(name: str, table: ModelTable) -> str | None:
    """Return the name of the entry that a model's name fits; `None` if there is none."""
    if name in table:
        return name
    fits = [entry for entry in table if name.startswith(entry) and name[len(entry)] in _AFTER_NAME]
    return max(fits, key=len, default=None)


@lru_cache(maxsize=1)
def _table() -> ModelTable:
    text = Path(__file__).with_name("known_models.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = json.loads(text)
    return table


def _cut_off(size: tuple[int, int], width: int, height: int) -> float:
    """Return the share of an image of this size that is cut off to give it the proportions of `width` and `height`."""
    have, wanted = size[0] / size[1], width / height
    return 1 - min(have / wanted, wanted / have)


def _both(steps: float, step: int) -> tuple[int, int]:
    """Return the multiples of `step` next to a length that is more than `steps` of them."""
    return int(steps) * step, (int(steps) + 1) * step
