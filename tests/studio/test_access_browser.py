"""Other sites' pages in a real browser, open beside a preview with the studio: none reads, writes or buys anything."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.serving import PATIENCE, Server, serving
from tests.studio.test_access import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ATTACK = """async (studio) => {
  const said = {};
  const note = async (name, attempt) => {
    const late = new Promise((done) => setTimeout(() => done("refused"), 3000)); // a frame that may send no forms
    try { said[name] = await Promise.race([attempt(), late]); } catch (error) { said[name] = "refused"; }
  };
  const body = JSON.stringify({id: "index.md#hero", count: 1});
  const token = "TOKEN";
  const json = {"Content-Type": "application/json"};
  const text = async (address, options) => {
    const response = await fetch(studio + address, options);
    return response.type === "opaque" ? "nothing" : `${response.status} ${await response.text()}`;
  };
  await note("read", () => text("api/state"));
  await note("read with the token", () => text("api/state", {headers: {"X-Qhaigc-Token": token}}));
  await note("read without cors", () => text("api/state", {mode: "no-cors"}));
  await note("post", () => text("api/buy", {method: "POST", body, headers: json}));
  await note("post with the token", () =>
    text("api/buy", {method: "POST", body, headers: {...json, "X-Qhaigc-Token": token}}));
  await note("post as text", () => text("api/buy", {method: "POST", body, mode: "no-cors"}));
  await note("beacon", () => navigator.sendBeacon(studio + "api/buy", body) ? "nothing" : "refused");
  const element = (name, attributes) => new Promise((done) => {
    const one = document.createElement(name);
    one.onload = () => done("loaded");
    one.onerror = () => done("refused");
    Object.assign(one, attributes);
    document.body.append(one);
  });
  await note("image", () => element("img", {src: `${studio}stored/KEY/240`}));
  await note("script", () => element("script", {src: `${studio}static/studio.js`}));
  await note("module", () => element("script", {src: `${studio}static/studio.js`, type: "module"}));
  await note("style", () => element("link", {href: `${studio}static/page.css`, rel: "stylesheet"}));
  await note("events", () => new Promise((done) => {
    const events = new EventSource(`${studio}api/events`);
    events.onopen = () => done("open");
    events.onerror = () => done(events.readyState === EventSource.CLOSED ? "refused" : "open");
  }));
  await note("frame", async () => {
    const shown = document.createElement("iframe");
    shown.src = studio;
    document.body.append(shown);
    await new Promise((done) => (shown.onload = done));
    return shown.contentDocument ? shown.contentDocument.body.innerText : "nothing";
  });
  await note("window", async () => {
    const other = open(new URL("/#qhaigc=" + token, studio));
    if (!other) return "refused";
    await new Promise((done) => setTimeout(done, 1500));
    const asked = {id: "index.md#hero", count: 1, name: "buy", type: "buy"};
    for (const message of [asked, JSON.stringify(asked), {buy: asked}]) other.postMessage(message, "*");
    let seen;
    try { seen = other.document.title + other.localStorage.getItem("qhaigc-token"); } catch { seen = "nothing"; }
    await new Promise((done) => setTimeout(done, 300));
    other.close();
    return seen;
  });
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: `${studio}api/buy`, enctype: "text/plain", target: "sink"});
  const field = document.createElement("input");
  Object.assign(field, {name: body.slice(0, -1) + ', "x": "', value: '"}'});
  form.append(field);
  const frame = document.createElement("iframe");
  frame.name = "sink";
  document.body.append(frame, form);
  const sent = new Promise((done) => { frame.onload = () => done("nothing"); });
  form.submit();
  await note("form", () => sent);
  return said;
}"""
"""Returns what each attempt has come to: what it could read, `nothing`, or `refused`."""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sandboxed = self.path.startswith("/sandboxed")
        content = b'<!doctype html><title>Elsewhere</title><body><iframe sandbox="allow-scripts" src="/"></iframe>'
        content = content if sandboxed else b"<!doctype html><title>Elsewhere</title><body><p>Cats</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """Another server of this machine, at a port of its own: as foreign to ours as any site, and easier to reach."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def attacked(project: Project, api: ImagesApi) -> Iterator[tuple[Site, str]]:
    """Yield a site with a preview, and the key of its stored image."""
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})
    project.options["serve_buys"] = "ask"
    project.build()
    calls = len(api.calls)
    with serving(project) as server:
        server.wait_for_studio()
        key = server.studio("api/state").json["images"][0]["key"]
        assert server.request("GET", f"/-/qhaigc/stored/{key}/240").status == 200
        api.calls.clear()
        assert calls == 1
        yield Site(project, api, server), key


def attack(frame: Any, server: Server, key: str) -> dict[str, str]:
    script = ATTACK.replace("TOKEN", server.token).replace("KEY", key)
    said: dict[str, str] = frame.evaluate(script, f"{server.origin}/-/qhaigc/")
    return said


_REFUSED = (
    "read",
    "read with the token",
    "post",
    "post with the token",
    "image",
    "script",
    "module",
    "style",
    "events",
)
_NOTHING = ("frame", "window", "form")
"""Attempts of which the browser says nothing, or that they are refused."""


def successes(said: dict[str, str]) -> dict[str, str]:
    """Return the attempts that have come to something, or were not made at all."""
    made = {name: said.get(name, "not made") for name in (*_REFUSED, *_NOTHING)} | said
    return {name: what for name, what in made.items() if what != "refused" and (what != "nothing" or name in _REFUSED)}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_gets_nothing(
    project: Project, api: ImagesApi, browser: Browser, elsewhere: int, host: str
) -> None:
    with attacked(project, api) as (site, key):
        page = browser.new_page()
        page.goto(f"http://{host}:{elsewhere}/")
        assert successes(attack(page, site.server, key)) == {}
        site.require_untouched()
        page.close()


def test_a_page_without_an_origin_gets_nothing(
    project: Project, api: ImagesApi, browser: Browser, elsewhere: int
) -> None:
    """A sandboxed frame, as an attachment of a mail or a preview of a file is: its requests say `Origin: null`."""
    with attacked(project, api) as (site, key):
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{elsewhere}/sandboxed")
        frame = page.frames[1]
        frame.wait_for_selector("p")
        assert frame.evaluate("origin") == "null"
        assert successes(attack(frame, site.server, key)) == {}
        site.require_untouched()
        page.close()


def test_a_rebound_host_name_gets_nothing(project: Project, api: ImagesApi, browser: Browser) -> None:
    """A foreign name that has come to lead to this machine: to the browser it is one origin with our server."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with attacked(project, api) as (site, key):
        rules = "--host-resolver-rules=MAP evil.test 127.0.0.1"
        chromium = browser.browser_type.launch(executable_path=path, args=[*rights, rules])
        page = chromium.new_page()
        page.goto(f"http://evil.test:{site.server.port}/#qhaigc={site.server.token}")
        assert page.locator("h1").inner_text() == "Home"
        assert page.locator("script[src*=qhaigc]").count() == 0
        assert page.evaluate("localStorage.length") == 0
        said: dict[str, str] = page.evaluate(
            ATTACK.replace("TOKEN", site.server.token).replace("KEY", key), "/-/qhaigc/"
        )
        for name in ("read", "read with the token", "post", "post with the token", "post as text"):
            assert said[name].startswith("403 "), said
        for name in ("image", "script", "module", "events"):
            assert said[name] == "refused", said
        assert key not in str(said)
        site.require_untouched()
        chromium.close()


def test_no_other_site_shows_a_page_with_the_studio_within_its_own(
    project: Project, api: ImagesApi, browser: Browser, elsewhere: int
) -> None:
    with attacked(project, api) as (site, _):
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{elsewhere}/")
        page.evaluate(
            "(address) => { const frame = document.createElement('iframe'); frame.src = address;"
            " document.body.append(frame); }",
            site.server.link,
        )
        framed = _frame_at(page, site.server.origin)
        framed.wait_for_selector("h1")
        assert framed.locator("script[src*=qhaigc]").count() == 0
        framed.evaluate("document.querySelector('h1').remove(); location.reload()")  # of its own origin
        framed.wait_for_selector("h1")
        assert framed.locator("script[src*=qhaigc]").count() == 0
        page.goto(site.server.link)
        assert page.locator("script[src*=qhaigc]").count() == 1
        page.close()
        site.require_untouched()


def _frame_at(page: Page, origin: str) -> Any:
    page.wait_for_function("() => document.querySelector('iframe')", timeout=PATIENCE * 1000)
    for _ in range(100):
        found = [frame for frame in page.frames if frame.url.startswith(origin)]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError([frame.url for frame in page.frames])
