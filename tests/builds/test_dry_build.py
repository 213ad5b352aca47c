"""Commands look at a whole build of the site, which generates, encodes and writes nothing."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi
from tests.helpers.commands import run

LATE = """
def on_page_context(context, page, **_):
    '''What a plugin does with pages once every page is read.'''
    page.content += "<p>late</p>"


def on_post_build(config, **_):
    from pathlib import Path
    pages = [path.parent.name for path in Path(config.site_dir).rglob("index.html")]
    print(sorted(pages), "built into", config.site_dir)
"""


def everything(project: Project) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["plan", "check"])
def test_nothing_is_written_into_the_project(project: Project, api: ImagesApi, command: str) -> None:
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc={"hero": "fog"}, image="qhaigc:hero")
    project.config["hooks"] = [str(project.write("hook.py", LATE))]
    project.write_config()
    before = everything(project)
    finished = run(project, command)
    assert finished.returncode == (0 if command == "plan" else 1), finished.stderr
    assert "built into" in finished.stdout + finished.stderr
    assert {path: data for path, data in everything(project).items() if "__pycache__" not in path} == before
    assert api.calls == []


def test_check_reports_an_unknown_name_in_a_template(project: Project, api: ImagesApi) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block footer %}{{ qhaigc_url(page, "heroo") }}{% endblock %}',
    )
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc={"hero": "fog"})
    finished = run(project, "check")
    assert finished.returncode == 1
    assert "there is no image 'heroo'" in finished.stdout + finished.stderr


def test_every_image_of_the_site_is_planned(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "fog", "dark": "night"}})
    project.page("a.md", "# A\n", qhaigc={"unused": "rain"})
    planned = json.loads(run(project, "plan", "--json").stdout)
    assert sorted(one["prompt"] for one in planned["images"]) == ["fog", "night", "rain"]


@pytest.mark.parametrize(("block", "rendered"), [("", False), ("{{ qhaigc_url(page, 'hero') }}", True)])
def test_the_theme_is_rendered_only_if_its_templates_show_images(project: Project, block: str, rendered: bool) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.write(
        "overrides/main.html", f'{{% extends "base.html" %}}{{% block footer %}}{block} FOOTER{{% endblock %}}'
    )
    hook = project.write("hook.py", "def on_post_page(output, **_):\n    print('FOOTER' in output)\n")
    project.config["hooks"] = [str(hook)]
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc="fog")
    finished = run(project, "plan")
    assert str(rendered) in finished.stdout + finished.stderr
    assert "index.md#hero" in finished.stdout


def test_templates_of_any_kind_and_links_of_editors_are_looked_at(project: Project) -> None:
    project.config["theme"] |= {"custom_dir": "overrides", "static_templates": ["feed.xml"]}
    project.write("overrides/feed.xml", "<rss>{{ qhaigc_url(pages[0].page, 'heroo') }}</rss>")
    require_posix("links that anybody may make")
    (project.folder / "overrides/.#main.html").symlink_to("somebody@elsewhere.1234")
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc="fog")
    finished = run(project, "check")
    assert finished.returncode == 1
    assert "there is no image 'heroo'" in finished.stdout + finished.stderr


def test_a_plugin_that_fails_at_the_start_is_one_line(project: Project) -> None:
    hook = project.write("hook.py", "def on_startup(**_):\n    raise KeyError('nothing')\n")
    project.config["hooks"] = [str(hook)]
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog")
    finished = run(project, "plan")
    assert finished.returncode == 1
    assert "cannot be built (KeyError: 'nothing')" in finished.stderr
    assert "Traceback" not in finished.stderr
    hook.unlink()
    project.config["hooks"] = []
    assert "index.md#hero" in run(project, "plan").stdout
