"""The studio in a real browser: a window beside a running `mkdocs serve`, and whatever went wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.serving import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PATIENCE = 60_000
"""Milliseconds after which something that should have happened will not."""
LATENCY = 0.4
"""Seconds that the sandbox takes for an image: long enough to be seen under way."""
VIOLATIONS = """async () => (await axe.run()).violations.flatMap(
  (one) => one.nodes.map((node) => `${one.id}: ${JSON.stringify(node.target)} ${node.failureSummary}`))"""


class Window:
    """One page in one window."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        page.set_default_timeout(PATIENCE)
        self.trouble: list[str] = []
        self.expected: tuple[str, ...] = ()
        """Texts of messages that are meant to be there."""
        self.asked: list[str] = []
        """Paths of the studio that the browser has asked for."""
        page.on(
            "console",
            lambda m: self._note(f"{m.type}: {m.text} {m.location}") if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._note(f"page error: {error} {error.stack}"))
        page.on("request", lambda request: self._request(request.url))

    def _note(self, text: str) -> None:
        if not any(expected in text for expected in self.expected):
            self.trouble.append(text)

    def _request(self, url: str) -> None:
        if "/-/qhaigc/" in url:
            self.asked.append(url.partition("/-/qhaigc/")[2])

    def open(self, path: str | None = None) -> None:
        """Open a page by the link with the token: `None` for the one that the terminal shows."""
        token = self.server.token
        self.page.goto(self.server.link if path is None else f"{self.server.origin}{path}#qhaigc={token}")
        self.page.locator("qhaigc-studio .corner, .cards").first.wait_for()

    def open_drawer(self, name: str) -> None:
        """Open the drawer of an image of the page by the list in the corner."""
        self.page.locator(".corner").click()
        self.page.locator("qhaigc-studio .row", has=self.page.get_by_text(name, exact=True)).click()
        self.drawer.locator("h2", has_text=name).wait_for()
        self.drawer.locator(".buys button").first.wait_for()

    @property
    def drawer(self) -> Locator:
        return self.page.locator(".drawer")

    @property
    def notice(self) -> Locator:
        return self.page.locator(".drawer .notice p")

    def frames(self, count: int) -> Locator:
        """Wait until the strip shows this many images, and return them."""
        frames = self.page.locator(".strip .frame[data-state=there]")
        self.wait(lambda: frames.count() == count)
        return frames

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something holds."""
        waited = 0
        while not self._holds(condition):
            assert waited < PATIENCE, [self.page.content()[:200], self.trouble, self.server.output]
            self.page.wait_for_timeout(50)
            waited += 50

    def _holds(self, condition: Callable[[], object]) -> bool:
        """Whether something holds; nothing does while the page is loaded anew."""
        from playwright.sync_api import Error  # only tests in a browser have it

        try:
            return bool(condition())
        except Error as error:
            if "Execution context was destroyed" not in str(error):
                raise
            return False

    def run_script(self) -> None:
        """Wait until the studio's script has run on a page."""
        self.page.evaluate("async () => { await import('/-/qhaigc/static/studio.js'); }")

    def mark(self) -> None:
        """Mark the page that is loaded: another one is not marked."""
        self.page.evaluate("window.marked = true")

    def is_marked(self) -> bool:
        return bool(self.page.evaluate("Boolean(window.marked)"))

    def wait_for_reload(self) -> None:
        """Wait until the page that was marked has been loaded again."""
        self.page.wait_for_function("!window.marked")
        self.page.wait_for_load_state()

    def markup(self, alt: str) -> str:
        """Return the HTML of an image of the page, and of its `<picture>`."""
        html: str = self.page.locator(f'img[alt="{alt}"]').first.evaluate(
            "(img) => (img.closest('picture') ?? img).outerHTML"
        )
        return html

    def loaded(self, alt: str) -> str:
        """Return the path of the file that the page shows for an image, once it is there."""
        image = self.page.locator(f'img[alt="{alt}"]').first
        image.scroll_into_view_if_needed()
        self.wait(lambda: image.evaluate("(img) => img.complete && img.naturalWidth > 0"))
        path: str = image.evaluate("(img) => new URL(img.currentSrc).pathname")
        return path

    def violations(self) -> set[str]:
        """Return what axe-core finds."""
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
        return set(self.page.evaluate(VIOLATIONS))


@contextmanager
def window(browser: Browser, server: Server, *, width: int = 1280, dark: bool = False, **more: Any) -> Iterator[Window]:
    """A window with nothing in its cache; as narrow as a phone, it is one."""
    phone = width < 768
    context = browser.new_context(
        viewport={"width": width, "height": 844 if phone else 800},
        color_scheme="dark" if dark else "light",
        is_mobile=phone,
        has_touch=phone,
        **more,
    )
    try:
        yield Window(context.new_page(), server)
    finally:
        context.close()


@contextmanager
def studio(project: Project, *, latency: float = LATENCY, buys: str = "ask") -> Iterator[Server]:
    """`mkdocs serve` with the studio, and a sandbox that takes its time."""
    with Sandbox(latency=latency) as sandbox:
        project.options |= {"base_url": sandbox.base_url, "serve_buys": buys}
        with serving(project) as server:
            server.wait_for_studio()
            yield server
