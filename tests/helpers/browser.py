"""A site in a real browser: served over HTTP, loaded, scrolled through, and what Chromium made of its images."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

WATCH = """
window.shifts = []; window.violations = [];
const shifted = (list) => { for (const entry of list) if (!entry.hadRecentInput) shifts.push(
  [entry.value, ...entry.sources.map((s) => s.node && (s.node.outerHTML || s.node.data || "").slice(0, 300))]); };
window.observer = new PerformanceObserver((list) => shifted(list.getEntries()));
observer.observe({type: "layout-shift", buffered: true});
window.allShifts = () => { shifted(observer.takeRecords()); return shifts; };
document.addEventListener("securitypolicyviolation", (event) => violations.push(
  [event.effectiveDirective, event.blockedURI.replace(location.origin, ""), event.sample, event.target.nodeName]));
window.painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
window.settled = async () => { await painted(); await document.fonts.ready; await painted(); allShifts().length = 0; };
window.walk = async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) { scrollTo(0, y); await painted(); }
  scrollTo(0, document.documentElement.scrollHeight); await painted();
};
window.arrived = () => Promise.race([
  Promise.all([...document.images].map((img) => img.checkVisibility() && img.decode().catch(() => null))).then(painted),
  new Promise((done) => setTimeout(done, 20000)),
]);
"""
"""Runs in every page before its own scripts."""

IMAGES = """() => [...document.querySelectorAll("img")].map((img) => {
  const style = getComputedStyle(img), box = img.getBoundingClientRect();
  const less = (...sides) => sides.reduce(
    (sum, side) => sum + parseFloat(style["padding" + side]) + parseFloat(style[`border${side}Width`]), 0);
  const tags = [...(img.closest("picture")?.querySelectorAll("source") ?? []), img];
  return {
    alt: img.alt, loaded: img.complete && img.naturalWidth > 0, source: img.currentSrc,
    formats: tags.map((tag) => tag.type ?? ""), srcsets: tags.map((tag) => tag.srcset), sizes: tags[0].sizes,
    left: box.left + scrollX, top: box.top + scrollY,
    width: box.width - less("Left", "Right"), height: box.height - less("Top", "Bottom"),
  };
})"""
"""A theme may draw a frame about an image (mkdocs does): the sides are those of the image within."""


@dataclass(frozen=True)
class Shown:
    """One `<img>`, as the browser shows it."""

    alt: str
    loaded: bool
    source: str
    """The URL that the browser chose."""
    formats: list[str]
    srcsets: list[str]
    sizes: str
    left: float
    top: float
    width: float
    """CSS pixels, as are all of these."""
    height: float
    site: Path

    @property
    def place(self) -> tuple[int, int, int, int]:
        return round(self.left), round(self.top), round(self.width), round(self.height)

    def moved(self, other: Shown) -> bool:
        """Whether it stands elsewhere there; less than two pixels are the roundings of narrow files' heights."""
        return any(abs(one - two) > 1 for one, two in zip(self.place, other.place, strict=True))

    @property
    def file(self) -> Path:
        """The chosen file; its pixels are the truth about an image's proportions."""
        return self.site / unquote(urlsplit(self.source).path.lstrip("/"))

    @cached_property
    def pixels(self) -> tuple[int, int]:
        with Image.open(self.file) as image:
            return image.width, image.height

    @property
    def distortion(self) -> float:
        """0.01 is one per cent."""
        width, height = self.pixels
        return abs(self.width / self.height * height / width - 1)

    def best(self, scale: float) -> int:
        """The width of the narrowest candidate of the chosen format with a pixel for each of the screen's."""
        (srcset,) = (text for text in self.srcsets if f"/{self.file.name} " in f"/{text} ".replace(",", " "))
        widths = sorted(int(candidate.split()[1][:-1]) for candidate in srcset.split(","))
        return next((width for width in widths if width >= self.width * scale), widths[-1])


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012 - as in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".avif": "image/avif",
        ".webp": "image/webp",
        ".js": "text/javascript",
    }
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        super().end_headers()


class Server(ThreadingHTTPServer):
    """Serves a built site."""

    daemon_threads = True

    def __init__(self, site: Path, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), lambda *args: _Handler(*args, directory=str(site)))
        self.headers = headers

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes a connection is no error."""


class Visit:
    """One page in one window, and whatever went wrong there."""

    def __init__(self, page: Page, server: Server, site: Path) -> None:
        self.page = page
        self.site = site
        self.server = server
        self.trouble: list[str] = []
        self.asked: list[str] = []
        """Names of the generated images' files that the browser has asked for."""
        self._held: list[Route] | None = []
        page.route(re.compile(r"/qhaigc/.*\.(avif|webp|jpg|png)$"), self._hold)
        page.on("console", lambda m: self.trouble.append(f"{m.type}: {m.text}") if m.type in _BAD else None)
        page.on("pageerror", lambda error: self.trouble.append(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", lambda r: self.trouble.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.on("request", lambda r: None if r.url.startswith(server.origin) else self.trouble.append(r.url))

    def open(self, path: str) -> None:
        """Load a page and paint it with all but its generated images, which are held back.

        What moves until then moves for the theme's fonts.
        """
        self.page.goto(f"{self.server.origin}/{path}", wait_until="domcontentloaded")
        self.page.evaluate("settled()")

    def scroll(self) -> None:
        """Go through the whole page."""
        self.page.evaluate("walk()")

    def arrive(self) -> None:
        """Let the images come that the browser has asked for, and will ask for."""
        held, self._held = self._held, None
        for route in held or ():
            route.continue_()
        self.page.wait_for_load_state("load")
        self.page.evaluate("arrived()")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # it is, where a script of the theme has changed an image's width
            self.trouble.append(f"{request.failure}: {request.url}")

    def _hold(self, route: Route) -> None:
        self.asked.append(unquote(urlsplit(route.request.url).path.rpartition("/")[2]))
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def images(self) -> list[Shown]:
        return [Shown(**fields, site=self.site) for fields in self.page.evaluate(IMAGES)]

    def shifts(self) -> list[list[Any]]:
        """Every layout shift: its value, and the elements that moved."""
        shifts: list[list[Any]] = self.page.evaluate("allShifts()")
        return shifts

    def violations(self) -> list[list[str]]:
        violations: list[list[str]] = self.page.evaluate("violations")
        return violations


_BAD = ("error", "warning")


@contextmanager
def visiting(
    browser: Browser,
    site: Path,
    *,
    width: int,
    scale: float = 1,
    dark: bool = False,
    headers: dict[str, str] | None = None,
) -> Iterator[Visit]:
    """A window with nothing in its cache, on a server of its own; as narrow as a phone, it is one."""
    server = Server(site, headers or {})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    phone = width < 768
    context = browser.new_context(
        viewport={"width": width, "height": 844 if phone else 800},
        device_scale_factor=scale,
        color_scheme="dark" if dark else "light",
        is_mobile=phone,
        has_touch=phone,
    )
    try:
        context.add_init_script(WATCH)
        yield Visit(context.new_page(), server, site)
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()
