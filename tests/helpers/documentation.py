"""The code blocks of the documentation: where they stand, what they are, and a project that builds or runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from PIL import Image

from tests.conftest import SMALL, Project
from tests.helpers.api import KEY
from tests.helpers.commands import git

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = "../README.md"
PAGES = [README, *sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))]
"""Relative to `docs`."""
_SERVES = "mkdocs-qhaigc studio"
_UNTIL_CTRL_C = "timeout --signal=INT --preserve-status 15"
_INSTALLS = ("pip install ", "python3 -m venv ")
"""Beginnings of lines that a test does not run: what they install is there. `.ci/run` runs those of the README."""
_RECIPES = ("deploy.md", "pull-requests.md", "github-action.md")
_SCRIPTS = ("deploy.sh", "generate.sh", "preview.sh", "build.sh", ".git/hooks/pre-commit")
_BLOCK = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^ *(?P=fence)$", re.M | re.S)
_REFERENCE = re.compile(r"qhaigc:([\w-]+)")


@dataclass(frozen=True)
class Block:
    """One code block of a page."""

    page: str
    line: int
    language: str
    title: str
    """The file that it is, or what its title says; empty without one."""
    text: str
    """Without the indentation of its fence."""

    @property
    def where(self) -> str:
        return f"docs/{self.page}, line {self.line}"


def blocks(page: str, section: str = "") -> list[Block]:
    """Return the code blocks of a page, or of one of its sections, in their order, those of content tabs too."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if section:
        text = text.partition(f"## {section}")[2].partition("\n## ")[0]
        assert text, f"docs/{page} has no section {section}"
    return list(_blocks(page, text))


def _blocks(page: str, text: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(text):
        language = re.match(r"[\w-]*", match["info"].strip())
        title = re.search(r'title="([^"]*)"', match["info"])
        lines = match["text"].splitlines(keepends=True)
        body = "".join(line.removeprefix(match["indent"]) for line in lines)
        yield Block(
            page,
            text.count("\n", 0, match.start()) + 1,
            language[0] if language else "",
            title[1] if title else "",
            body,
        )


CONFIG = """site_name: Test
site_url: https://example.com/docs/
theme: {name: mkdocs, highlightjs: false, custom_dir: overrides}
markdown_extensions: [attr_list, md_in_html, admonition]
plugins:
  - search
  - qhaigc: {base_url: "%s", size: %s}
"""
PAGE = """---
qhaigc:
  hero:
    prompt: A white lighthouse at the end of a granite breakwater, blue hour, the lamp just lit
    alt: A lighthouse at the end of a breakwater at dusk
---
# Night harbor

![](qhaigc:hero)
"""


class Reader:
    """Somebody who does, in a project of their own, what the code blocks of a page say, one after the other.

    Args:
        folder: Of the project.
        page: The page.
        service: Of the project's images, in the place of any that the page names: the sandbox, or an address.
    """

    def __init__(self, folder: Path, page: str, service: str = "sandbox") -> None:
        self._service = service
        self._blocks = blocks(page)
        self._project = Project(folder, service)
        prints = any(block.language == "console" for block in self._blocks)
        self._config = CONFIG % (service, "1280x720" if prints else SMALL)
        self._pages = 0
        self._project.write("docs/index.md", PAGE)
        self._project.write("requirements.txt", "")
        self._project.write("overrides/.keep", "")
        Image.new("RGB", (96, 54), "teal").save(self._project.folder / "photo.jpg")
        for name in ("fox.png", "docs/palette.png"):
            Image.new("RGB", (64, 64), "brown").save(self._project.folder / name)
        git(self._project.folder, "init", "--quiet")
        for block in self._blocks:  # a configuration may name a file that stands below it
            if block.language == "python" and block.title:
                self._project.write(block.title, block.text)
        self._write_config(self._config)

    def follow(self) -> list[Block]:
        """Do what each block says, and return the blocks that were done.

        Raises:
            AssertionError: one cannot be done. The message names its line.
        """
        done = []
        for block in self._blocks:
            try:
                self._do(block)
            except AssertionError as error:
                raise AssertionError(f"{block.where}: {error}") from None
            done.append(block)
        return done

    def _do(self, block: Block) -> None:
        if block.language == "text":
            return
        if block.language == "json":
            json.loads(block.text)
        elif block.title in _SCRIPTS:
            assert block.page in _RECIPES, "recipes stand where test_recipes.py and test_container.py run them"
        elif block.language == "bash":
            self._run(block.text)
        elif block.language == "console":
            self._compare(block.text)
        elif block.language == "toml":
            self._write_toml(block)
        elif block.title == "front matter":
            self._build_front_matter(block.text)
        elif block.title in ("mkdocs.yml", "properdocs.yml"):
            self._write_config(_asking(self._service, block.text), base=self._config)
            self._build()
        elif block.title.endswith("/mkdocs.yml"):
            self._build_part_of_site(block)
        elif block.title == "zensical.yml":
            self._project.write("zensical.yml", block.text)
        elif block.language == "markdown" or (block.language == "html" and not block.title):
            self._build_page(block)
        elif block.title.startswith(".") and block.language == "yaml":
            yaml.safe_load(block.text)
            assert block.page in _RECIPES, "recipes stand where test_recipes.py runs them"
        elif _is_file(block):
            self._project.write(block.title, block.text)
            if block.title.startswith("overrides/"):
                self._build()
        else:
            raise AssertionError(f"a block of {block.language!r} with the title {block.title!r} is not known here")

    def _write_config(self, text: str, base: str = "") -> None:
        """Write mkdocs.yml: what the text leaves out is as in `base`."""
        given = set(re.findall(r"^(\w+):", text, re.MULTILINE))
        parts = re.split(r"^(?=\w+:)", base, flags=re.MULTILINE)
        kept = [part for part in parts if part and part.partition(":")[0] not in given]
        self._project.yaml = "".join(kept) + text
        self._project.write_config()

    def _build(self) -> None:
        for variable in re.findall(r"api_key_env: (\w+)", self._project.yaml or ""):
            self._project.environment[variable] = KEY
        placeholders = "missing: placeholder" in (self._project.yaml or "")  # each of which is a warning
        built = self._project.build(*([] if placeholders else ["--strict"]))
        assert built.code == 0, built.output
        for file in self._project.folder.glob("docs/part-*.md"):
            file.unlink()

    def _build_part_of_site(self, block: Block) -> None:
        """Build a site within the site, such as a project."""
        whole, self._project.config_file = self._project.config_file, block.title
        self._project.write(str(Path(block.title).with_name("docs") / "index.md"), PAGE)
        self._project.write(str(Path(block.title).with_name("overrides") / ".keep"), "")
        self._write_config(_asking(self._service, block.text), base=self._config)
        self._build()
        self._project.config_file = whole
        self._write_config(self._config)

    def _build_page(self, block: Block) -> None:
        """Build a page, or a part of one, whose images are declared for it."""
        if block.title:
            assert block.title.startswith("docs/"), "a page is in docs/"
            self._project.write(block.title, block.text)
        else:
            names = sorted(set(_REFERENCE.findall(block.text)))
            declared = json.dumps({name: {"prompt": f"A lighthouse, {name}", "alt": "x"} for name in names})
            self._project.write("docs/part-page.md", f"---\nqhaigc: {declared}\n---\n\n{block.text}")
        self._build()

    def _build_front_matter(self, text: str) -> None:
        """Build a page with this front matter, which shows all of its images."""
        content = yaml.safe_load(text)
        assert isinstance(content, dict), "a front matter is a mapping"
        if "qhaigc" not in content:
            text += "qhaigc: A lighthouse in fog\n"
        declared = content.get("qhaigc", "")
        alone = isinstance(declared, str) or not isinstance(declared.get("prompt", {}), dict)
        names = ["hero"] if alone else list(declared)
        shown = "\n\n".join(f"![An image](qhaigc:{name})" for name in names)
        self._project.write("docs/part-front-matter.md", f"---\n{text}---\n# Page\n\n{shown}\n")
        self._build()

    def _write_toml(self, block: Block) -> None:
        assert block.title == "zensical.toml"
        text = block.text.replace("[project.plugins.qhaigc]", '[project.plugins.qhaigc]\nbase_url = "sandbox"')
        self._project.write("zensical.toml", text)

    def _run(self, script: str) -> str:
        """Run commands as a shell of the project's environment does, and return what they print."""
        lines = [line for line in script.splitlines() if not line.startswith(_INSTALLS)]
        lines = [f"{_UNTIL_CTRL_C} {line} --port 0" if line == _SERVES else line for line in lines]
        finished = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=self._project.folder,
            env={
                **self._project.environ(),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "COLUMNS": "80",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout
        return finished.stdout

    def _compare(self, text: str) -> None:
        """Run the commands after `$`, and compare what they print with the lines below each."""
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", text, re.MULTILINE):
            printed = self._run(f"{command} || true").replace(" -h' for help.", " --help' for help.")  # older click
            assert _steady(printed, self._project.folder) == _steady(expected, self._project.folder), printed


def _is_file(block: Block) -> bool:
    return bool(block.title) and block.language in ("jinja", "html", "css", "python", "gitignore", "gitattributes")


def _asking(service: str, config: str) -> str:
    """Return a configuration whose plugin asks this service, whichever it names."""
    if "qhaigc" not in config:
        config = config.replace("plugins:\n", "plugins:\n  - qhaigc\n")
    config = re.sub(r"\bbase_url: (?!sandbox|!ENV)[^\s,}]+", f'base_url: "{service}"', config)
    if "base_url:" in config:
        return config
    config = re.sub(r"^( *)- qhaigc:\n", rf'\1- qhaigc:\n\1    base_url: "{service}"\n', config, flags=re.MULTILINE)
    config = re.sub(r"^( *)- qhaigc: \{", rf'\1- qhaigc: {{base_url: "{service}", ', config, flags=re.MULTILINE)
    return re.sub(r"^( *)- qhaigc *(#.*)?$", rf'\1- qhaigc: {{base_url: "{service}"}}', config, flags=re.MULTILINE)


def _steady(printed: str, folder: Path) -> list[str]:
    """Return the lines of what was printed, without what differs from one run to the next."""
    printed = printed.replace(f"{folder}/", "")
    printed = re.sub(r"\d+\.\d+ (s|seconds)\b", r"0.0 \1", printed)
    return [line.rstrip() for line in printed.strip().splitlines()]
