"""What an author has nearly written right, and no engine says a word of."""

from __future__ import annotations

from tests.api import ImagesApi
from tests.commands import answer, run
from tests.conftest import Project

HERO = {"hero": {"prompt": "fog", "alt": "Fog"}}


def told(warnings: list[str]) -> list[str]:
    return [warning.partition("qhaigc: ")[2] for warning in warnings]


def findings(project: Project) -> list[tuple[str, str]]:
    return [(found["kind"], found["message"]) for found in answer(project, "check")["findings"]]


REFERENCES = {
    "Qhaigc": "![x](Qhaigc:hero)",
    "qhiagc": "![x](qhiagc:hero)",
    "QHAIGC": "[![x](https://example.com/a.png)](QHAIGC:hero)",
    "qhaig": "![x](<qhaig:hero#only-dark>)",
    "haigc": "[y]: haigc:hero\n\n![x][y]",
    "Qhaigcs": '<img src="Qhaigcs:hero" alt="x">',
    "qhaicg": "<div style=\"background: url('qhaicg:hero')\">x</div>",
}


def test_a_picture_that_is_shown_nowhere_for_its_misspelt_scheme_is_a_warning_with_page_and_line(
    project: Project,
) -> None:
    project.page("index.md", "# Home\n")
    expected = []
    for number, (scheme, reference) in enumerate(REFERENCES.items()):
        project.page(f"guide/{number}.md", f"# A\n\n{reference}\n", qhaigc=HERO)
        expected.append(f"guide/{number}.md, line 6: '{scheme}:hero' is no reference. Write `qhaigc:hero`")
    cold, warm = project.build(site="cold"), project.build(site="warm")
    assert sorted(told(cold.warnings)) == sorted(told(warm.warnings)) == expected
    assert sorted(findings(project)) == [("reference", message) for message in expected]
    assert project.build("--strict").code == 1


def test_a_misspelt_scheme_in_what_a_page_includes_is_told_without_a_line(project: Project) -> None:
    project.write("part.md", "![x](Qhaigc:hero)\n")
    project.config["markdown_extensions"] = [{"pymdownx.snippets": {"base_path": str(project.folder)}}]
    project.page("index.md", '# Home\n\n--8<-- "part.md"\n', qhaigc=HERO)
    assert told(project.build().warnings) == ["index.md: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`"]


def test_check_finds_every_misspelt_scheme(project: Project, api: ImagesApi) -> None:
    """Also where the picture is shown elsewhere, and on pages that declare nothing; builds look at none of these."""
    project.options["images"] = {"logo": {"prompt": "a kite", "alt": "A kite"}}
    project.page("index.md", "![](qhaigc:hero) ![](qhaigc:logo)\n\n![x](Qhaigc:hero)\n", qhaigc=HERO)
    project.page("b.md", "# B\n\n![x](QHAIGC:logo)\n")
    project.write("docs/c.md", "---\nimage: Qhaigc:logo\n---\n# C\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert findings(project) == [
        ("reference", "index.md, line 6: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`"),
        ("reference", "b.md, line 3: 'QHAIGC:logo' is no reference. Write `qhaigc:logo`"),
        ("reference", "c.md, line 2: 'Qhaigc:logo' is no reference. Write `qhaigc:logo`"),
    ]


def test_what_only_looks_like_a_misspelt_scheme_is_nobodys_slip(project: Project) -> None:
    project.page(
        "index.md",
        "# Home\n\nQhaigc:hero, `![x](Qhaigc:hero)` and [magic](magic:hero), [mail](mailto:hero@example.com)\n\n"
        '```\n![x](qhiagc:hero)\n```\n\n<p title="qhiagc:hero">x</p>\n\n<!-- ![x](Qhaigc:hero) -->\n\n'
        "    ![x](Qhaigc:hero)\n",
        qhaigc=HERO,
        image="qhaigc:hero",
        description="Qhaigc: hero, qhiagc:hero",
    )
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert findings(project) == []


def test_sync_finds_misspelt_schemes(project: Project) -> None:
    project.page("index.md", "# Home\n\n![x](Qhaigc:hero)\n", qhaigc=HERO)
    finished = run(project, "sync", "--out", "docs/assets/qhaigc")
    assert "Warning: index.md, line 6: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`" in finished.stderr
