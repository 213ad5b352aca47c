"""`mkdocs-qhaigc init`: a site gets the plugin, and the steps that it prints lead to an image."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require_posix
from tests.helpers.commands import COMMAND

pytestmark = pytest.mark.slow


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(COMMAND).with_name(program)), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_steps_that_it_prints_lead_to_an_image(tmp_path: Path) -> None:
    config = tmp_path / "mkdocs.yml"
    config.write_text("site_name: x  # mine\n", encoding="utf-8")
    config.chmod(0o640)
    page = tmp_path / "docs/index.md"
    page.parent.mkdir()
    finished = run(tmp_path, "mkdocs-qhaigc", "init")
    assert finished.returncode == 0, finished.stderr
    assert config.read_text(encoding="utf-8") == (
        "site_name: x  # mine\n\nplugins:\n  - search\n  - qhaigc: {base_url: sandbox}\n"
    )
    assert config.stat().st_mode & 0o777 == 0o640
    shown = re.search(r"---\n.*?---\n", finished.stdout, re.DOTALL)
    reference = re.search(r"!\[.*\]\(qhaigc:.*\)", finished.stdout)
    assert shown
    assert reference
    front_matter = re.sub("(?m)^ *", "", shown[0])
    page.write_text(f"{front_matter}# Home\n\n{reference[0]}\n", encoding="utf-8")
    built = run(tmp_path, "mkdocs", "build", "--strict")
    assert built.returncode == 0, built.stderr
    assert list((tmp_path / "site/assets/qhaigc").glob("hero-*.webp"))
    again = run(tmp_path, "mkdocs-qhaigc", "init")
    assert again.stdout.startswith("mkdocs.yml lists the plugin already.\n")
    assert "The sandbox has drawn the image" in again.stdout


def test_where_a_service_is_configured_it_does_not_speak_of_the_sandbox(tmp_path: Path) -> None:
    config = "site_name: x\nplugins:\n  - qhaigc\n# base_url: sandbox\n"
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    finished = run(tmp_path, "mkdocs-qhaigc", "init")
    assert finished.returncode == 0, finished.stderr
    assert "sandbox" not in finished.stdout
    assert "`mkdocs-qhaigc plan`, which lists the image, and buys nothing" in finished.stdout


def test_a_configuration_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "shared.yml"
    real.write_text("site_name: x\n", encoding="utf-8")
    require_posix("links that anybody may make")
    (tmp_path / "mkdocs.yml").symlink_to(real)
    assert run(tmp_path, "mkdocs-qhaigc", "init").returncode == 0
    assert (tmp_path / "mkdocs.yml").is_symlink()
    assert "qhaigc" in real.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("mkdocs.yml", "site_name: x\nplugins: !ENV PLUGINS\n", "mkdocs.yml was not changed: its list of plugins is"),
        ("mkdocs.yml", "site_name: [\n", "mkdocs.yml cannot be read"),
        ("zensical.toml", '[project]\nsite_name = "x"\n', "zensical.toml is a site of Zensical"),
        ("other.yml", "site_name: x\n", "has no mkdocs.yml"),
    ],
)
def test_what_cannot_be_changed_is_left_as_it_is(tmp_path: Path, file: str, text: str, words: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    finished = run(tmp_path, "mkdocs-qhaigc", "init")
    assert finished.returncode == 1
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr
    assert (tmp_path / file).read_text(encoding="utf-8") == text
