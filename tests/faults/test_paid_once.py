"""What was paid for is used: whatever an answer looks like, whoever may not read it, wherever it lies."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from tests.conftest import Project, require_posix
from tests.helpers.api import KEY, Behaviour, Handler, ImagesApi, answer, by_url, bytes_by_url, draw, hang, served
from tests.helpers.commands import COMMAND, buy, run
from tests.helpers.unprivileged import unprivileged

pytestmark = pytest.mark.slow

THREE = {"one": "fog", "two": "rain", "three": "snow"}


def pages(project: Project, prompts: dict[str, str]) -> None:
    project.page("index.md", "".join(f"![x](qhaigc:{name})\n\n" for name in prompts), qhaigc=prompts)


def raw(head: bytes, *, add: int = 0, cut: bool = True) -> Behaviour:
    """Answer with a whole JSON after a head of HTTP that says something else of its end."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        data = json.dumps({"data": [{"url": api.origin + api.host(api.draw(body))}]}).encode()
        chunk = b"%x\r\n%s\r\n" % (len(data), data)
        chunked = b"chunked" in head
        length = b"" if chunked or not add else b"Content-Length: %d\r\n" % (len(data) + add)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + length + b"\r\n" + (chunk if chunked else data))
        handler.wfile.flush()
        if cut:
            handler.connection.shutdown(socket.SHUT_WR)
        else:
            api.closed.wait(30)
        handler.close_connection = True

    return behave


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b"Transfer-Encoding: chunked\r\n"), id="no last chunk"),
        pytest.param(raw(b"", add=7), id="a length that is too large"),
        pytest.param(raw(b"", cut=False), id="a connection that stays open"),
    ],
)
def test_an_answer_that_is_whole_is_used_though_its_end_does_not_come(
    project: Project, api: ImagesApi, answer: Behaviour
) -> None:
    api.default = answer
    project.options["timeout"] = 4
    pages(project, THREE)
    assert project.build("--strict").code == 0
    assert sorted(api.prompts) == sorted(THREE.values())


@pytest.mark.parametrize("to_text", [base64.urlsafe_b64encode, base64.b64encode], ids=["for addresses", "unpadded"])
def test_base64_of_any_kind_is_read(project: Project, api: ImagesApi, to_text: Any) -> None:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        data = handler.server.api.draw(body)
        data += b"\xff\xfe\xfb"[: 1 + -len(data) % 3]  # behind a PNG's end, and with every sign of the alphabet
        handler.send(200, {"data": [{"b64_json": to_text(data).decode().rstrip("=")}]})

    api.default = behave
    pages(project, THREE)
    assert project.build("--strict").code == 0
    assert len(api.calls) == 3


@pytest.mark.parametrize("encoded", [False, True], ids=["by address", "in base64"])
def test_an_image_as_large_as_the_api_draws_them_is_read(project: Project, api: ImagesApi, encoded: bool) -> None:
    """8K of a photograph's kind of texture is more than 40 MB."""
    target = io.BytesIO()
    Image.new("RGBA", (3600, 3600), "navy").save(target, "PNG", compress_level=0)
    data = target.getvalue()
    content = {"b64_json": base64.b64encode(data).decode()} if encoded else {"url": api.origin + api.host(data)}
    api.default = answer(200, {"data": [content]})
    project.options |= {"timeout": 60, "formats": ["jpeg"]}
    pages(project, {"one": "fog"})
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 1


def test_what_is_no_use_three_times_in_a_row_is_not_bought_a_fourth_time(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    project.options["concurrency"] = 1
    pages(project, {f"p{number}": f"number {number}" for number in range(9)})
    built = project.build()
    assert len(api.calls) in (3, 4)  # the next one is asked for while the last is looked at
    assert "3 calls in a row may have been billed" in built.output
    assert "are no PNG, JPEG, WebP or AVIF image" in built.output


def test_some_that_are_no_use_among_others_stop_nothing(project: Project, api: ImagesApi) -> None:
    prompts = {f"p{number}": f"number {number}" for number in range(9)}
    api.by_prompt = {f"number {number}": [bytes_by_url(b"none")] for number in range(1, 9)}
    project.options["concurrency"] = 1
    pages(project, prompts)
    project.build()
    assert len(api.calls) == 9


def test_an_answer_that_holds_its_image_does_not_expire(project: Project, api: ImagesApi) -> None:
    pages(project, {"one": "fog"})
    (planned,) = json.loads(run(project, "plan", "--json").stdout)["images"]
    content = base64.b64encode(draw("fog", 96, 54)).decode()
    body = json.dumps({"data": [{"b64_json": content}]})
    kept = project.write(".qhaigc/answers/x.answer", f"{planned['key']}\n{body}")
    os.utime(kept, (time.time() - 90_000,) * 2)
    assert project.build("--strict").code == 0
    assert not api.calls


def test_a_kept_answer_that_repeats_the_key_leaves_none_in_the_record(project: Project, api: ImagesApi) -> None:
    pages(project, {"one": "fog"})
    (planned,) = json.loads(run(project, "plan", "--json").stdout)["images"]
    content = base64.b64encode(draw("fog", 96, 54)).decode()
    body = json.dumps({"data": [{"b64_json": content, "revised_prompt": f"fog for {KEY}"}]})
    project.write(".qhaigc/answers/x.answer", f"{planned['key']}\n{body}")
    assert project.build("--strict").code == 0
    (record,) = (project.cache / "originals").glob("*.json")
    assert json.loads(record.read_bytes())["revised_prompt"] == "fog for [key]"
    assert not api.calls


@pytest.mark.parametrize("kept", [False, True])
def test_a_service_that_repeats_the_key_as_a_field_leaves_none_in_the_warning(
    project: Project, api: ImagesApi, kept: bool
) -> None:
    project.options["params"] = {"quality": "hd"}
    pages(project, {"one": "fog"})
    reply = {"data": [{"b64_json": base64.b64encode(draw("fog", 96, 54)).decode(), "quality": f"for {KEY}"}]}
    api.default = lambda handler, _: handler.send(200, reply)
    if kept:
        (planned,) = json.loads(run(project, "plan", "--json").stdout)["images"]
        project.write(".qhaigc/answers/x.answer", f"{planned['key']}\n{json.dumps(reply)}")
    built = project.build()
    assert "the service says that it has used for [key]" in built.output
    assert KEY not in built.output
    assert len(api.calls) == (0 if kept else 1)


def test_a_host_that_lets_nobody_fetch_does_not_cost_another_image_each_build(project: Project, api: ImagesApi) -> None:
    """A firewall before the images, say, to which a program in CI is a robot."""
    api.default = served(*[answer(403)] * 99)
    project.options["retries"] = 0
    pages(project, THREE)
    for _ in range(3):
        project.build()
    assert len(api.calls) == 3
    api.by_path.clear()
    assert project.build("--strict").code == 0
    assert len(api.calls) == 3


def around(make: Callable[[str], bytes], status: int = 200, **headers: str) -> Behaviour:
    """Answer with what `make` makes of an image's address."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        sent = make(api.origin + api.host(api.draw(body)))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send_bytes(status, sent, "application/json", named)

    return behave


def as_image(handler: Handler, body: dict[str, Any]) -> None:
    handler.send_bytes(200, handler.server.api.draw(body), "image/png")


def json_of(url: str) -> bytes:
    return json.dumps({"data": [{"url": url}]}).encode()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(around(lambda url: gzip.compress(json_of(url)), Content_Encoding="gzip"), id="in gzip"),
        pytest.param(around(lambda url: b"data: " + json_of(url) + b"\n\ndata: [DONE]\n\n"), id="as an event"),
        pytest.param(around(lambda url: json_of(url)[:-3] + ', "x": "黄昏"}]}'.encode("gbk")), id="in GBK"),
        pytest.param(as_image, id="as an image"),
        pytest.param(around(json_of, 201), id="with status 201"),
    ],
)
def test_what_is_wrong_around_an_image_does_not_cost_it(project: Project, api: ImagesApi, answer: Behaviour) -> None:
    api.default = answer
    api.fetch_script = [hang]  # what was kept of such an answer is read, too
    project.options |= {"timeout": 3, "concurrency": 1}
    pages(project, {"one": "fog"})
    project.build()
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"<p>Your image is ready. " + KEY.encode(), b"<p>Your image is ready. [key]"),
        (b'{"result": "in your mail"}', b'{"result": "in your mail"}'),
        (gzip.compress(b"<p>" + KEY.encode()), b"<p>[key]"),
    ],
    ids=["a page", "another form", "in gzip"],
)
def test_an_answer_in_which_no_image_is_found_is_kept_for_people(
    project: Project, api: ImagesApi, sent: bytes, kept: bytes
) -> None:
    api.default = around(lambda _: sent)
    pages(project, {"one": "fog"})
    built = project.build()
    (path,) = (project.cache / "rejected").iterdir()
    assert re.fullmatch(r"one-[0-9a-f]{16}\.answer", path.name)
    assert path.read_bytes() == kept
    assert f"What came is kept in {path}. A placeholder" in built.output
    assert not list((project.cache / "answers").iterdir())


def test_what_has_come_of_an_answer_that_was_cut_is_kept_for_people(project: Project, api: ImagesApi) -> None:
    def cut(handler: Handler, body: dict[str, Any]) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"data": [{"url": "https://example.com/a"')
        handler.close_connection = True

    api.default = cut
    project.options["retries"] = 0
    pages(project, {"one": "fog"})
    built = project.build()
    (path,) = (project.cache / "rejected").iterdir()
    assert path.read_bytes() == b'{"data": [{"url": "https://example.com/a"'
    assert f"(the connection was cut). What came is kept in {path}" in built.output


def test_an_answer_that_says_why_there_is_no_image_is_not_kept(project: Project, api: ImagesApi) -> None:
    api.default = answer(200, {"error": {"message": "no capacity"}})
    pages(project, {"one": "fog"})
    assert "no capacity" in project.build().output
    assert not (project.cache / "rejected").exists()


def two_days_later(project: Project) -> None:
    for kept in (project.cache / "answers").iterdir():
        os.utime(kept, (time.time() - 2 * 86_400,) * 2)


def test_an_address_that_is_older_than_a_day_is_tried_before_another_image_is_bought(
    project: Project, api: ImagesApi
) -> None:
    """The images' host is down on Friday, and there is no build before Monday."""
    api.default = served(*[answer(500)] * 99)
    project.options["retries"] = 0
    pages(project, THREE)
    project.build()
    two_days_later(project)
    api.by_path.clear()
    assert project.build("--strict").code == 0
    assert len(api.calls) == 3


@pytest.mark.parametrize("expired", [answer(403), hang], ids=["a signature that has expired", "a host that hangs"])
def test_for_an_address_that_is_older_than_a_day_and_leads_nowhere_another_image_is_bought(
    project: Project, api: ImagesApi, expired: Behaviour
) -> None:
    api.default = served(*[expired] * 99)
    project.options |= {"retries": 0, "timeout": 4}
    pages(project, {"one": "fog"})
    project.build()
    two_days_later(project)
    old = set(api.by_path)
    api.default = by_url
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2
    assert old <= set(api.fetches[1:])


@pytest.mark.parametrize(("hours", "calls"), [(0.9, 1), (1.1, 2)])
def test_an_address_that_leads_to_nothing_is_believed_after_an_hour(
    project: Project, api: ImagesApi, hours: float, calls: int
) -> None:
    """A store has an image everywhere some time after it was put there, and is asked at once."""
    api.default = served(*[answer(404)] * 2)
    project.options["retries"] = 0
    pages(project, {"one": "fog"})
    assert "for an hour they buy no other" in project.build().output
    for kept in (project.cache / "answers").iterdir():
        os.utime(kept, (time.time() - hours * 3600,) * 2)
    api.default = by_url
    project.build()
    assert len(api.calls) == calls
    assert project.build("--strict").code == 0
    assert len(api.calls) == calls


def test_an_old_address_is_not_forgotten_while_no_other_image_can_be_bought(project: Project, api: ImagesApi) -> None:
    api.default = served(*[answer(500)] * 99)
    project.options["retries"] = 0
    pages(project, {"one": "fog"})
    project.build()
    two_days_later(project)
    api.default = answer(503)
    project.build()
    api.by_path.clear()
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2


@pytest.mark.parametrize("what", ["records", "folder"])
@pytest.mark.parametrize("where", ["pins", "cache"])
def test_what_may_not_be_read_is_not_bought(project: Project, api: ImagesApi, where: str, what: str) -> None:
    """Another user's, say; or open in a program that lets nobody else in."""
    pages(project, THREE)
    buy(project, api)
    folder = project.cache / "originals"
    if where == "pins":
        assert run(project, "pin").returncode == 0
        folder = project.folder / "generated-images"
        shutil.rmtree(project.cache)
    else:
        shutil.rmtree(project.cache / "index", ignore_errors=True)  # a build that only reads writes it
    closed = [folder] if what == "folder" else list(folder.glob("*.json"))
    api.calls.clear()
    for path in closed:
        path.chmod(0)
    try:
        command = unprivileged([*project.command("build"), "-d", str(project.folder / "site")])
        built = subprocess.run(command, env=project.environ(), capture_output=True, text=True, check=False)
    finally:
        for path in closed:
            path.chmod(0o700)
    assert not api.calls
    assert "cannot be" in built.stderr
    assert project.build("--strict").code == 0
    assert not api.calls


def test_nothing_is_bought_whose_answer_could_not_be_kept(project: Project, api: ImagesApi) -> None:
    """A build of root's has made the folder, say, and an image's address leads to it only in the next build."""
    api.default = served(*[answer(500)] * 9)
    project.options["retries"] = 0
    pages(project, {"one": "fog"})
    folder = project.cache / "answers"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    try:
        command = unprivileged([*project.command("build"), "-d", str(project.folder / "site")])
        built = subprocess.run(command, env=project.environ(), capture_output=True, text=True, check=False)
    finally:
        folder.chmod(0o700)
    assert f"{folder} cannot be written (Permission denied). Make it writable, or set `cache_dir`" in built.stderr
    assert "Nothing is bought that could not be saved" in built.stderr
    assert not api.calls


@pytest.mark.parametrize("where", ["pins", "cache"])
def test_what_came_as_a_record_without_its_image_is_not_bought(project: Project, api: ImagesApi, where: str) -> None:
    """As DVC leaves it in a clone, or a tool that copies the small files first."""
    pages(project, THREE)
    buy(project, api)
    folder = project.cache / "originals"
    if where == "pins":
        assert run(project, "pin").returncode == 0
        shutil.rmtree(project.cache)
        folder = project.folder / "generated-images"
    images = {path: path.read_bytes() for path in folder.glob("*.png")}
    for path in images:
        path.unlink()
        path.with_name(f"{path.name}.dvc").touch()
    api.calls.clear()
    built = project.build()
    assert built.summary == "3 placeholders"
    assert "is not here, and its record is" in built.output
    assert "is not here, and its record is" in run(project, "generate", "--yes").stderr
    assert not api.calls
    for path, data in images.items():
        path.write_bytes(data)
    assert project.build("--strict").code == 0
    assert not api.calls


def test_cached_images_that_somebody_has_compressed_are_not_bought_again(project: Project, api: ImagesApi) -> None:
    """As `oxipng` over a whole project does, hidden folders too."""
    pages(project, THREE)
    assert project.build("--strict").code == 0
    created = "2020-01-01T00:00:00+00:00"
    compressed = {}
    for path in (project.cache / "originals").glob("*.png"):
        record = path.with_suffix(".json")
        record.write_text(json.dumps({**json.loads(record.read_bytes()), "created": created}), "utf-8")
        with Image.open(path) as image:
            image.save(path, optimize=True, pnginfo=PngImagePlugin.PngInfo())
        compressed[path] = path.read_bytes()
    built = project.build()
    assert built.summary == "3 generated"
    assert "The image is whole and has a new one" in built.output
    assert project.build("--strict").summary == "3 cached"
    assert len(api.calls) == 3
    for path, data in compressed.items():
        assert path.read_bytes() == data
        assert json.loads(path.with_suffix(".json").read_bytes())["created"] == created


def noise(format: str, size: tuple[int, int] = (96, 54)) -> bytes:
    target = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(target, format)
    return target.getvalue()


@pytest.mark.parametrize(
    ("format", "damage"),
    [
        pytest.param("PNG", lambda data: data[: len(data) // 2], id="a PNG that is cut"),
        pytest.param("JPEG", lambda data: data[: len(data) // 2], id="a JPEG that is cut"),
        pytest.param("JPEG", lambda data: data[:700] + data[740:], id="a JPEG that has lost a part"),
        pytest.param("PNG", lambda _: noise("PNG", (48, 27)), id="in another size"),
        pytest.param("PNG", lambda _: noise("WEBP"), id="in another format"),
    ],
)
def test_cached_images_that_are_damaged_or_others_are_not_taken_for_compressed_ones(
    project: Project, api: ImagesApi, format: str, damage: Callable[[bytes], bytes]
) -> None:
    api.default = bytes_by_url(noise(format))
    pages(project, {"one": "fog"})
    assert project.build("--strict").code == 0
    (path,) = (path for path in (project.cache / "originals").iterdir() if path.suffix != ".json")
    path.write_bytes(damage(path.read_bytes()))
    project.build()
    assert len(api.calls) == 2


def test_a_cached_image_that_is_gone_is_bought_again_where_its_record_goes_too(
    project: Project, api: ImagesApi
) -> None:
    pages(project, {"one": "fog"})
    buy(project, api)
    for path in (project.cache / "originals").iterdir():
        path.unlink()
    assert project.build("--strict").summary == "1 generated"
    assert api.prompts == ["fog"]


def test_cached_images_that_a_tool_has_made_others_of_are_taken_in(project: Project, api: ImagesApi) -> None:
    """PNG into JPEG, and the PNG is gone."""
    pages(project, {"one": "fog"})
    buy(project, api)
    (path,) = (project.cache / "originals").glob("*.png")
    with Image.open(path) as image:
        image.save(path.with_suffix(".jpg"))
    path.unlink()
    assert project.build().summary == "1 generated"
    assert project.build("--strict").summary == "1 cached"
    assert not api.calls


def test_an_image_is_bought_where_a_build_was_killed_that_had_begun_to_set_it_aside(
    project: Project, api: ImagesApi
) -> None:
    pages(project, {"one": "fog"})
    buy(project, api)
    (path,) = (project.cache / "originals").glob("*.png")
    path.rename(path.with_name(f"{path.name}.damaged"))
    assert project.build().summary == "1 generated"
    assert project.build("--strict").summary == "1 cached"
    assert api.prompts == ["fog"]


def test_a_sync_that_ends_with_an_error_waits_for_what_is_under_way(project: Project, api: ImagesApi) -> None:
    require_posix("named pipes")
    project.page("a.md", "![x](qhaigc:hero)", qhaigc="fog")
    os.mkfifo(project.docs / "z.md")
    project.write_config()
    command = [COMMAND, "sync", "--out", "docs/assets/qhaigc"]
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environ(), stderr=subprocess.PIPE, text=True
    ) as sync:
        assert api.called.wait(20)
        (project.docs / "z.md").write_bytes("Français".encode("latin-1"))
        _, said = sync.communicate(timeout=20)
    assert sync.returncode == 1
    assert "z.md" in said
    assert len(project.originals) == 2
    (project.docs / "z.md").unlink()
    assert run(project, "sync", "--out", "docs/assets/qhaigc").returncode == 0
    assert len(api.calls) == 1


NOT_READ = {
    "a blank line first": "\n---\nqhaigc: {hero: fog}\n---\n",
    "no line at its end": "---\ntitle: Fog\nqhaigc:\n  hero: fog\n\n",
    "four signs": "----\nqhaigc:\n  hero: {prompt: fog}\n----\n",
    "a blank before": " ---\nqhaigc:\n  hero: fog\n---\n",
}


@pytest.mark.parametrize("front", NOT_READ.values(), ids=NOT_READ)
def test_front_matter_that_is_not_read_is_told_and_takes_no_image_away(
    project: Project, api: ImagesApi, front: str
) -> None:
    pages(project, {"hero": "fog"})
    buy(project, api)
    project.write("docs/index.md", front + "# Fog\n\nWords.\n")
    built = project.build("--strict")
    assert built.code == 1
    assert "index.md, line 1: the front matter is not read as such" in built.output
    pruned = run(project, "prune", "--older-than", "0d", "--yes")
    assert pruned.returncode == 1
    assert "nothing is removed while" in pruned.stderr
    assert len(project.originals) == 2


def test_a_page_that_begins_with_a_rule_and_writes_of_us_is_no_front_matter(project: Project) -> None:
    project.write("docs/index.md", "---\n\n# Images\n\nWrite this:\n\nqhaigc: a prompt\n")
    assert project.build("--strict").code == 0


def test_references_that_mean_nothing_keep_prune_from_removing(project: Project, api: ImagesApi) -> None:
    pages(project, {"hero": "fog"})
    buy(project, api)
    project.page("index.md", "![x](qhaigc:hero)")
    pruned = run(project, "prune", "--older-than", "0d", "--yes")
    assert pruned.returncode == 1
    assert "there is no image 'hero'" in pruned.stderr
    assert len(project.originals) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mising": "placeholder"}, "Did you mean `missing`?"),
        ({"cache_dir": "site/cache"}, "which every build empties"),
        ({"pins_dir": "site/pins"}, "which every build empties"),
        ({"cache_dir": "$HOME/images"}, "begin it with `~/`"),
        ({"images": {"logo": {"prompt": "a logo", "place": "top"}}}, "`logo` has `place: top`"),
    ],
)
def test_what_was_not_meant_is_refused_before_anything_is_bought(
    project: Project, api: ImagesApi, options: dict[str, Any], said: str
) -> None:
    pages(project, THREE)
    project.options |= options
    built = project.build(site="site")
    assert built.code == 1
    assert said in built.output
    generated = run(project, "generate", "--yes")
    assert generated.returncode == 1
    assert said in generated.stdout + generated.stderr
    assert not api.calls


@pytest.mark.parametrize(
    ("option", "otherwise"),
    [("missing", "error"), ("enabled", "false"), ("max_new_images", "0"), ("base_url", "sandbox")],
)
def test_a_variable_that_is_set_and_empty_buys_nothing(
    project: Project, api: ImagesApi, option: str, otherwise: str
) -> None:
    """As CI sets it where there is nothing to set it to; `!ENV` then gives neither it nor its default."""
    pages(project, THREE)
    options = {name: value for name, value in project.options.items() if name != option}
    config = {**project.config, "plugins": [{"qhaigc": {"base_url": api.base_url, **options, option: "HERE"}}]}
    project.yaml = json.dumps(config).replace('"HERE"', f"!ENV [SWITCH, {otherwise}]")
    project.environment["SWITCH"] = ""
    built = project.build()
    assert built.code == 1
    assert "it is empty" in built.output
    refused = run(project, "sync", "--out", "docs/assets/qhaigc")
    assert refused.returncode == 1
    assert f"option `{option}`: it is empty" in refused.stderr
    assert not api.calls


def test_what_was_paid_for_before_is_not_counted_as_bought(project: Project, api: ImagesApi) -> None:
    project.options["prices"] = {"qh-draw-x2-preview": 0.02}
    pages(project, {"hero": "fog"})
    assert "1 generated for 0.02" in project.build().summary
    for record in Path(project.cache / "originals").glob("*.json"):
        record.unlink()
    assert project.build().summary == "1 generated"
    assert len(api.calls) == 1


@pytest.mark.parametrize("watched", [False, True])
def test_a_page_that_is_nothing_but_an_image_shows_it(project: Project, api: ImagesApi, watched: bool) -> None:
    if watched:
        project.config["plugins"] = ["search", "glightbox"]
        pytest.importorskip("mkdocs_glightbox")
    project.page("index.md", "", qhaigc={"hero": {"prompt": "fog", "alt": "Fog", "place": "top"}})
    for _ in range(2):
        assert project.build("--strict").html("index.html").count('alt="Fog"') == 1
    assert len(api.calls) == 1
