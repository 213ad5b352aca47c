"""The buying path under faults: what a real server or a real disk does wrong, and what a build makes of it.

The tables are the documentation: each row is a fault, and its fields are what comes of it.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import io
import json
import os
import pickle
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat, PngImagePlugin

from mkdocs_qhaigc.api.proxies_and_certificates import NO_PROXIES
from mkdocs_qhaigc.api.public_addresses import is_public
from mkdocs_qhaigc.api.transport import open_client
from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache
from tests.conftest import Built, Project, require_posix
from tests.helpers.api import (
    KEY,
    Behaviour,
    Handler,
    ImagesApi,
    answer,
    by_base64,
    by_url,
    bytes_by_url,
    disconnect,
    draw,
    drip,
    error,
    hang,
    raw,
    redirect,
    served,
    stream,
)
from tests.helpers.commands import run

pytestmark = pytest.mark.slow

PLACEHOLDER = re.compile("A placeholder stands there|images are placeholders")
"""Of one image, or of several for one reason."""


@dataclass(frozen=True)
class Fault:
    """One image's fate in two builds, the second of which meets a server that is well."""

    id: str
    answers: tuple[Behaviour, ...]
    """What the calls meet, in their order; after those all is well."""
    calls: int = 1
    image: bool = False
    """Whether the first build has the image; else a placeholder stands there."""
    says: str = ""
    """In the warning about it; empty where there is none."""
    keeps: str = ""
    """The cache's folder in which something is left of it: `rejected` or `answers`."""
    next_calls: int | None = None
    """In the next build; None: one where there is no image yet."""

    @property
    def prompt(self) -> str:
        return f"an image of {self.id}"


def image(format: str, size: tuple[int, int] = (96, 54), mode: str = "RGB", **options: Any) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 1).save(target, format, **options)
    return target.getvalue()


def moving(format: str) -> bytes:
    frames = [Image.new("RGB", (96, 54), color) for color in ("red", "green", "blue")]
    target = io.BytesIO()
    frames[0].save(target, format, save_all=True, append_images=frames[1:], duration=100)
    return target.getvalue()


def with_gain_map() -> bytes:
    """As phones write their photographs."""
    target = io.BytesIO()
    gains = Image.new("L", (48, 27), 99)
    Image.open(io.BytesIO(draw("x", 96, 54))).save(target, "MPO", save_all=True, append_images=[gains])
    return target.getvalue()


def with_text(size: int) -> bytes:
    """As ComfyUI writes down how an image was made, and pngcrush compresses it."""
    target, words = io.BytesIO(), PngImagePlugin.PngInfo()
    words.add_text("workflow", "x" * size, zip=True)
    Image.open(io.BytesIO(draw("x", 96, 54))).save(target, "PNG", pnginfo=words)
    return target.getvalue()


def with_profile(size: int) -> bytes:
    target = io.BytesIO()
    Image.open(io.BytesIO(draw("x", 96, 54))).save(target, "PNG", icc_profile=bytes(size))
    return target.getvalue()


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def in_base64(data: bytes) -> Behaviour:
    return answer(200, {"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]})


def in_two_seconds(handler: Handler, body: dict[str, Any]) -> None:
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    error(429, "rate_limit_exceeded", Retry_After=date)(handler, body)


def headed(lines: bytes) -> Behaviour:
    """Answer with these lines in the head."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}")
        handler.close_connection = True

    return behave


def moved(handler: Handler, given: dict[str, Any]) -> None:
    handler.server.api.hosted["/moved" + handler.path] = given["data"]
    redirect("/moved" + handler.path)(handler, given)


def around(handler: Handler, given: dict[str, Any]) -> None:
    redirect(handler.path)(handler, given)


def zipped(handler: Handler, given: dict[str, Any]) -> None:
    handler.send_bytes(200, gzip.compress(given["data"]), "image/png", {"Content-Encoding": "gzip"})


def chunked(handler: Handler, given: dict[str, Any]) -> None:
    handler.send_bytes(200, given["data"], "image/png", {"Content-Encoding": "aws-chunked"})


def compressed(handler: Handler, given: dict[str, Any]) -> None:
    handler.send_bytes(203, given["data"], "image/png")


def unended(head: bytes) -> Behaviour:
    """Answer with a whole image whose end does not come."""

    def behave(handler: Handler, given: dict[str, Any]) -> None:
        data: bytes = given["data"]
        if b"%d" in head:
            sent = head % (len(data) + 7) + b"\r\n\r\n" + data
        else:
            sent = head + b"\r\n\r\n%x\r\n%s\r\n" % (len(data), data)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n" + sent)
        handler.close_connection = True

    return behave


busy = error(429, "rate_limit_exceeded")
page_502 = raw(502, b"<html><body><h1>A page of nginx</h1></body></html>", "text/html")
svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="54"><script>alert(1)</script></svg>'
BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: "
passenger = b"<script>RODE-ALONG</script>PK\x03\x04RODE-ALONG"

FAULTS = [
    # Surely not billed: asked for until `timeout` is over.
    Fault("429-then-fine", (busy,), calls=2, image=True),
    Fault("429-retry-after-seconds", (error(429, "slow_down", Retry_After="1"),), calls=2, image=True),
    Fault("429-retry-after-date", (in_two_seconds,), calls=2, image=True),
    Fault("429-retry-after-ms", (error(429, "slow_down", retry_after_ms="300"),), calls=2, image=True),
    Fault("429-retry-after-nonsense", (error(429, "slow_down", Retry_After="soon"),), calls=2, image=True),
    Fault("429-retry-after-a-day", (error(429, "slow_down", Retry_After="86400"),), calls=2, image=True),
    Fault("429-more-often-than-retries", (busy,) * 3, calls=4, image=True),
    Fault("503-then-fine", (answer(503),), calls=2, image=True),
    Fault("503-more-often-than-retries", (answer(503),) * 3, calls=4, image=True),
    # Perhaps billed: once more.
    Fault("500-once", (answer(500),), calls=2, image=True),
    Fault("500-twice", (answer(500),) * 2, calls=2, says="the API answered 500: status 500"),
    Fault("502-page-once", (page_502,), calls=2, image=True),
    Fault("502-page-twice", (page_502,) * 2, calls=2, says="502: a body that is no JSON (text/html, 50 bytes)"),
    Fault("504-once", (answer(504),), calls=2, image=True),
    Fault("504-twice", (answer(504),) * 2, calls=2, says="the API answered 504"),
    Fault("disconnect-once", (disconnect,), calls=2, image=True),
    Fault("disconnect-twice", (disconnect,) * 2, calls=2, says="the API did not answer"),
    Fault("503-then-500-twice", (answer(503), answer(500), answer(500)), calls=3, says="the API answered 500"),
    # What the server itself says of trying again.
    Fault("503-do-not-retry", (answer(503, x_should_retry="false"),), says="the API answered 503"),
    Fault("500-do-not-retry", (answer(500, x_should_retry="false"),), says="the API answered 500"),
    Fault("418", (answer(418),), says="the API answered 418"),
    Fault("418-do-retry", (answer(418, x_should_retry="true"),), calls=2, image=True),
    Fault("400-do-retry", (answer(400, x_should_retry="true"),), says="the API answered 400"),
    # Never.
    Fault(
        "400", (error(400, "invalid_value", "the prompt is empty"),), says="400 (invalid_value): the prompt is empty"
    ),
    Fault("404", (answer(404),), says="the API answered 404"),
    Fault("413", (answer(413),), says="the API answered 413"),
    Fault("422", (answer(422),), says="the API answered 422"),
    Fault("451", (answer(451),), says="the API refuses this prompt (status 451). Change the prompt"),
    Fault("refused", (error(400, "content_policy_violation", "not this"),), says="refuses this prompt (not this)"),
    Fault("200-with-an-error", (answer(200, {"error": {"message": "no capacity"}}),), says="no capacity"),
    Fault("200-without-data", (answer(200, {"data": []}),), says="without an image"),
    Fault("200-page", (raw(200, b"<p>hello", "text/html"),), says="a body that is no JSON (text/html, 8 bytes)"),
    *(
        Fault(f"no-http-{id_}", (headed(head),), says=f"cannot be read (not in HTTP's form: {says})")
        for id_, head, says in (
            ("blank-in-a-name", b"X-Trace : 1\r\n", "illegal header line"),
            ("no-colon", b"SECRET-WORDS\r\n", "illegal header line"),
            ("identity", b"Transfer-Encoding: identity\r\n", "Only Transfer-Encoding: chunked is supported"),
        )
    ),
    Fault("answer-over-214-MiB", (stream("application/json", 215 << 20),), says="the answer is larger than 214 MiB"),
    # The image's own address: fetched again, never bought again while it can be had.
    Fault("fetch-500-once", (served(answer(500)),), image=True),
    Fault("fetch-disconnect-once", (served(disconnect),), image=True),
    Fault("fetch-404-once", (served(answer(404)),), image=True),
    Fault("fetch-moved", (served(moved),), image=True),
    Fault("fetch-in-gzip", (served(zipped),), image=True),
    Fault("fetch-in-a-coding-that-it-is-not-in", (served(chunked),), image=True),  # as S3 sends some files
    Fault("fetch-through-a-proxy-that-compresses", (served(compressed),), image=True),
    Fault("fetch-no-last-chunk", (served(*(unended(b"Transfer-Encoding: chunked"),) * 3),), image=True),
    Fault("fetch-too-long-a-length", (served(*(unended(b"Content-Length: %d"),) * 3),), image=True),
    Fault(
        "fetch-500-for-one-build",
        (served(*(answer(500),) * 3),),
        says="image's address answered 500. The next builds fetch it, and for a day",
        keeps="answers",
        next_calls=0,
    ),
    Fault(
        "fetch-403-for-one-build",
        (served(*(answer(403),) * 3),),
        says="the image was made, but the image's address answered 403",
        keeps="answers",
        next_calls=0,
    ),
    Fault(
        "fetch-cut-for-one-build",
        (served(*(disconnect,) * 3),),
        says="the image was made, but the image could not be fetched",
        keeps="answers",
        next_calls=0,
    ),
    *(
        Fault(
            f"fetch-{id_}-for-one-build",
            (served(*(raw(200, data, "text/html"),) * 3),),
            says=f"the image's address answered with {what}. The next builds fetch it, and for a day",
            keeps="answers",
            next_calls=0,
        )
        for id_, data, what in (
            ("web-page", b"\n<!DOCTYPE HTML><script>alert(1)</script>", "a web page"),
            ("nothing", b"", "no bytes"),
        )
    ),
    Fault(
        "fetch-404-for-one-build",
        (served(*(answer(404),) * 3),),
        says="image's address answered 404. The next builds fetch it, and for an hour they buy no other",
        keeps="answers",
        next_calls=0,
    ),
    *(
        Fault(
            f"fetch-{id_}",
            (served(*(behaviour,) * (5 if behaviour is around else 1)),),
            says=says,
            keeps="answers",
            next_calls=0,
        )
        for id_, behaviour, says in (
            ("redirects-for-ever", around, "redirects too often"),
            ("to-10.0.0.1", redirect("http://10.0.0.1/"), "the image's address at 10.0.0.1 is not https"),
            ("to-10.0.0.1-https", redirect("https://10.0.0.1/"), "10.0.0.1 is not on the internet"),
            ("to-metadata", redirect("http://169.254.169.254/latest/"), "169.254.169.254 is not https"),
            ("to-metadata-https", redirect("https://169.254.169.254/"), "169.254.169.254 is not on the internet"),
            ("to-mapped", redirect("https://[::ffff:10.0.0.1]/"), "is not on the internet"),
            ("to-link-local", redirect("https://[fe80::1]/"), "fe80::1 is not on the internet"),
            ("to-a-file", redirect("file:///etc/passwd"), "the image is not fetched: Request URL has an unsupported"),
            ("over-160-MiB", stream("image/png", 161 << 20), "the answer is larger than 160 MiB"),
        )
    ),
    # Images that are none, or not such as are published.
    *(
        Fault(f"image-{id_}", (bytes_by_url(data),), says=says, keeps="rejected")
        for id_, data, says in (
            ("of-56-megapixels", image("PNG", (8000, 7000), "1"), "the image has 8000x7000 pixels: more than is"),
            ("gif", image("GIF", mode="P"), "are no PNG, JPEG, WebP or AVIF image"),
            ("gif-moving", moving("GIF"), "are no PNG, JPEG, WebP or AVIF image"),
            ("webp-moving", moving("WEBP"), "the image moves: only still images are used"),
            ("png-moving", moving("PNG"), "the image moves: only still images are used"),
            ("avif-moving", moving("AVIF"), "the image moves: only still images are used"),
            ("svg", svg, "are no PNG, JPEG, WebP or AVIF image"),
            ("bmp", image("BMP"), "are no PNG, JPEG, WebP or AVIF image"),
            ("half-png", half(draw("x", 96, 54)), "no image that can be read"),
            ("half-jpeg", half(draw("x", 96, 54, "JPEG")), "no image that can be read"),
            ("half-webp", half(draw("x", 96, 54, "WEBP")), "no image that can be read"),
        )
    ),
    Fault("base64-half-png", (in_base64(half(draw("x", 96, 54))),), says="no image that", keeps="rejected"),
    *(
        Fault(f"image-with-{id_}", (bytes_by_url(data),), image=True)
        for id_, data in (
            ("a-gain-map", with_gain_map()),
            ("a-long-text", with_text(2 << 20)),
            ("a-large-profile", with_profile(2 << 20)),
            ("a-blank-line-before-it", b"\r\n" + draw("x", 96, 54)),
        )
    ),
    Fault(
        "image-of-one-text",
        (bytes_by_url(with_text(17 << 20)),),
        says="Decompressed data too large",
        keeps="rejected",
    ),
    Fault("image-with-a-passenger", (bytes_by_url(draw("x", 96, 54) + passenger),), image=True),
]
BY_ID = {fault.id: fault for fault in FAULTS}


@dataclass(frozen=True)
class Bought:
    """What two builds of a site with all the faults left behind."""

    first: Built
    second: Built
    calls: tuple[list[str], list[str]]
    """The prompts that were asked for in each."""
    kept: dict[str, list[str]]
    """Folder of the cache -> what the first build left in it."""
    project: Project
    api: ImagesApi
    drawn: tuple[dict[str, bytes], dict[str, bytes]]
    """Prompt -> the image that was drawn last, after each of the builds."""


def write_faults(project: Project, api: ImagesApi, faults: list[Fault]) -> None:
    for fault in faults:
        api.by_prompt[fault.prompt] = list(fault.answers)
        name = fault.id.replace(".", "_")
        project.page(f"{name}.md", f"![x](qhaigc:{name})\n", qhaigc={name: {"prompt": fault.prompt, "alt": "x"}})


def kept_files(project: Project) -> dict[str, list[str]]:
    folders = ("originals", "rejected", "answers")
    return {folder: sorted(path.name for path in (project.cache / folder).glob("*")) for folder in folders}


def last_drawn(api: ImagesApi) -> dict[str, bytes]:
    """Return what was drawn last for each prompt."""
    return {prompt: drawn[-1] for prompt, drawn in api.drawn.items()}


def shows_image(built: Built, fault: Fault, drawn: bytes) -> bool:
    """Whether the page shows what the server drew, and no placeholder."""
    name = fault.id.replace(".", "_")
    (source,) = re.findall(r'<img [^>]*src="\.\./([^"]+)"', built.html(f"{name}/index.html"))
    with Image.open(built.site / source) as shown, Image.open(io.BytesIO(drawn)) as expected:
        difference = ImageStat.Stat(ImageChops.difference(shown.convert("RGB"), expected.convert("RGB")))
    return max(difference.mean) < 20


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bought]:
    with ImagesApi() as api:
        project = Project(tmp_path_factory.mktemp("faults") / "project", api.base_url)
        project.options |= {"concurrency": 32, "max_new_images": 1000, "retries": 2, "timeout": 180}
        write_faults(project, api, FAULTS)
        project.page("index.md", "# Faults\n")
        first = project.build(site="first")
        assert first.code == 0, first.output
        kept, asked, drawn = kept_files(project), len(api.calls), last_drawn(api)
        shutil.rmtree(project.cache / "refusals")  # what was refused may be asked again
        second = project.build(site="second")
        calls = api.prompts[:asked], api.prompts[asked:]
        yield Bought(first, second, calls, kept, project, api, (drawn, last_drawn(api)))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_costs_what_it_must_and_leaves_what_it_should(bought: Bought, fault: Fault) -> None:
    name = fault.id.replace(".", "_")
    assert bought.calls[0].count(fault.prompt) == fault.calls
    (*warnings,) = (line for line in bought.first.warnings if f"{name}.md#{name}" in line)
    if fault.image:
        assert warnings == []
    else:
        assert len(warnings) == 1
        assert fault.says in warnings[0]
        assert PLACEHOLDER.search(warnings[0])
    drawn = bought.drawn[0].get(fault.prompt, draw("x", 96, 54))
    assert shows_image(bought.first, fault, drawn) == fault.image
    originals = [file for file in bought.kept["originals"] if re.fullmatch(rf"{name}-[0-9a-f]{{16}}\.\w+", file)]
    assert len(originals) == (2 if fault.image else 0)
    rejected = [file for file in bought.kept["rejected"] if re.fullmatch(rf"{name}-[0-9a-f]{{16}}\.rejected", file)]
    assert len(rejected) == (fault.keeps == "rejected")
    next_calls = fault.next_calls if fault.next_calls is not None else int(not fault.image)
    assert bought.calls[1].count(fault.prompt) == next_calls
    assert shows_image(bought.second, fault, bought.drawn[1].get(fault.prompt, drawn))


def test_without_strict_faults_are_warnings_and_a_build_that_has_all_images_has_none(bought: Bought) -> None:
    assert bought.first.code == bought.second.code == 0
    assert "Traceback" not in bought.first.output + bought.second.output
    assert bought.second.warnings == []
    kept = kept_files(bought.project)
    assert kept["answers"] == []
    assert len(kept["originals"]) == 2 * len(FAULTS)
    assert kept["rejected"] == bought.kept["rejected"]


def test_each_call_that_may_be_billed_twice_is_said(bought: Bought) -> None:
    said = [line for line in bought.first.output.splitlines() if "may have been billed; asking once more" in line]
    twice = [fault for fault in FAULTS if re.match(r"50[024]-.*(once|twice)|disconnect-|503-then-500|418-do", fault.id)]
    assert len(said) == len(twice)


def test_as_many_answers_are_kept_as_images_are_still_to_be_fetched(bought: Bought) -> None:
    # a rejected image's answer stays: reading it again costs nothing
    noted = sum(bool(fault.keeps) or fault.id.startswith("image-") for fault in FAULTS if not fault.image)
    assert len(bought.kept["answers"]) == noted


def test_the_key_goes_to_the_api_alone_and_stands_nowhere(bought: Bought) -> None:
    assert set(bought.api.keys) == {f"Bearer {KEY}"}
    for headers in bought.api.fetch_headers:
        assert "authorization" not in {name.lower() for name in headers}
        assert KEY not in str(headers)
    assert KEY not in bought.first.output + bought.second.output
    for path in bought.project.folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_what_rode_along_in_an_image_is_not_published(bought: Bought) -> None:
    ridden = [path for path in (bought.project.cache / "originals").iterdir() if b"RODE-ALONG" in path.read_bytes()]
    assert len(ridden) == 1, "the original is kept as it came"
    for path in bought.first.site.rglob("*"):
        assert not path.is_file() or b"RODE-ALONG" not in path.read_bytes(), path


def test_no_page_of_a_server_reaches_the_log(bought: Bought) -> None:
    assert "nginx" not in bought.first.output
    assert "SECRET-WORDS" not in bought.first.output
    assert "<script" not in bought.first.output


def test_waits_are_as_long_as_the_server_asks(bought: Bought) -> None:
    def gap(id_: str) -> float:
        moments = [
            moment
            for moment, prompt in zip(bought.api.moments, bought.api.prompts, strict=True)
            if prompt == BY_ID[id_].prompt
        ]
        return moments[1] - moments[0]

    assert gap("429-retry-after-seconds") > 0.95
    assert gap("429-retry-after-date") > 0.95
    assert gap("429-retry-after-ms") > 0.28


HASTY = [
    Fault("hangs", (hang,), says="the API did not answer (no answer in time)"),
    Fault("drips-headers", (drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),), says="the API did not answer (no answer in time)"),
    Fault("drips-body", (drip(BEGINNING + b"application/json\r\n\r\n{"),), says="the API did not answer (no answer in"),
    Fault("fetch-hangs", (served(hang),), says="made, but the image could not be fetched (no answer in", next_calls=0),
    Fault("fetch-drips", (served(drip(BEGINNING + b"image/png\r\n\r\n")),), says="made, but", next_calls=0),
]


def test_timeout_ends_a_server_that_hangs_or_drips(project: Project, api: ImagesApi) -> None:
    project.options |= {"timeout": 4, "concurrency": 8}
    write_faults(project, api, HASTY)
    built = project.build("--strict")
    assert built.code == 1
    for fault in HASTY:
        (warning,) = (line for line in built.warnings if f"{fault.id}.md#{fault.id}" in line)
        assert fault.says in warning
        assert api.prompts.count(fault.prompt) == 1
    ends = time.monotonic() + 30
    while len(api.dripped) < 3:  # the server notices a moment later that nobody listens
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert max(api.dripped) < 4 + 3
    asked = len(api.calls)
    project.options["timeout"] = 60
    assert project.build("--strict").code == 0
    assert len(api.calls) - asked == sum(fault.next_calls is None for fault in HASTY)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (answer(401), "the API answered 401: status 401. Check the key and the account, then build again"),
        (answer(403), "the API answered 403: status 403. Check the key and the account, then build again"),
        (error(429, "insufficient_quota"), "the API answered 429 (insufficient_quota): the server's words. Check the"),
    ],
    ids=["401", "403", "429-quota"],
)
def test_trouble_with_the_account_stops_the_buying_with_one_message(
    project: Project, api: ImagesApi, behaviour: Behaviour, says: str
) -> None:
    api.default = behaviour
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={"a": "one", "b": "two", "c": "three"})
    built = project.build("--strict")
    assert built.code == 1
    assert len(api.calls) == 1
    (warning,) = built.warnings
    assert "3 images are placeholders (index.md#a, index.md#b, index.md#c): " in warning
    assert says in warning


def test_an_api_that_is_not_there_is_tried_again_and_costs_nothing(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    project.options |= {"base_url": f"http://127.0.0.1:{port}/v1", "retries": 1, "max_new_images": 1}
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    built = project.build()
    assert built.code == 0
    (warning,) = built.warnings
    assert "1 image is a placeholder (index.md#hero)" in warning
    assert f"the API at http://127.0.0.1:{port}/v1 cannot be reached" in warning
    assert project.originals == []


def test_the_budget_counts_what_may_be_billed_and_is_never_passed(project: Project, api: ImagesApi) -> None:
    project.options |= {"concurrency": 1, "max_new_images": 3}
    api.by_prompt = {
        "one": [busy, busy],
        "two": [error(400, "moderation_blocked")],
        "three": [answer(400), answer(400)],
        "four": [disconnect, disconnect],
    }
    project.page("index.md", qhaigc={name: name for name in ("one", "two", "three", "four", "five", "six")})
    built = project.build()
    assert api.prompts == ["one", "one", "one", "two", "three", "four"]
    (warning,) = (line for line in built.warnings if "max_new_images" in line)
    assert "3 images are placeholders (index.md#four, index.md#five, index.md#six): " in warning
    assert "Build again for the next ones, or raise `max_new_images`" in warning


def test_many_calls_at_once_do_not_pass_the_budget(project: Project, api: ImagesApi) -> None:
    project.options |= {"concurrency": 16, "max_new_images": 5, "retries": 2}
    billed = threading.Semaphore(0)

    def costs(behaviour: Behaviour) -> Behaviour:
        def behave(handler: Handler, body: dict[str, Any]) -> None:
            billed.release()
            behaviour(handler, body)

        return behave

    kinds = [busy, costs(disconnect), costs(answer(500)), answer(400), costs(by_url), answer(503)]
    prompts = [f"number {index}" for index in range(24)]
    api.by_prompt = {prompt: [kinds[index % 6], costs(by_url)] for index, prompt in enumerate(prompts)}
    project.page("index.md", qhaigc={f"p{index}": prompt for index, prompt in enumerate(prompts)})
    project.build()
    count = 0
    while billed.acquire(blocking=False):
        count += 1
    assert 0 < count <= 5


def test_a_busy_server_slows_all_workers(project: Project, api: ImagesApi) -> None:
    project.options["concurrency"] = 2
    api.script = [error(429, "slow_down", Retry_After="1")]
    project.page("index.md", qhaigc={name: name for name in ("one", "two", "three", "four", "five")})
    assert project.build("--strict").code == 0
    first = api.moments[0]
    assert [moment for moment in api.moments if first + 0.4 < moment < first + 0.95] == []
    assert len(api.calls) == 6


class Proxy(ThreadingHTTPServer):
    """A proxy for plain http."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.passed: list[str] = []


class ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.server.passed.append(f"{self.command} {self.path}")
        target = urlsplit(self.path)
        onward = http.client.HTTPConnection(target.netloc)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        onward.request(self.command, target.path, body, dict(self.headers.items()))
        response = onward.getresponse()
        self.send_response(response.status)
        for name, value in response.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.read())
        onward.close()

    do_GET = do_POST  # noqa: N815 - its name in http.server


def test_a_proxy_is_used_and_another_host_never_sees_the_key(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    with Proxy() as proxy, ImagesApi() as host:
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        url = host.origin + host.host(draw("one", 96, 54))
        api.default = answer(200, {"created": 1, "data": [{"url": url}]})
        project.environment["HTTP_PROXY"] = f"http://127.0.0.1:{proxy.server_address[1]}"
        built = project.build("--strict")
        proxy.shutdown()
        assert built.code == 0, built.output
        assert proxy.passed == [f"POST {api.base_url}/images/generations", f"GET {url}"]
        assert [KEY in str(headers) for headers in host.fetch_headers] == [False]


SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_no_special_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_that_leads_to_a_private_address_is_refused_before_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://localhost:{server.getsockname()[1]}/"
        with (
            open_client(None, proxies=NO_PROXIES, allowed=lambda host: False) as client,
            pytest.raises(httpx.UnsupportedProtocol, match="localhost is not on the public internet"),
        ):
            client.get(url)
        with pytest.raises(TimeoutError):
            server.accept()


@dataclass(frozen=True)
class Damage:
    """What happened to a saved image whose variants are gone, too."""

    id: str
    do: Callable[[Path, Path], object]
    """Called with its record and its image."""
    calls: int
    """Of the next build; none where the image itself is whole."""
    says: str
    aside: tuple[str, ...]
    """The endings of what is set aside."""
    answers: tuple[Behaviour, ...] = ()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(half(path.read_bytes()))


def to_link(path: Path) -> None:
    require_posix("links that anybody may make")
    path.rename(path.parent.parent / path.name)
    path.symlink_to(path.parent.parent / path.name)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def to_pipe(path: Path) -> None:
    require_posix("pipes in folders")
    path.unlink()
    os.mkfifo(path)


def both_gone(record: Path, image: Path) -> None:
    record.unlink()
    image.unlink()


def record_gone_image_cut(record: Path, image: Path) -> None:
    record.unlink()
    cut(image)


def other_key(record: Path, _: Path) -> None:
    record.write_text(json.dumps({**json.loads(record.read_text()), "key": "0" * 64}))


OF_SIZE = "is not of the size that was saved"
CHANGED = "is damaged, its bytes are not those that were saved. It is kept as"
NEW_RECORD = "The image is whole and has a new one"
BOTH = (".json", ".png")

DAMAGE = [
    Damage("whole", lambda record, image: None, 0, "", ()),
    Damage("both-gone", both_gone, 1, "", ()),
    Damage("image-cut", lambda record, image: cut(image), 1, OF_SIZE, BOTH),
    Damage("image-empty", lambda record, image: image.write_bytes(b""), 1, OF_SIZE, BOTH),
    Damage("image-flipped", lambda record, image: flip(image), 1, CHANGED, BOTH),
    Damage("image-flipped-and-refused", lambda record, image: flip(image), 1, CHANGED, BOTH, (answer(400),)),
    Damage("image-a-link", lambda record, image: to_link(image), 1, "cannot be used", BOTH),
    Damage("record-cut", lambda record, image: cut(record), 0, NEW_RECORD, (".json",)),
    Damage("record-empty", lambda record, image: record.write_bytes(b""), 0, NEW_RECORD, (".json",)),
    Damage("record-garbage", lambda record, image: record.write_bytes(b"\xff\0[" * 9), 0, NEW_RECORD, (".json",)),
    Damage("record-deep", lambda record, image: record.write_bytes(b"[" * 200_000), 0, NEW_RECORD, (".json",)),
    Damage("record-gone", lambda record, image: record.unlink(), 0, NEW_RECORD, ()),
    Damage("record-a-link", lambda record, image: to_link(record), 0, NEW_RECORD, (".json",)),
    Damage("record-a-folder", lambda record, image: to_folder(record), 0, NEW_RECORD, (".json",)),
    Damage("record-a-pipe", lambda record, image: to_pipe(record), 0, NEW_RECORD, (".json",)),
    Damage("record-of-another", other_key, 1, "it is the record of another image", BOTH),
    Damage("record-gone-image-cut", record_gone_image_cut, 1, "", (".png",)),
]


@dataclass(frozen=True)
class Healed:
    """A build of a library with all the damages, and the next one."""

    built: Built
    calls: list[str]
    files: list[str]
    next: Built
    next_calls: list[str]
    drawn: dict[str, bytes]
    """Prompt -> the image that was bought last."""


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> Healed:
    with ImagesApi() as api:
        project = Project(tmp_path_factory.mktemp("damage") / "project", api.base_url)
        project.options |= {"concurrency": 8}
        for damage in DAMAGE:
            fault = Fault(damage.id, ())
            write_faults(project, api, [fault])
        assert project.build("--strict", site="before").code == 0
        originals = project.cache / "originals"
        for damage in DAMAGE:
            (record,) = originals.glob(f"{damage.id}-{'[0-9a-f]' * 16}.json")
            damage.do(record, record.with_suffix(".png"))
            api.by_prompt[f"an image of {damage.id}"] = list(damage.answers)
        for foreign in ("README.txt", ".DS_Store", "x-0123456789abcdef.json.part", ".y.png.1234.part", "z-123.json"):
            (originals / foreign).write_bytes(b"what others left here")
        shutil.rmtree(project.cache / "variants")
        asked = len(api.calls)
        built = project.build(site="first")
        files, calls = sorted(path.name for path in originals.iterdir()), api.prompts[asked:]
        drawn = last_drawn(api)
        following = project.build(site="second")
        return Healed(built, calls, files, following, api.prompts[asked + len(calls) :], drawn)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.id)
def test_damage_is_told_and_set_aside_and_what_is_whole_is_not_bought_again(healed: Healed, damage: Damage) -> None:
    assert healed.calls.count(f"an image of {damage.id}") == damage.calls
    own = re.compile(rf"(?<![\w-]){damage.id}(?:-[0-9a-f]{{16}}|\.md)\b")
    told = [line for line in healed.built.output.splitlines() if own.search(line) and " · " not in line]
    assert any(damage.says in line for line in told) if damage.says else not told
    assert len(told) == len(set(told)) <= 2
    aside = [file for file in healed.files if own.search(file) and ".damaged" in file]
    assert tuple(re.sub(r".*(\.\w+)\.damaged$", r"\1", file) for file in aside) == damage.aside
    assert shows_image(healed.built, Fault(damage.id, ()), healed.drawn[f"an image of {damage.id}"]) == (
        not damage.answers
    )


def test_a_library_that_has_healed_says_nothing_more(healed: Healed) -> None:
    assert healed.built.code == healed.next.code == 0
    assert healed.next.warnings == []
    assert healed.next_calls == ["an image of image-flipped-and-refused"]
    assert "Traceback" not in healed.built.output


def test_foreign_files_are_left_alone(healed: Healed) -> None:
    for foreign in ("README.txt", ".DS_Store", "x-0123456789abcdef.json.part", ".y.png.1234.part", "z-123.json"):
        assert foreign in healed.files


def test_what_is_set_aside_twice_is_there_twice(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    for _ in range(3):
        project.build()
        (original,) = (project.cache / "originals").glob("*.png")
        cut(original)
    aside = sorted(path.name[-12:] for path in (project.cache / "originals").glob("*.png.damaged*"))
    assert len(aside) == 2


@pytest.mark.parametrize("part", ["image", "record"])
def test_a_damaged_pin_fails_a_build_that_may_not_buy(project: Project, api: ImagesApi, part: str) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    project.build("--strict")
    shutil.copytree(project.cache / "originals", project.folder / "generated-images")
    project.options["missing"] = "error"
    assert project.build("--strict").code == 0
    (file,) = (project.folder / "generated-images").glob("*.png" if part == "image" else "*.json")
    flip(file) if part == "image" else cut(file)
    built = project.build()
    assert built.code == 1
    assert "committed images are damaged" in built.output
    (told,) = (line.strip() for line in built.output.splitlines() if "the stored image" in line)
    what = "is damaged, its bytes" if part == "image" else "cannot be used, for"
    assert told.startswith(f"index.md#hero: the stored image {what}")
    assert "restore it from version control, or run `mkdocs-qhaigc pin`, which takes a whole one" in told
    assert told.endswith(f": {file}")
    assert "Traceback" not in built.output
    assert len(api.calls) == 1


def in_index(project: Project, statement: str, *values: object) -> list[Any]:
    connection = sqlite3.connect(project.cache / "variants/cache.db")
    with connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def value_files(project: Project) -> list[Path]:
    return sorted((project.cache / "variants").rglob("*.val"))


def test_damaged_variants_are_encoded_again_and_nothing_is_bought(
    project: Project, api: ImagesApi, tmp_path: Path
) -> None:
    names = ["one", "two", "three", "four"]
    project.page("index.md", " ".join(f"![x](qhaigc:{name})" for name in names), qhaigc={n: n for n in names})
    project.own_process = True  # whose end removes the temporary folder
    expected = project.build("--strict").digest()
    variants = project.cache / "variants"

    flip(value_files(project)[0])
    cut(value_files(project)[1])
    value_files(project)[2].unlink()
    built = project.build("--strict")
    assert (built.code, built.digest()) == (0, expected)

    def garbage() -> None:
        (variants / "cache.db").write_bytes(b"no database" * 1000)

    def replaced() -> None:
        shutil.rmtree(variants)
        variants.write_bytes(b"a file")

    for break_it, says in (
        (garbage, "variants is damaged (file is not a database). It is kept as variants.damaged-1"),
        (partial(cut, variants / "cache.db"), "It is kept as variants.damaged-2; its images are encoded again"),
        (replaced, "variants cannot be used (it or a folder above it is a file"),
    ):
        # SQLite's log: where the end of a build left one, it still has all of the index, and nothing would be damaged.
        with contextlib.closing(sqlite3.connect(variants / "cache.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        break_it()
        project.environment["TMPDIR"] = str(tmp_path)
        built = project.build()
        assert (built.code, built.digest()) == (0, expected), built.output
        assert says in built.output
        assert len(built.warnings) == ("damaged" in says), built.output  # else nothing is wrong with the site
        assert not [path.name for path in tmp_path.glob("mkdocs-qhaigc-*")]
    assert (project.cache / "variants.damaged-1/cache.db").read_bytes().startswith(b"no database")
    assert len(api.calls) == 4


def test_damaged_variants_that_cannot_be_renamed_are_told_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on Windows, where another process has them open; here the new name is too long."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / ("v" * 250)
    folder.mkdir()
    (folder / "cache.db").write_bytes(b"no database" * 1000)
    variants = RenditionCache(folder)
    variants.store("key", b"bytes")
    assert Path(variants.paths(["key"])["key"]).read_bytes() == b"bytes"
    variants.close()
    (warning,) = caplog.messages
    assert "cannot be renamed (File name too long). Remove it" in warning
    assert (folder / "cache.db").read_bytes().startswith(b"no database")


class Opens:
    """Something whose pickle creates a file when it is read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def test_a_hostile_cache_is_neither_unpickled_nor_read_nor_deleted(project: Project, api: ImagesApi) -> None:
    names = ["one", "two", "three", "four"]
    project.page("index.md", " ".join(f"![x](qhaigc:{name})" for name in names), qhaigc={n: n for n in names})
    expected = project.build("--strict").digest()
    opened = project.folder / "unpickled"
    outside = project.folder / "outside.webp"
    outside.write_bytes(b"a secret")
    evil = pickle.dumps(Opens(str(opened)))
    (first, *_), (second, *_), (third, *_), (_, filename) = in_index(project, "SELECT rowid, filename FROM Cache")
    in_index(project, "UPDATE Cache SET mode=4, filename=NULL, value=? WHERE rowid=?", evil, first)
    in_index(project, "UPDATE Cache SET filename=? WHERE rowid=?", str(outside), second)
    in_index(project, "UPDATE Cache SET filename='../../../../outside.webp' WHERE rowid=?", third)
    linked = project.cache / "variants" / filename
    require_posix("links that anybody may make")
    linked.unlink()
    linked.symlink_to(outside)
    in_index(project, "INSERT INTO Cache(key, raw, store_time, mode, value, size) VALUES(?, 0, 0, 4, ?, 0)", evil, evil)
    built = project.build()
    assert (built.code, built.digest()) == (0, expected), built.output
    assert not opened.exists()
    assert outside.read_bytes() == b"a secret"
    assert len(api.calls) == 4


def test_links_in_the_folder_of_locks_truncate_nothing(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    project.build("--strict")
    (record,) = (project.cache / "originals").glob("*.json")
    lock = project.cache / "locks" / f"{record.stem.rpartition('-')[2]}.lock"  # some versions of filelock remove it
    outside = project.folder / "precious.txt"
    outside.write_text("precious")
    require_posix("links that anybody may make")
    lock.unlink(missing_ok=True)
    lock.symlink_to(outside)
    shutil.rmtree(project.cache / "originals")
    shutil.rmtree(project.cache / "variants")
    assert project.build().code == 0
    assert outside.read_text() == "precious"


def test_stale_locks_and_part_files_stand_in_nobodys_way(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    project.build("--strict")
    (record,) = (project.cache / "originals").glob("*.json")
    shutil.rmtree(project.cache / "originals")
    shutil.rmtree(project.cache / "variants")
    (project.cache / "originals").mkdir()
    (project.cache / "originals" / f".{record.name}.0a0b0c0d.part").write_bytes(b"{")
    (project.cache / "locks" / f"{record.stem[-16:]}.lock").write_bytes(b"4711")
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2


@pytest.fixture
def disk(project: Project) -> Iterator[Path]:
    """The cache folder, on a disk of its own."""
    folder = project.folder / "disk"
    folder.mkdir()
    project.options["cache_dir"] = "disk"
    command = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def test_nothing_is_bought_for_a_full_disk(project: Project, api: ImagesApi, disk: Path) -> None:
    project.page("index.md", "![x](qhaigc:a)", qhaigc={"a": "one", "b": "two"})
    subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
    built = project.build()
    assert built.code == 0
    (warning,) = built.warnings
    assert "has less than 160 MiB of space left. Nothing is bought that could not be saved" in warning
    assert api.calls == []


def test_a_disk_that_fills_up_in_mid_call_ends_the_buying_and_loses_no_image(
    project: Project, api: ImagesApi, disk: Path
) -> None:
    def fills(handler: Handler, body: dict[str, Any]) -> None:
        fill(disk)
        by_base64(handler, body)

    temporary = project.folder / "tmp"
    temporary.mkdir()
    (temporary / "mkdocs-qhaigc-rescued").symlink_to(project.folder)  # anybody may write where all programs do
    api.script = [fills]
    project.options |= {"concurrency": 1, "response_format": "b64_json"}
    project.environment["TMPDIR"] = str(temporary)
    project.page("index.md", "![x](qhaigc:a) ![x](qhaigc:b)", qhaigc={"a": "one", "b": "two"})
    built = project.build()
    assert api.prompts == ["one"]
    assert "originals cannot be written (No space left on device). Make space there" in built.output
    assert "The image is kept in " in built.output
    assert "Traceback" not in built.output
    (rescued,) = temporary.glob("mkdocs-qhaigc-rescued-*/*")
    assert rescued.read_bytes() == api.drawn["one"][0]
    (disk / "filler").unlink()
    shutil.move(rescued, disk / "originals")
    assert project.build().code == 0
    assert api.prompts == ["one", "two"]


def several_in_base64(side: int, before: Callable[[], None] = lambda: None) -> Behaviour:
    """Answer with squares of so many pixels that nothing makes smaller, each of another colour."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        drawn = [image("PNG", (side, side), compress_level=0, pnginfo=numbered(k)) for k in range(body["n"])]
        before()
        handler.send(200, {"data": [{"b64_json": base64.b64encode(data).decode()} for data in drawn]})

    return behave


def numbered(number: int) -> PngImagePlugin.PngInfo:
    words = PngImagePlugin.PngInfo()
    words.add_text("number", str(number))
    return words


def test_answers_that_are_kept_do_not_take_the_room_of_their_images(
    project: Project, api: ImagesApi, disk: Path
) -> None:
    """Four images are 48 MB, their answer is 64 MB, and the disk has 256 MB."""
    api.default = several_in_base64(2000)
    project.options |= {"response_format": "b64_json", "formats": ["jpeg"]}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc="one")
    finished = run(project, "candidates", "index.md#hero", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert len(list((disk / "originals").glob("*.png"))) == 4
    assert not list((disk / "answers").iterdir())
    assert [call["n"] for call in api.calls] == [4]


def test_several_large_images_come_in_one_answer(project: Project, api: ImagesApi) -> None:
    """Four as 8K is: 220 MB in base64."""
    api.default = several_in_base64(3700)
    project.options |= {"response_format": "b64_json", "formats": ["jpeg"], "timeout": 60}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc="one")
    finished = run(project, "candidates", "index.md#hero", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert len(list((project.cache / "originals").glob("*.png"))) == 4
    assert [call["n"] for call in api.calls] == [4]


def test_of_several_images_that_a_disk_has_no_room_for_each_is_kept(
    project: Project, api: ImagesApi, disk: Path
) -> None:
    temporary = project.folder / "tmp"
    temporary.mkdir()
    project.environment["TMPDIR"] = str(temporary)
    api.default = several_in_base64(96, before=partial(fill, disk))
    project.options["response_format"] = "b64_json"
    project.page("index.md", "![x](qhaigc:hero)", qhaigc="one")
    finished = run(project, "candidates", "index.md#hero", "--yes")
    assert finished.returncode == 1
    rescued = list(temporary.glob("mkdocs-qhaigc-rescued-*/*"))
    assert all(f"The image is kept in {path}" in finished.stderr for path in rescued)
    (disk / "filler").unlink()
    for path in rescued:
        shutil.move(path, disk / "originals")
    assert run(project, "candidates", "index.md#hero", "--yes").returncode == 0
    assert len(rescued) == 4
    assert [call["n"] for call in api.calls] == [4]


def test_an_image_that_could_not_be_written_is_fetched_by_the_next_build(project: Project, api: ImagesApi) -> None:
    require_posix("limits of what a program may write")
    import resource

    noise = io.BytesIO()
    Image.effect_noise((1200, 1200), 80).save(noise, "PNG")
    api.default = bytes_by_url(noise.getvalue())
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    limit = 1_000_000
    command = [*project.command("build"), "-d", str(project.folder / "site")]
    finished = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=project.environ(),
        check=False,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
    )
    output = finished.stdout + finished.stderr
    assert "cannot be written (File too large)" in output
    assert "Traceback" not in output
    assert project.originals == []
    built = project.build("--strict")
    assert built.code == 0
    assert len(api.calls) == 1


def test_damaged_words_about_an_image_do_not_cost_it(project: Project, api: ImagesApi) -> None:
    """Its pixels are whole; whatever cannot be read beside them is left out."""
    target = io.BytesIO()
    Image.new("RGB", (96, 54), "navy").save(target, "WEBP", exif=b"Exif\0\0garbage", xmp=b"<x:xmpmeta")
    api.default = bytes_by_url(target.getvalue())
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert project.build("--strict").summary == "1 cached"
    assert len(api.calls) == 1


def test_a_rejected_image_is_looked_at_again_before_another_is_bought(project: Project, api: ImagesApi) -> None:
    """A later version may read what an earlier one could not."""
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog")
    api.default = bytes_by_url(b"no image")
    project.build()
    api.default = bytes_by_url(b"none either")
    project.build()
    rejected = sorted((project.cache / "rejected").iterdir())
    assert [path.read_bytes() for path in rejected] == [b"no image", b"none either"]
    rejected[0].write_bytes(draw("fog", 96, 54))
    asked = len(api.calls)
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == asked


def test_a_webp_without_the_byte_that_ends_it_is_read(project: Project, api: ImagesApi) -> None:
    whole = next(data for word in "abcdefgh" if (data := draw(word, 96, 54, "WEBP"))[-1:] == b"\0")
    api.default = bytes_by_url(whole[:-1])
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog")
    assert project.build("--strict").code == 0


def test_sixteen_bits_of_grey_are_shown_as_they_are(project: Project, api: ImagesApi) -> None:
    ramp = b"".join((257 * value).to_bytes(2, "little") for _ in range(54) for value in range(96))
    target = io.BytesIO()
    Image.frombytes("I;16", (96, 54), ramp).save(target, "PNG")
    api.default = bytes_by_url(target.getvalue())
    project.options["formats"] = ["png"]
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog")
    built = project.build("--strict")
    (name,) = built.images()
    with Image.open(built.site / "assets/qhaigc" / name) as image:
        assert image.convert("L").getextrema() == (0, 95)
