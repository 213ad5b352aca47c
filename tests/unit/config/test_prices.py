"""The option `prices`: what images cost, where that is known, and no made-up number where it is not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from mkdocs_qhaigc.config.prices import Bought, check_prices
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import OptionError
from tests.conftest import Project
from tests.helpers.api import ImagesApi, several
from tests.helpers.commands import Terminal, run

LIST = {"dall-e-3": 0.04, "qh-draw-x2-preview": {"1280X720": 0.1, "default": 0.03}, "free": 0, "currency": "USD"}


def wanted(*images: tuple[str, str]) -> list[ImageRequest]:
    return [ImageRequest(model, "fog", size) for model, size in images]


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([("dall-e-3", "64x64")] * 3, "0.12 USD"),
        ([("qh-draw-x2-preview", "1280x720")] * 3, "0.30 USD"),  # as floats it is 0.30000000000000004
        ([("qh-draw-x2-preview", "64x64"), ("dall-e-3", "1280x720")], "0.07 USD"),
        ([("dall-e-3", "64x64"), ("other", "64x64"), ("another", "64x64")], "0.04 USD and 2 of unknown price"),
        ([("other", "64x64")], "unknown price"),
        ([("free", "64x64")], "0.00 USD"),
        ([("free", "64x64"), ("other", "64x64")], "0.00 USD and 1 of unknown price"),
        ([], "0.00 USD"),
    ],
)
def test_a_cost_is_the_sum_of_what_is_known(images: list[tuple[str, str]], words: str) -> None:
    assert str(check_prices(LIST).cost(wanted(*images))) == words


def test_fractions_of_cents_are_kept_and_no_list_means_no_cost() -> None:
    assert str(check_prices({"m": 0.0025}).cost(wanted(("m", "64x64"), ("m", "64x64"), ("m", "64x64")))) == "0.0075"
    assert str(check_prices({"m": {"64x64": 120}}).cost(wanted(("m", "64x64")))) == "120.00"
    assert check_prices({}).cost(wanted(("m", "64x64"))) is None
    assert check_prices(LIST).by_model["dall-e-3"] == {"default": Decimal("0.04")}


TOKENS = {
    "by tokens": {"input": 5, "output": 40, "per": "1000000 tokens"},
    "by both": {"1024x1024": 0.04, "image_input": 10, "output": 40, "per": "1M tokens"},
    "by token": {"output": 0.00002, "per": "token"},
    "2K": {"2K": 0.03, "auto": 0.05},
}
COUNTED = {"input_tokens": 200, "output_tokens": 1000, "input_tokens_details": {"text_tokens": 80, "image_tokens": 120}}


@pytest.mark.parametrize(
    ("model", "usage", "price"),
    [
        ("by tokens", COUNTED, "0.041"),
        ("by tokens", {"output_tokens": 1000, "total_tokens": 1200}, "0.041"),  # as some count
        ("by tokens", {"output_tokens": 1000}, None),  # the tokens of the prompt cost something, too
        ("by tokens", {}, None),
        ("by tokens", {"generated_images": 1}, None),
        ("by tokens", {"input_tokens": "200", "output_tokens": True}, None),
        ("by both", COUNTED, "0.0412"),
        ("by both", {}, "0.04"),  # a price of the image is better than none
        ("by token", {"output_tokens": 1000}, "0.02"),
        ("2K", COUNTED, None),
        ("other", COUNTED, None),
    ],
)
def test_what_was_spent_is_by_tokens_where_they_were_counted(
    model: str, usage: dict[str, Any], price: str | None
) -> None:
    found = check_prices(TOKENS).price_of(Bought(model, "1024x1024", usage))
    assert found == (None if price is None else Decimal(price))


def test_what_will_be_spent_on_tokens_is_unknown_unless_the_image_has_a_price_too() -> None:
    prices = check_prices(TOKENS)
    assert str(prices.cost(wanted(("by tokens", "1024x1024")))) == "unknown price"
    assert str(prices.cost(wanted(("by both", "1024x1024"), ("by tokens", "64x64")))) == "0.04 and 1 of unknown price"
    assert prices.price_of(Bought("2K", "2K")) == Decimal("0.03")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"m": {"input": 5, "output": 40}}, "'m' has no `per`. Write prices by the token with their number"),
        ({"m": {"output": 40, "per": 1000000}}, "'m' has `per: 1000000`. Write prices by the token"),
        ({"m": {"output": 40, "per": "0 tokens"}}, "'m' has `per: '0 tokens'`"),
        ({"m": {"per": "1000000 tokens"}}, "'m' has `per` without a price"),
        ({"m": {"output": "40", "per": "token"}}, "'m' costs '40'. Write prices by the token"),
        ({"m": "cheap"}, "'m' costs 'cheap'. Write a number for each model"),
        ({"m": -1}, "'m' costs -1"),
        ({"m": True}, "'m' costs True"),
        ({"m": float("nan")}, "'m' costs nan"),
        ({"m": float("inf")}, "'m' costs inf"),
        ({"m": None}, "'m' costs None"),
        ({"m": {"large": 1}}, "'m' has the size 'large'. Write WIDTHxHEIGHT in pixels"),
        ({"m": {1024: 1}}, "'m' has the size 1024 (a number). Write WIDTHxHEIGHT"),
        ({"m": {12: 1}}, "'m' has the size 12"),
        ({4: 1}, "the model 4 is no text. Put it in quotes"),
        ({"currency": 4}, "`currency` is 4"),
    ],
)
def test_a_list_that_cannot_be_read_says_what_to_write(value: dict[Any, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_prices(value)
    assert words in str(caught.value)


@pytest.fixture
def site(project: Project) -> Project:
    project.options["prices"] = {"qh-draw-x2-preview": {"96x54": 0.02}, "currency": "USD"}
    project.page("index.md", qhaigc={"a": "fog", "b": "stars", "c": {"prompt": "sun", "model": "other"}})
    return project


def test_plan_generate_and_the_build_say_what_it_costs(site: Project) -> None:
    assert "To buy: 2 by qh-draw-x2-preview, 1 by other, for 0.04 USD and 1 of unknown price." in " ".join(
        run(site, "plan").stdout.split()
    )
    assert json.loads(run(site, "plan", "--json").stdout)["cost"] == {"amount": 0.04, "currency": "USD", "unknown": 1}
    bought = run(site, "generate", "--yes", "index.md#a")
    assert "1 image (1 by qh-draw-x2-preview, for 0.02 USD)." in bought.stderr
    assert bought.stdout == "1 image generated for 0.02 USD.\n"
    assert site.build().summary == "2 generated for 0.02 USD and 1 of unknown price, 1 cached"
    assert site.build().summary == "3 cached"
    assert "To buy: nothing." in run(site, "plan").stdout
    assert json.loads(run(site, "generate", "--json").stdout)["cost"] == {"amount": 0, "currency": "USD", "unknown": 0}


def test_candidates_say_what_they_cost_before_they_ask(site: Project, api: ImagesApi) -> None:
    api.default = several
    terminal = Terminal(site, "candidates", "index.md#a", "-n", "3")
    seen = terminal.until("Buy now? [y/N]: ")
    assert "3 by qh-draw-x2-preview, for 0.06 USD" in " ".join(seen.split())
    terminal.type("y\n")
    code, seen = terminal.end()
    assert code == 0
    assert "0.06 USD" in seen


def test_without_a_price_list_and_in_the_sandbox_no_number_is_made_up(site: Project) -> None:
    site.options["base_url"] = "sandbox"
    said = run(site, "plan").stdout + run(site, "generate", "--yes").stderr + site.build().output
    assert "USD" not in said
    del site.options["prices"]
    site.options["base_url"] = "http://127.0.0.1:9/v1"
    assert " for " not in run(site, "plan").stdout
    assert json.loads(run(site, "plan", "--json").stdout)["cost"] is None


def test_prices_can_come_from_the_environment_and_a_wrong_one_is_told(site: Project) -> None:
    site.yaml = (
        "site_name: x\nplugins:\n  - qhaigc:\n      size: 96x54\n      prices: !ENV PRICES\n"
        f"      base_url: {site.options['base_url']}\n"
    )
    site.environment["PRICES"] = "{qh-draw-x2-preview: 0.5}"
    assert "for 0.50 " not in run(site, "plan").stderr
    assert "2 by qh-draw-x2-preview, 1 by other, for 1.00 and 1 of" in " ".join(run(site, "plan").stdout.split())
    site.environment["PRICES"] = "{qh-draw-x2-preview: half}"
    finished = run(site, "plan")
    assert finished.returncode == 1
    assert "costs 'half'" in finished.stderr


def test_a_size_of_the_list_may_be_a_ratio_or_a_service_s_own_word() -> None:
    """A ratio's price is that of the size that is asked for."""
    listed = {"gpt-image-2": {"16:9": 1, 243: 2, "auto": 3}, "house": {"1:1": 4}, "doubao-seedream-4-0": {"2K": 5}}
    prices = check_prices(listed, {"house": {"sizes": ["640x640"]}})
    assert {model: dict(sizes) for model, sizes in prices.by_model.items()} == {
        "gpt-image-2": {"1280x720": 1, "1152x864": 2, "auto": 3},
        "house": {"640x640": 4},
        "doubao-seedream-4-0": {"2K": 5},
    }
