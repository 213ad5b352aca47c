"""A site's life as a state machine: after any steps, each build that exits 0 is complete and buys nothing twice.

`.ci/run` takes the same 40 walks each time. By hand, others: `QHAIGC_LIFE_WALKS=500 python -m pytest -m slow
tests/builds/test_site_life.py` takes 500 with a seed that is printed; `QHAIGC_LIFE_SEED` repeats it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from mkdocs_qhaigc.engines.zensical.manifest import MANIFEST
from tests.conftest import Built, Project
from tests.helpers.api import (
    Behaviour,
    Handler,
    ImagesApi,
    answer,
    asked_for,
    by_base64,
    by_url,
    bytes_by_url,
    disconnect,
    draw,
    error,
    in_size,
)
from tests.helpers.commands import run
from tests.helpers.site_checks import problems, undecodable

pytestmark = pytest.mark.slow

WALKS = int(os.environ.get("QHAIGC_LIFE_WALKS", "40"))
STEPS = 20
PARTS = 4
"""Tests that share the walks."""

PROMPTS = ("fog", "rain", "snow", "dusk", "dawn", "noon")
PATHS = ("index.md", "a.md", "guide/b.md", "guide/deep/c.md", "d.md")
THEME = {
    "main.html": """<!doctype html><html><head><title>{{ config.site_name }}</title>
{% for path in config.extra_css %}<link rel="stylesheet" href="{{ path | url }}">{% endfor %}
{% if page.meta.image %}<meta property="og:image" content="{{ page.meta.image }}">{% endif %}
</head><body>{{ page.content }}
{% if page.meta.by_template %}{{ qhaigc_image(page, "one") }}<a href="{{ qhaigc_url(page, "two") }}">two</a>{% endif %}
</body></html>
""",
    "feed.xml": """<?xml version="1.0"?><rss><channel>{% for file in pages %}<item>
<link>{{ file.page.canonical_url }}</link>
{% if file.page.meta.image %}<enclosure url="{{ file.page.meta.image }}"/>{% endif %}
</item>{% endfor %}</channel></rss>
""",
    "404.html": "<!doctype html><html><body><h1>404</h1></body></html>",
}
FORMS: dict[str, str] = {
    "inline": "![Words](qhaigc:one) and ![](qhaigc:two)",
    "link": "[The image](qhaigc:one)",
    "by definition": "![Words][it]\n\n[it]: qhaigc:two",
    "raw": '<img src="qhaigc:one" alt="Words" width="40">',
    "style": '<p style="background: url(qhaigc:two)">Words</p>',
    "of the site": "![Logo](qhaigc:logo)",
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "formats": (["webp"], ["png"], ["jpeg", "webp"]),
    "widths": ([], [48], [32, 64]),
    "quality": (80, 50),
    "provenance": (True, False, {"prompt": True}),
    "assets_dir": ("assets/qhaigc", "img"),
    "size": ("96x54", "64x64", "2:1", "1:1"),
    "params": (None, {"quality": "low"}),
    "references": (None, ["look.png"], ["logo"]),
    "label": (None, "By a machine", {"text": "By a machine", "cards": True}),
    "style": (None, "ink"),
    "model": ("qh-draw-x2-preview", "qh-draw-x1-pro"),
    "missing": ("generate", "generate", "placeholder", "error"),
    "enabled": (True, True, False),
    "max_new_images": (1000, 1),
    "response_format": ("url", "b64_json"),
    "gallery": ("gallery.md", None),
    "report": ("report.json", None),
    "sizes": ("50vw", None),
    "pins_dir": ("generated-images", "committed"),
}


def slowly(handler: Handler, body: dict[str, Any]) -> None:
    """Take longer than the second of two builds takes to begin, mostly: either order has to be right."""
    handler.server.api.closed.wait(0.3)
    by_url(handler, body)


TROUBLE: dict[str, Behaviour] = {
    "rejects the call": answer(400),
    "refuses the prompt": error(400, "content_policy_violation"),
    "has no quota": error(429, "insufficient_quota"),
    "knows no key": answer(401),
    "fails": answer(500),
    "cuts the connection": disconnect,
    "sends a web page": bytes_by_url(b"<!doctype html><p>no"),
    "sends another size": in_size("80x60", "WEBP"),
    "sends base64": by_base64,
}


EXPLAINED = re.compile(
    "its record is|Git LFS|is a link|has refused this prompt|max_new_images|missing: placeholder|cannot be read"
    "|its reference image|address answered with a web page"  # a kept answer names it, for a day
)
"""Matches the reasons for which a build shows a placeholder although the API makes every image."""

LOOKS = tuple(draw(f"look {number}", 24, 24) for number in range(2))


@dataclass
class PageModel:
    """What an author has written on a page."""

    one: str = "fog"
    two: str = "rain"
    alt: str = "Words"
    forms: tuple[str, ...] = ("inline",)
    dark: bool = False
    placed: bool = False
    card: bool = False
    by_template: bool = False
    focus: str = ""

    def write(self, project: Project, path: str) -> None:
        one: dict[str, Any] = {"prompt": self.one, "alt": self.alt}
        two: dict[str, Any] = {"prompt": self.two, "alt": ""}
        if self.dark:
            one["dark"] = f"{self.one} at night"
        if self.focus:
            one["focus"] = self.focus
        if self.placed:
            two["place"] = "after-title"
        front: dict[str, Any] = {"qhaigc": {"one": one, "two": two}, "by_template": self.by_template}
        if self.card:
            front["image"] = "qhaigc:one"
        project.page(path, "# Title\n\n" + "\n\n".join(FORMS[form] for form in self.forms) + "\n", **front)


page_models = st.builds(
    PageModel,
    one=st.sampled_from(PROMPTS),
    two=st.sampled_from(PROMPTS),
    alt=st.sampled_from(("Words", "Other words")),
    forms=st.lists(st.sampled_from(sorted(FORMS)), min_size=1, max_size=3, unique=True).map(tuple),
    dark=st.booleans(),
    placed=st.booleans(),
    card=st.booleans(),
    by_template=st.booleans(),
    focus=st.sampled_from(("", "top left")),
)


def flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)


def cut(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: dice.randrange(max(1, len(data)))])


def replace_by_another(path: Path, dice: random.Random) -> None:
    others = [other for other in sorted(path.parent.glob(f"*{path.suffix}")) if other != path and other.is_file()]
    if others:
        path.write_bytes(dice.choice(others).read_bytes())


def replace_by_link(path: Path, _: random.Random) -> None:
    target = path.with_name(f"{path.name}.moved")
    path.rename(target)
    path.symlink_to(target)


def change_field(path: Path, dice: random.Random) -> None:
    """Change a field of a record, or a byte of any other file."""
    try:
        record = json.loads(path.read_bytes())
        record[dice.choice(sorted(record))] = dice.choice((None, 2, "x", [], -1))
    except (ValueError, TypeError, IndexError):
        flip(path, dice)
    else:
        path.write_text(json.dumps(record), encoding="utf-8")


DAMAGE: dict[str, Callable[[Path, random.Random], object]] = {
    "flip": flip,
    "cut": cut,
    "html": lambda path, _: path.write_bytes(b"<!doctype html><p>Sign in"),
    "empty": lambda path, _: path.write_bytes(b""),
    "delete": lambda path, _: path.unlink(),
    "another": replace_by_another,
    "field": change_field,
    "link": replace_by_link,
    "pointer": lambda path, _: path.write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"
    ),
}


@dataclass
class SiteLife:
    """A site, what it has bought, and the rules that every build has to keep."""

    folder: Path
    api: ImagesApi
    project: Project = field(init=False)
    pages: dict[str, PageModel] = field(default_factory=dict)
    cut_short: bool = False
    """Whether `site/` is what a build that was killed, or one for another address, has left."""
    builds: int = 0
    """Builds that were looked at."""
    broken: bool = False
    """Whether a promise was broken: then the walk ends."""

    def __post_init__(self) -> None:
        self.project = Project(self.folder / "project", self.api.base_url)
        self.project.options |= {
            "retries": 0,
            "max_new_images": 1000,
            "images": {"logo": {"prompt": "logo", "alt": "", "references": []}},
            "references_by": "json",
            "models": {model: {"sizes": ["96x54", "64x64"]} for model in CHOICES["model"]},
        }
        self.look(1)
        self.project.config |= {
            "theme": {"name": None, "custom_dir": "theme", "static_templates": ["404.html", "feed.xml"]},
            "plugins": [],
        }
        for name, text in THEME.items():
            self.project.write(f"theme/{name}", text)
        self.put("index.md", PageModel())
        self.put("a.md", PageModel(one="snow", two="dusk"))

    def look(self, number: int) -> None:
        """Write one of several images into the file that the option `references` may name."""
        self.project.write("look.png", LOOKS[number])

    def put(self, path: str, page: PageModel) -> None:
        self.pages[path] = page
        page.write(self.project, path)

    def remove(self, path: str) -> PageModel:
        (self.project.docs / path).unlink()
        return self.pages.pop(path)

    def stores(self) -> list[Path]:
        pins_dir = self.project.options.get("pins_dir", "generated-images")
        return [self.project.folder / pins_dir, self.project.cache / "originals"]

    def stored(self, suffixes: tuple[str, ...]) -> list[Path]:
        """Return the files of the stores with these endings."""
        return [
            path
            for folder in self.stores()
            if folder.is_dir()
            for path in sorted(folder.iterdir())
            if path.is_file()
            and not path.is_symlink()
            and re.fullmatch(r".+-[0-9a-f]{16}\.\w+", path.name)
            and path.suffix in suffixes
        ]

    def whole(self) -> set[str]:
        """Return what the API was asked for and is whole in a store: bytes as they were sold, with a fitting record.

        A record that is gone or is no JSON can be made again, and counts as fitting.
        """
        sold = {hashlib.sha256(data).hexdigest(): asked for asked, images in self.api.sold.items() for data in images}
        found = set()
        for path in self.stored((".png", ".jpg", ".webp")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in sold and _fits(path.with_suffix(".json"), digest, path.stem[-16:]):
                found.add(sold[digest])
        return found

    def build(self, *arguments: str, healthy: bool = True) -> Built:
        """Build, and see that everything holds that has to."""
        whole, asked = self.whole(), len(self.api.calls)
        built = self.project.build(*arguments)
        self.look_at(built, whole, asked, healthy=healthy)
        if "--dirty" not in arguments:
            self.cut_short = False
        if built.code == 0 and not self.lacks_images(built):
            digest, asked = built.digest(), len(self.api.calls)
            self.broken, again = True, self.project.build(*arguments)
            assert again.code == 0, again.output
            assert self.api.calls[asked:] == [], f"a second build asks again\n{built.output}\n{again.output}"
            differing = {name for name, _ in again.digest().items() ^ digest.items()}
            if "--dirty" in arguments:  # MkDocs reads no front matter of what it does not build: the feed lacks it
                differing.discard("feed.xml")
            assert not differing, f"a second build differs: {differing}\n{built.output}\n{again.output}"
            self.broken = False
        return built

    def look_at(self, built: Built, whole: set[str], asked: int, *, healthy: bool = True) -> None:
        """See that a build has bought nothing that was whole, and that its site is whole."""
        output, self.broken = built.output, True
        self.builds += 1
        assert "Traceback" not in output, output
        calls = [asked_for(call) for call in self.api.calls[asked:]]
        again = [call for call in calls if call in whole]
        assert not again, f"bought again though its original is whole: {again}\n{output}"
        if self.api.default is by_url:
            unexplained = [line for line in built.warnings if "laceholder" in line and not EXPLAINED.search(line)]
            assert not unexplained, f"a placeholder though the API makes every image\n{output}"
        if healthy:
            assert len(calls) == len(set(calls)), f"bought twice in one build: {calls}\n{output}"
        if self.project.options.get("missing") != "error":
            assert built.code == 0, output
        if built.code == 0:
            wrong = problems(built.site, self.project.config["site_url"])
            assert not wrong, "\n".join([*wrong, output])
        self.broken = False

    def lacks_images(self, built: Built) -> bool:
        return "placeholder" in built.output

    def sync(self) -> None:
        """Run `sync` for a zensical.yml of the same pages, and see that everything holds that has to."""
        self.project.write_zensical_config()
        first = self.command("sync", "-f", "zensical.yml")
        folder = self.project.docs / self.project.options.get("assets_dir", "assets/qhaigc")
        if first.returncode == 0:
            self.broken = True
            for name, digest in json.loads((folder / MANIFEST).read_bytes())["files"].items():
                assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
            assert undecodable(folder) == []
            asked = len(self.api.calls)
            second = self.command("sync", "-f", "zensical.yml", "--json")
            self.broken = True
            assert second.returncode == 0, second.stderr
            assert self.api.calls[asked:] == [], f"a second sync asks again\n{second.stderr}"
            done = json.loads(second.stdout)
            assert (done["written"], done["removed"], done["pinned"]) == ([], [], []), second.stdout + second.stderr
            self.broken = False

    def command(self, *arguments: str) -> CompletedProcess[str]:
        """Run one of our commands, and see that it buys nothing that is whole."""
        self.broken, whole, asked = True, self.whole(), len(self.api.calls)
        finished = run(self.project, *arguments)
        output = finished.stdout + finished.stderr
        assert "Traceback" not in output, output
        again = [call for call in map(asked_for, self.api.calls[asked:]) if call in whole]
        assert not again, f"{arguments[0]} has bought again: {again}\n{output}"
        self.broken = False
        return finished


def _fits(record: Path, digest: str, key: str) -> bool:
    if not record.exists():
        return True
    try:
        content = json.loads(record.read_bytes())
    except ValueError:
        return True
    return isinstance(content, dict) and content.get("sha256") == digest and str(content.get("key", "")).startswith(key)


class Walk(RuleBasedStateMachine):
    """What happens to a site, in any order."""

    builds = 0
    """Of all walks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="qhaigc-life-"))
        self.api = ImagesApi()
        self.api.__enter__()
        self.life = SiteLife(self.folder, self.api)

    def teardown(self) -> None:
        try:
            self.api.default = by_url
            if not self.life.broken:
                self.life.build()
        finally:
            Walk.builds += self.life.builds
            self.api.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)

    # What authors do.

    @rule(path=st.sampled_from(PATHS), page=page_models)
    def write_page(self, path: str, page: PageModel) -> None:
        self.life.put(path, page)

    @rule(data=st.data(), prompt=st.sampled_from(PROMPTS))
    def edit_prompt(self, data: st.DataObject, prompt: str) -> None:
        path = data.draw(st.sampled_from(sorted(self.life.pages)))
        self.life.pages[path].one = prompt
        self.life.put(path, self.life.pages[path])

    @rule(data=st.data(), alt=st.sampled_from(("A tower", "A mast", "")))
    def edit_alt(self, data: st.DataObject, alt: str) -> None:
        path = data.draw(st.sampled_from(sorted(self.life.pages)))
        self.life.pages[path].alt = alt
        self.life.put(path, self.life.pages[path])

    @precondition(lambda self: len(self.life.pages) > 1)
    @rule(data=st.data())
    def remove_page(self, data: st.DataObject) -> None:
        self.life.remove(data.draw(st.sampled_from(sorted(self.life.pages))))

    @rule(data=st.data(), to=st.sampled_from(PATHS))
    def move_page(self, data: st.DataObject, to: str) -> None:
        self.life.put(to, self.life.remove(data.draw(st.sampled_from(sorted(self.life.pages)))))

    @rule(data=st.data(), name=st.sampled_from(sorted(CHOICES)))
    def change_option(self, data: st.DataObject, name: str) -> None:
        value = data.draw(st.sampled_from(CHOICES[name]))
        options = {**self.life.project.options, name: value}
        self.life.project.options = {name: value for name, value in options.items() if value is not None}

    @rule(number=st.integers(0, 1))
    def edit_reference_image(self, number: int) -> None:
        self.life.look(number)

    @rule(site_url=st.sampled_from(("https://example.com/docs/", "https://example.com/", None)))
    def change_site_url(self, site_url: str | None) -> None:
        self.life.project.config["site_url"] = site_url
        self.life.cut_short = True

    # What happens to files.

    @rule(
        how=st.sampled_from(sorted(DAMAGE)),
        records=st.sampled_from((False, False, True)),
        variants_too=st.sampled_from((True, True, False)),
        count=st.integers(1, 4),
        seed=st.integers(0, 99),
    )
    def damage_what_is_stored(self, how: str, records: bool, variants_too: bool, count: int, seed: int) -> None:
        stored = self.life.stored((".json",) if records else (".png", ".jpg", ".webp"))
        # Not drawn by Hypothesis: how many there are may depend on the moment at which a build was killed.
        for path in random.Random(seed).sample(stored, min(count, len(stored))):
            DAMAGE[how](path, random.Random(seed))
        if variants_too:
            shutil.rmtree(self.life.project.cache / "variants", ignore_errors=True)

    @rule(part=st.sampled_from(("all", "database", "database cut", "values", "a value cut")), seed=st.integers(0, 99))
    def lose_variants(self, part: str, seed: int) -> None:
        folder = self.life.project.cache / "variants"
        values = sorted(folder.rglob("*.val"))
        if part == "all":
            shutil.rmtree(folder, ignore_errors=True)
        elif part == "values":
            for value in values:
                value.unlink()
        elif part == "a value cut" and values:
            cut(values[seed % len(values)], random.Random(seed))
        else:
            for database in folder.rglob("cache.db"):
                if part == "database":
                    database.unlink()
                else:
                    cut(database, random.Random(seed))

    @rule(how=st.sampled_from(sorted(DAMAGE)), seed=st.integers(0, 99))
    def damage_indexes_and_answers(self, how: str, seed: int) -> None:
        for folder in ("index", "answers"):
            for path in sorted((self.life.project.cache / folder).glob("*")):
                if path.is_file():
                    DAMAGE[how](path, random.Random(seed))

    @rule()
    def lose_site(self) -> None:
        shutil.rmtree(self.life.project.folder / "site", ignore_errors=True)
        self.life.cut_short = False

    @rule(pinned_first=st.booleans())
    def lose_cache(self, pinned_first: bool) -> None:
        if pinned_first:
            self.life.command("pin")
        shutil.rmtree(self.life.project.cache, ignore_errors=True)

    @rule()
    def pin(self) -> None:
        self.life.command("pin")

    @rule()
    def ask_again(self) -> None:
        self.life.command("generate", "--yes", "--retry-refused")

    # Builds.

    @rule()
    def build(self) -> None:
        self.life.build()

    @rule()
    def build_once_more(self) -> None:
        self.life.build()

    @precondition(lambda self: not self.life.cut_short)
    @rule()
    def build_dirty(self) -> None:
        self.life.build("--dirty")

    @rule(trouble=st.sampled_from(sorted(TROUBLE)))
    def build_with_trouble(self, trouble: str) -> None:
        self.api.default = TROUBLE[trouble]
        try:
            self.life.build(healthy=trouble.startswith("sends"))
        finally:
            self.api.default = by_url

    @rule(trouble=st.sampled_from((None, *sorted(TROUBLE))), seed=st.integers(0, 99))
    def build_of_damaged_images(self, trouble: str | None, seed: int) -> None:
        """The damage is seen only when the images are encoded, after the pages have their addresses."""
        dice = random.Random(seed)
        for path in self.life.stored((".png", ".jpg", ".webp")):
            if dice.random() < 0.5:
                flip(path, dice)
        shutil.rmtree(self.life.project.cache / "variants", ignore_errors=True)
        if trouble:
            self.build_with_trouble(trouble)
        else:
            self.life.build()

    @rule(seconds=st.floats(0.1, 0.9))
    def kill_build(self, seconds: float) -> None:
        process = self.life.project.start("build", "-d", str(self.life.project.folder / "site"))
        time.sleep(seconds)
        process.kill()
        process.communicate()
        self.life.cut_short = True

    @rule(data=st.data())
    def build_two_at_once(self, data: st.DataObject) -> None:
        """Both lack an image, which takes its time: one of them has to wait for the other."""
        path = data.draw(st.sampled_from(sorted(self.life.pages)))
        self.life.pages[path].one = f"new {len(self.api.calls)}"
        self.life.put(path, self.life.pages[path])
        whole, asked = self.life.whole(), len(self.api.calls)
        folders = [self.life.project.folder / site for site in ("site", "beside")]
        self.api.default = slowly
        try:
            processes = [self.life.project.start("build", "-d", str(folder)) for folder in folders]
            outputs = [process.communicate(timeout=60)[0] for process in processes]
        finally:
            self.api.default = by_url
        for process, output, folder in zip(processes, outputs, folders, strict=True):
            self.life.look_at(Built(process.returncode, output, folder), whole, asked)
        self.life.cut_short = False

    @rule()
    def sync(self) -> None:
        self.life.sync()


@pytest.mark.parametrize("part", range(PARTS))
def test_each_build_in_the_life_of_a_site_is_whole_and_buys_nothing_twice(part: int) -> None:
    seed = int(os.environ.get("QHAIGC_LIFE_SEED", "0"))
    if "QHAIGC_LIFE_WALKS" in os.environ and not seed:
        seed = random.SystemRandom().randrange(1, 1 << 32)
    print(f"QHAIGC_LIFE_SEED={seed}")  # noqa: T201 - pytest shows it where a walk fails
    walks, before = -(-WALKS // PARTS), Walk.builds
    machine = hypothesis.seed(seed + part)(type(f"Walk{part}", (Walk,), {}))
    settings = hypothesis.settings(
        max_examples=walks,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate],  # to shrink what depends on moments takes long, and may not end
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settings)
    assert Walk.builds - before >= walks
