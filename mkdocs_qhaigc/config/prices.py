"""The price list in the options, and the cost of images. Pure. A price that is not listed is unknown, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from mkdocs_qhaigc._util.text import short_repr
from mkdocs_qhaigc.directives.parse import no_size
from mkdocs_qhaigc.directives.request import ImageRequest, parse_size
from mkdocs_qhaigc.errors import OptionError

_REMEDY = "Write a number for each model, or one for each of its sizes: {dall-e-3: {1024x1024: 0.04, default: 0.08}}"
_MOST = 1_000_000


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

    def cost(self, requests: Iterable[ImageRequest]) -> Cost | None:
        """Return the cost of images; `None` without a price list."""
        if not self.by_model:
            return None
        prices = [self._price(request) for request in requests]
        known = [price for price in prices if price is not None]
        return Cost(sum(known, Decimal(0)), len(known), len(prices) - len(known), self.currency)

    def _price(self, request: ImageRequest) -> Decimal | None:
        sizes = self.by_model.get(request.model, {})
        return sizes.get(request.size, sizes.get("default"))


def check_prices(value: Mapping[Any, Any]) -> Prices:
    """Return the price list from the option's value.

    Raises:
        OptionError: it is invalid.
    """
    by_model: dict[str, dict[str, Decimal]] = {}
    currency = value.get("currency", "")
    if not isinstance(currency, str) or not currency.isprintable():
        raise OptionError("prices", f"`currency` is {short_repr(currency)}. Write its name, for example USD")
    for model, given in value.items():
        if model == "currency":
            continue
        if not isinstance(model, str):
            raise OptionError("prices", f"the model {short_repr(model)} is no text. Put it in quotes")
        sizes = given if isinstance(given, Mapping) else {"default": given}
        by_model[model] = {_size(model, size): _price(model, price) for size, price in sizes.items()}
    return Prices(by_model, currency.strip())


def _size(model: str, size: object) -> str:
    read = parse_size(size) if isinstance(size, str) and size != "default" else size
    if not isinstance(read, str):
        raise OptionError("prices", f"{model!r} has the size {no_size(size, '1280x720')}, or `default`")
    return read


def _price(model: str, price: object) -> Decimal:
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price <= _MOST:
        raise OptionError("prices", f"{model!r} costs {short_repr(price)}. {_REMEDY}")
    return Decimal(str(price))  # the decimal number that is written, not its binary float
