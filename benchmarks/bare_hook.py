"""The least that buys the images of a site: a hook of MkDocs with httpx and threads, that keeps and checks nothing.

What the cold build is compared with, beside its limit: what such a hook takes above that is MkDocs', httpx' and the
machine's.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, InclusionLevel

if TYPE_CHECKING:
    import httpx
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

BASE_URL, FOLDER, CONCURRENCY, SIZE = (f"BARE_HOOK_{name}" for name in ("BASE_URL", "FOLDER", "CONCURRENCY", "SIZE"))
ASSETS_DIR = "assets/qhaigc"
_ordered: list[Future[Path]] = []
_threads = ThreadPoolExecutor(int(os.environ[CONCURRENCY]))
_client: httpx.Client | None = None


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Order the image of a page."""
    global _client  # noqa: PLW0603 - a hook has no other place
    if "qhaigc" not in page.meta:
        return markdown
    if _client is None:
        import httpx

        _client = httpx.Client(timeout=60, headers={"Authorization": "Bearer sandbox"})
    number = len(_ordered)
    _ordered.append(_threads.submit(_buy, _client, str(page.meta["qhaigc"]), number))
    return markdown.replace("qhaigc:hero", f"/{_dest_uri(number)}")


def on_env(*_: Any, config: MkDocsConfig, files: Files) -> None:
    """Wait for the images."""
    for number, bought in enumerate(_ordered):
        path = str(bought.result())
        files.append(File.generated(config, _dest_uri(number), abs_src_path=path, inclusion=InclusionLevel.INCLUDED))


def _buy(client: httpx.Client, prompt: str, number: int) -> Path:
    body = {"model": "qh-draw-x2-preview", "prompt": prompt, "size": os.environ[SIZE], "response_format": "url"}
    answer = client.post(f"{os.environ[BASE_URL]}/images/generations", json=body).raise_for_status()
    image = client.get(answer.json()["data"][0]["url"]).raise_for_status()
    path = Path(os.environ[FOLDER], f"{number}.webp")
    path.write_bytes(image.content)
    return path


def _dest_uri(number: int) -> str:
    return f"{ASSETS_DIR}/{number}.webp"
