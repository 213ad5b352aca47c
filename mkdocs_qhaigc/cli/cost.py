"""`mkdocs-qhaigc cost`: reports what the site's images have cost, by month, model and page, from their records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._common import config_option, count, failing, json_option, print_json, survey_of
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.config.prices import Bought, Prices
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.image_store import open_cache, open_pins
from mkdocs_qhaigc.store.record import ADOPTED, bought_in, load_record

_UNKNOWN = "unknown"
_NO_PAGE = "no page"
_MONTH = re.compile("[0-9]{4}-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Purchase:
    """An image that a service has made, or that was adopted, as its record has it."""

    bought: Bought
    month: str
    """`2026-11`, in UTC; `unknown` if the record does not say."""
    page: str
    """The page that declares it first; `mkdocs.yml` for the option `images`; `no page` if none does any more."""
    adopted: bool
    """Whether it came by `pin --adopt`."""


@click.command(short_help="Report what the images have cost.")
@config_option
@json_option
def cost(config_file: Path, as_json: bool) -> None:
    """Report what the site's images have cost, by month, model and page.

    From the records of the pins and of this machine's cache, each image once; those that no page shows any more were
    paid for, too. Drawings of the sandbox are left out. Needs no key and no network.
    """
    survey = survey_of(config_file)
    with failing():
        purchases = find_purchases(survey)
    prices = survey.options.prices or Prices()
    if as_json:
        print_json(as_fields(purchases, prices))
    else:
        _print(purchases, prices)


def find_purchases(survey: Survey) -> list[Purchase]:
    """Return every image of the pins and the cache once, by month, without those of the sandbox.

    Raises:
        StoreError: a folder cannot be read.
    """
    pages: dict[str, str] = {}
    for entry in survey.entries:
        pages.setdefault(entry.request.key, entry.page or "mkdocs.yml")
    found: dict[tuple[object, object], Purchase] = {}
    for record in _records(survey.options):
        request = record.get("request")
        if record.get("api") == SANDBOX or (isinstance(request, dict) and request.get("sandbox")):
            continue
        key, created = record.get("key"), str(record.get("created"))[:7]
        month = created if _MONTH.fullmatch(created) else _UNKNOWN
        adopted = record.get("api") == ADOPTED or "adopted" in record
        purchase = Purchase(bought_in(record), month, pages.get(str(key), _NO_PAGE), adopted)
        found.setdefault((key, record.get("sha256")), purchase)
    return sorted(found.values(), key=lambda purchase: purchase.month)


def _records(options: Options) -> Iterable[Mapping[str, Any]]:
    """Yield the records of the pins and the cache, those of images that were set aside included."""
    for store in (open_pins(options, quiet=True), open_cache(options, quiet=True)):
        contents = store.contents()
        set_aside = (path for path in contents.remnants if ".json" in path.name)
        for path in (*(image.record_path for image in contents.images), *set_aside):
            try:
                yield load_record(path)
            except (OSError, ValueError):  # `check` names what cannot be read
                continue


def as_fields(purchases: Sequence[Purchase], prices: Prices) -> dict[str, Any]:
    """Return the report as JSON values."""
    bought, adopted = _bought(purchases), [one for one in purchases if one.adopted]
    return {
        **_fields(bought, prices),
        "adopted": len(adopted),
        **{
            f"{group}s": [{group: name, **_fields(ones, prices)} for name, ones in _grouped(bought, by).items()]
            for group, by in _GROUPS.items()
        },
        "unknown": [
            {"model": model or None, "images": number, "reason": reason}
            for (model, reason), number in _unknown(bought, prices).items()
        ],
    }


_GROUPS: Mapping[str, Callable[[Purchase], str]] = {
    "month": lambda one: one.month,
    "model": lambda one: one.bought.model or _UNKNOWN,
    "page": lambda one: one.page,
}


def _bought(purchases: Iterable[Purchase]) -> list[Purchase]:
    return [one for one in purchases if not one.adopted]


def _grouped(purchases: Iterable[Purchase], by: Callable[[Purchase], str]) -> dict[str, list[Purchase]]:
    groups: dict[str, list[Purchase]] = {}
    for one in purchases:
        groups.setdefault(by(one), []).append(one)
    return dict(sorted(groups.items()))


def _fields(purchases: Sequence[Purchase], prices: Prices) -> dict[str, Any]:
    spent = prices.spent(one.bought for one in purchases)
    return {"images": len(purchases), "cost": spent and spent.as_fields(), **_tokens(purchases)}


def _tokens(purchases: Iterable[Purchase]) -> dict[str, int]:
    """Return how many tokens the services have counted."""
    sums = dict.fromkeys(("input_tokens", "output_tokens"), 0)
    for one in purchases:
        for name in sums:
            value = one.bought.usage.get(name)
            sums[name] += value if type(value) is int else 0
    return sums


def _unknown(purchases: Iterable[Purchase], prices: Prices) -> Counter[tuple[str, str]]:
    """Return the number of images of unknown price, by model and reason."""
    return Counter(
        (one.bought.model, _why_unknown(one.bought, prices))
        for one in purchases
        if prices.price_of(one.bought) is None and (prices.by_model or prices.tokens)
    )


def _why_unknown(image: Bought, prices: Prices) -> str:
    if not image.model:
        return "the record names no model"
    if image.model in prices.tokens:
        return "the service counted no tokens for it, and there is no price of an image"
    if image.model in prices.by_model:
        return "`prices` has no price for its size"
    return "`prices` does not name the model"


def _print(purchases: Sequence[Purchase], prices: Prices) -> None:
    """Print the report as a table, and what it does not know."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    bought = _bought(purchases)
    if bought:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right")
        for number, (group, by) in enumerate(_GROUPS.items()):
            if number:
                table.add_row()
            table.add_row(f"[bold]by {group}[/]", "[bold]images[/]", "[bold]cost[/]")
            for name, ones in _grouped(bought, by).items():
                table.add_row(_escaped(name), str(len(ones)), _cost(ones, prices))
        console.print(table)
        console.print()
    console.print(_summary(purchases, prices), markup=False, soft_wrap=True)
    for (model, reason), number in _unknown(bought, prices).items():
        named = f" by {model}" if model else ""
        console.print(f"Unknown price: {count(number, 'image')}{named}: {reason}.", markup=False, soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _cost(purchases: Sequence[Purchase], prices: Prices) -> str:
    spent = prices.spent(one.bought for one in purchases)
    return str(spent) if spent else ""


def _summary(purchases: Sequence[Purchase], prices: Prices) -> str:
    """Return how many images were bought and for how much, how many tokens they took, and how many were adopted."""
    bought = _bought(purchases)
    spent, tokens = _cost(bought, prices), _tokens(bought)
    said = f"{count(len(bought), 'image')} bought" + (f" for {spent}" if spent and bought else "")
    listed = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in tokens.items() if number)
    adopted = len(purchases) - len(bought)
    also = f". Adopted, and so of no known price: {count(adopted, 'image')}" if adopted else ""
    without = "" if spent or not bought else ". The option `prices` is not set, so no cost is known"
    return f"{said}{f'; counted: {listed}' if listed else ''}{without}{also}."
