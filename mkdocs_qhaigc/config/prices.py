"""The price list in the options, and the cost of images. Pure. A price that is not listed is unknown, never guessed.

Where a service charges by tokens, the cost of an image is known once its answer has counted them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from mkdocs_qhaigc._util.text import short_repr
from mkdocs_qhaigc.directives.known_models import ModelTable, known_model
from mkdocs_qhaigc.directives.parse import no_size
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.directives.sizes import ratio_of, read_size
from mkdocs_qhaigc.errors import OptionError

_REMEDY = "Write a number for each model, or one for each of its sizes: {dall-e-3: {1024x1024: 0.04, default: 0.08}}"
_TOKENS_REMEDY = "Write prices by the token with their number, for example {input: 5, output: 40, per: 1000000 tokens}"
_MOST = 1_000_000
_RATES = ("input", "image_input", "output")
"""Names of the prices by the token."""
_PER = re.compile(r"\s*(?:([1-9][0-9_,]{0,14})\s*([kKmM]?)\s+)?tokens?\s*")
_UNITS = {"": 1, "k": 1000, "m": 1_000_000}


class Bought(NamedTuple):
    """An image that was paid for, as its record has it."""

    model: str
    """Empty if the record does not say."""
    size: str
    """As it was asked for; empty if the record does not say."""
    usage: Mapping[str, Any] = MappingProxyType({})
    """The `usage` of its record: tokens or images, by the service's names; empty if the answer had none."""


class TokenPrices(NamedTuple):
    """The prices of one model's tokens."""

    input: Decimal
    """Of one token of the prompt."""
    image_input: Decimal
    """Of one token of reference images."""
    output: Decimal
    """Of one token of the image."""

    def of(self, usage: Mapping[str, Any]) -> Decimal | None:
        """Return the cost of the tokens; `None` if those that cost something were not counted."""
        output, given = _count(usage, "output_tokens"), _count(usage, "input_tokens")
        total = _count(usage, "total_tokens")
        if given is None and total is not None and output is not None:
            given = max(total - output, Decimal(0))
        details = usage.get("input_tokens_details")
        images = _count(details, "image_tokens") if isinstance(details, Mapping) else None
        images = min(images or Decimal(0), given or Decimal(0))
        if (output is None and self.output) or (given is None and (self.input or self.image_input)):
            return None
        text = (given or Decimal(0)) - images
        return text * self.input + images * self.image_input + (output or Decimal(0)) * self.output


def _count(usage: Mapping[str, Any], name: str) -> Decimal | None:
    value = usage.get(name)
    return Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class Cost(NamedTuple):
    """The cost of several images together."""

    amount: Decimal
    """The sum of the known prices."""
    known: int
    """Number of images whose price is known."""
    unknown: int
    """Number of images whose price is unknown."""
    currency: str

    def __str__(self) -> str:
        """`0.06 USD`, `0.06 USD and 2 of unknown price`, `unknown price`."""
        cents = self.amount.quantize(Decimal("0.01"))
        number = f"{cents if cents == self.amount else self.amount.normalize():f}"
        known = f"{number} {self.currency}".rstrip()
        if not self.unknown:
            return known
        return f"{known} and {self.unknown} of unknown price" if self.known else "unknown price"

    def as_fields(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"amount": float(self.amount), "currency": self.currency or None, "unknown": self.unknown}


class Prices(NamedTuple):
    """The price list."""

    by_model: Mapping[str, Mapping[str, Decimal]] = MappingProxyType({})
    """Model -> size (`WIDTHxHEIGHT`, or `default`) -> price of one image."""
    currency: str = ""
    tokens: Mapping[str, TokenPrices] = MappingProxyType({})
    """Model -> prices of its tokens."""

    def cost(self, requests: Iterable[ImageRequest]) -> Cost | None:
        """Return the cost of images that are to be bought; `None` without a price list."""
        return self._sum(self._price(request.model, request.size) for request in requests)

    def spent(self, images: Iterable[Bought]) -> Cost | None:
        """Return the cost of images that were bought; `None` without a price list."""
        return self._sum(map(self.price_of, images))

    def price_of(self, image: Bought) -> Decimal | None:
        """Return what an image has cost, by its tokens if both they and their prices are known; `None` if unknown."""
        tokens = self.tokens.get(image.model)
        counted = tokens.of(image.usage) if tokens else None
        return self._price(image.model, image.size) if counted is None else counted

    def _price(self, model: str, size: str) -> Decimal | None:
        sizes = self.by_model.get(model, {})
        return sizes.get(size, sizes.get("default"))

    def _sum(self, prices: Iterable[Decimal | None]) -> Cost | None:
        if not self.by_model and not self.tokens:
            return None
        prices = list(prices)
        known = [price for price in prices if price is not None]
        return Cost(sum(known, Decimal(0)), len(known), len(prices) - len(known), self.currency)


def check_prices(value: Mapping[Any, Any], models: ModelTable | None = None) -> Prices:
    """Return the price list from the option's value. `models`: the option of that name, for sizes that are ratios.

    Raises:
        OptionError: it is invalid.
    """
    by_model: dict[str, dict[str, Decimal]] = {}
    tokens: dict[str, TokenPrices] = {}
    currency = value.get("currency", "")
    if not isinstance(currency, str) or not currency.isprintable():
        raise OptionError("prices", f"`currency` is {short_repr(currency)}. Write its name, for example USD")
    for model, given in value.items():
        if model == "currency":
            continue
        if not isinstance(model, str):
            raise OptionError("prices", f"the model {short_repr(model)} is no text. Put it in quotes")
        fields = given if isinstance(given, Mapping) else {"default": given}
        sizes = {name: price for name, price in fields.items() if name not in (*_RATES, "per")}
        by_model[model] = {_size(model, size, models): _price(model, price) for size, price in sizes.items()}
        if len(sizes) < len(fields):
            tokens[model] = _token_prices(model, fields)
    return Prices(by_model, currency.strip(), tokens)


def _token_prices(model: str, fields: Mapping[Any, Any]) -> TokenPrices:
    per = fields.get("per")
    match = _PER.fullmatch(per) if isinstance(per, str) else None
    if not match or not any(name in fields for name in _RATES):
        said = "no `per`" if per is None else f"`per: {short_repr(per)}`" if not match else "`per` without a price"
        raise OptionError("prices", f"{model!r} has {said}. {_TOKENS_REMEDY}")
    number = int(re.sub("[_,]", "", match[1] or "1")) * _UNITS[(match[2] or "").lower()]
    given = {name: _price(model, fields[name], _TOKENS_REMEDY) / number for name in _RATES if name in fields}
    text = given.get("input", Decimal(0))
    return TokenPrices(text, given.get("image_input", text), given.get("output", Decimal(0)))


def _size(model: str, size: object, models: ModelTable | None) -> str:
    """Return a size as it is asked for: of a ratio, that of the model."""
    read = size if size == "default" else read_size(size)
    if not isinstance(read, str):
        raise OptionError("prices", f"{model!r} has the size {no_size(size)}, or `default`")
    ratio = ratio_of(read)
    return known_model(model, models or {}).size_of_ratio(*ratio) if ratio else read


def _price(model: str, price: object, remedy: str = _REMEDY) -> Decimal:
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price <= _MOST:
        raise OptionError("prices", f"{model!r} costs {short_repr(price)}. {remedy}")
    return Decimal(str(price))  # the decimal number that is written, not its binary float
