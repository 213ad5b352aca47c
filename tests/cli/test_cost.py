"""`mkdocs-qhaigc cost`: what was spent, from the records: each image once, and what is unknown by name."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Project
from tests.helpers.api import Behaviour, Handler, ImagesApi, several
from tests.helpers.commands import answer, run

PRICES = {
    "qh-draw-x2-preview": 0.02,
    "gpt-image-1": {"input": 5, "image_input": 10, "output": 40, "per": "1000000 tokens"},
    "currency": "USD",
}


def counting(**usage: Any) -> Behaviour:
    """Answer with base64 and what the service counts."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        drawings = [handler.server.api.draw(body) for _ in range(body["n"])]
        entries = [{"b64_json": base64.b64encode(data).decode()} for data in drawings]
        handler.send(200, {"created": 1, "data": entries, "usage": usage})

    return behave


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    project.options["prices"] = dict(PRICES)
    api.by_prompt["by tokens"] = [counting(input_tokens=100, output_tokens=4160, total_tokens=4260)]
    project.page("index.md", qhaigc={"a": "fog", "b": {"prompt": "by tokens", "model": "gpt-image-1"}})
    project.page("other.md", qhaigc={"prompt": "stars", "model": "not listed"})
    return project


def test_a_build_says_what_the_tokens_cost_and_plan_that_it_does_not_know(site: Project) -> None:
    plan = " ".join(run(site, "plan").stdout.split())
    assert "for 0.02 USD and 2 of unknown price" in plan
    assert site.build().summary == "3 generated for 0.1869 USD and 1 of unknown price"  # 0.02 + 0.0005 + 0.1664


def test_what_was_spent_is_reported_by_month_model_and_page(site: Project) -> None:
    site.build()
    run(site, "pin")  # pins and cache have the same images: each counts once
    report = answer(site, "cost")
    assert (report["images"], report["cost"]) == (3, {"amount": 0.1869, "currency": "USD", "unknown": 1})
    assert (report["input_tokens"], report["output_tokens"]) == (100, 4160)
    assert [(one["page"], one["images"], one["cost"]["amount"]) for one in report["pages"]] == [
        ("index.md", 2, 0.1869),
        ("other.md", 1, 0),
    ]
    assert {one["model"]: one["cost"]["amount"] for one in report["models"]} == {
        "gpt-image-1": 0.1669,
        "not listed": 0,
        "qh-draw-x2-preview": 0.02,
    }
    (month,) = report["months"]
    assert month["images"] == 3
    assert report["unknown"] == [{"model": "not listed", "images": 1, "reason": "`prices` does not name the model"}]
    printed = run(site, "cost").stdout
    assert "3 images bought for 0.1869 USD and 1 of unknown price; counted: 100 input tokens" in printed
    assert "Unknown price: 1 image by not listed: `prices` does not name the model." in printed
    assert month["month"] in printed


def test_images_that_no_page_has_any_more_were_paid_for_too(site: Project) -> None:
    site.build()
    site.page("index.md", qhaigc={"a": "another fog"})
    site.build()
    pages = {one["page"]: one["images"] for one in answer(site, "cost")["pages"]}
    assert pages == {"index.md": 1, "no page": 2, "other.md": 1}


def test_adopted_images_are_named_and_drawings_of_the_sandbox_left_out(site: Project, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (96, 54)).save(photo)
    run(site, "pin", "--adopt", str(photo), "index.md#a")
    real = site.options["base_url"]
    site.options["base_url"] = "sandbox"
    assert site.build().code == 0
    site.options["base_url"] = real
    report = answer(site, "cost")
    assert (report["images"], report["adopted"], report["cost"]["unknown"]) == (0, 1, 0)
    assert "Adopted, and so of no known price: 1 image" in run(site, "cost").stdout


def test_without_prices_images_are_counted_and_no_number_is_made_up(site: Project) -> None:
    del site.options["prices"]
    site.build()
    report = answer(site, "cost")
    assert (report["images"], report["cost"], report["unknown"]) == (3, None, [])
    assert "`prices` is not set" in run(site, "cost").stdout


def test_the_variants_of_one_call_share_its_usage_so_that_the_sum_is_right(site: Project, api: ImagesApi) -> None:
    usage = {
        "input_tokens": 50,
        "output_tokens": 1000,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
        "total_tokens": 1050,
    }
    api.by_prompt["by tokens"] = [counting(**usage)]
    finished = run(site, "candidates", "index.md#b", "-n", "3", "--yes")
    assert finished.returncode == 0, finished.stderr
    records = [json.loads(path.read_text()) for path in (site.cache / "originals").glob("*.json")]
    shares = [record["usage"] for record in records]
    assert sorted(share["output_tokens"] for share in shares) == [333, 333, 334]
    assert sum(share["input_tokens_details"]["text_tokens"] for share in shares) == 50
    assert answer(site, "cost")["output_tokens"] == 1000


def test_a_kept_answer_gives_the_record_its_usage(site: Project, api: ImagesApi) -> None:
    """A build that was killed after the answer had come: the next one saves the image from the journal."""
    key = next(one["key"] for one in answer(site, "plan")["images"] if one["name"] == "b")
    entry = {"b64_json": base64.b64encode(api.draw({"prompt": "x", "size": "96x54"})).decode()}
    body = json.dumps({"data": [entry], "usage": {"output_tokens": 7, "input_tokens": 1}})
    answers = site.cache / "answers"
    answers.mkdir(parents=True)
    (answers / f"{key[:16]}-00000000.answer").write_text(f"{key}\n{body}")
    assert site.build().code == 0
    record = next((site.cache / "originals").glob(f"*-{key[:16]}.json"))
    assert json.loads(record.read_text())["usage"] == {"output_tokens": 7, "input_tokens": 1}


def test_a_service_that_counts_nothing_leaves_the_record_as_it_was(site: Project, api: ImagesApi) -> None:
    api.default = several
    site.page("index.md", qhaigc="fog")
    site.build()
    record = next((site.cache / "originals").glob("hero-*.json"))
    assert "usage" not in json.loads(record.read_text())
