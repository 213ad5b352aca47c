"""The threads that encode: builds agree, however many calls there are at once, and end with their build."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mkdocs_qhaigc.imaging.background_encoder import Encoder, EncoderInput
from mkdocs_qhaigc.imaging.plan_published_files import Encoding, SourceImage
from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, bytes_by_url, draw

QUALITY = {"avif": 80, "webp": 80, "jpeg": 80, "png": 80}


def test_one_call_at_a_time_or_eight_give_the_same_site(project: Project, api: ImagesApi) -> None:
    """Also where the server sends other sizes than asked, and each its own. The second server repeats the first."""
    body = "".join(f"![x](qhaigc:p{number})\n\n" for number in range(10))
    directives = {f"p{n}": {"prompt": f"{n}", **({"dark": "d"} if n == 3 else {})} for n in range(10)}

    def answer(handler: Handler, call: dict[str, Any]) -> None:
        number = int(call["prompt"]) if call["prompt"].isdigit() else 4
        bytes_by_url(draw(call["prompt"], 60 + 4 * (number % 5), 40 + number, "WEBP"))(handler, call)

    sites = {}
    for concurrency in (1, 8):
        shutil.rmtree(project.folder / ".qhaigc", ignore_errors=True)
        api.default = answer
        project.options |= {"concurrency": concurrency, "formats": ["avif", "webp"], "widths": [48]}
        project.page("index.md", f"# Home\n\n{body}", qhaigc=directives, image="qhaigc:p1")
        cold = project.build("--strict", site=f"cold-{concurrency}")
        assert cold.code == 0, cold.output
        sites[concurrency] = cold.digest()
        assert project.build("--strict", site=f"warm-{concurrency}").digest() == sites[concurrency]
    assert sites[1] == sites[8]
    assert 'width="76" height="44"' in cold.html()
    assert len(api.calls) == 22


def test_an_image_that_comes_after_its_build_has_ended_is_left_to_the_next(tmp_path: Path) -> None:
    """`mkdocs serve` builds anew while an image is under way, and each of these builds has asked for it."""
    encoding = Encoding(("webp",), (), QUALITY)
    subject = EncoderInput("k" * 64, SourceImage("x", 90, 60), lambda _: draw("x", 90, 60), lambda: None)
    wanted = {subject.key: subject.source}
    ended, current = (Encoder(encoding, tmp_path / "variants") for _ in range(2))
    ended.close()
    ended.encode(subject)
    assert not ended.began
    current.encode(subject)
    assert current.error(subject) is None
    assert current.gone(wanted) == []
    current.close()
