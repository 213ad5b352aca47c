"""The mistakes of somebody who writes the first directives: one message each, with file, line and remedy."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.helpers.api import Behaviour, ImagesApi, answer, by_base64, error
from tests.helpers.commands import run

BODY = "\n# Page\n\n![](qhaigc:hero)\n"


def warnings_of(project: Project) -> list[str]:
    """Return the warnings of a build, without their beginning."""
    return [line.partition("qhaigc: ")[2] for line in project.build().warnings]


def test_each_mistake_of_a_directive_is_a_message_with_its_line(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "# Home\n")
    project.write(
        "docs/a.md",
        f"---\ntitle: A\nqhaigc:\n  hero:\n    prompt: A lighthouse\n    size: 1024\n\n    alt: 3\n---\n{BODY}",
    )
    project.write("docs/b.md", f"---\nqhaigc: {{prompt: A lighthouse,\n  place: bottom,\n  seed: 42}}\n---\n{BODY}")
    project.write("docs/c.md", f"---\ntitle: C\nqhaigc:\n---\n{BODY}")
    project.write("docs/d.md", f"---\nqhaigc:\n  hero:\n    alt: x\n  hero:\n    size: 12\n---\n{BODY}")

    warnings = warnings_of(project)

    assert [warning.partition(". ")[0] for warning in warnings] == [
        "a.md, line 6, image 'hero': `size` is 1024 (a number)",
        "a.md, line 8, image 'hero': `alt` is 3 (a number)",
        "b.md, line 3, image 'hero': `place` is 'bottom'",
        "b.md, line 4, image 'hero': `seed` is a field of the API's request body",
        "c.md, line 3: `qhaigc` is empty",
        "d.md, line 5, image 'hero': `prompt` is missing",
        "d.md, line 6, image 'hero': `size` is 12 (a number)",
        "d.md, line 5: 'hero' is on line 3 already; the last one alone counts",
    ]
    assert not api.calls
    check = run(project, "check")
    assert [warning for warning in warnings if warning not in check.stdout] == []
    check = run(project, "check", "docs/a.md", "docs/b.md", "docs/c.md", "docs/d.md")
    assert [warning for warning in warnings if warning not in check.stdout] == []


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("qhaigc:\n  hero: A lighthouse: in fog", "index.md, line 3: the front matter is no YAML"),
        ("qhagic:\n  hero: A lighthouse", "index.md, line 2: the key 'qhagic'"),
        ("qhaigc: {promt: A lighthouse, alt: x}", "index.md, line 2: `qhaigc` has the field `alt`"),
        ("qhaigc:\n  hero: {promt: A lighthouse}", "index.md, line 3, image 'hero': there is no field 'promt'"),
    ],
)
def test_what_cannot_be_read_is_one_message(project: Project, front: str, message: str) -> None:
    project.write("docs/index.md", f"---\n{front}\n---\n{BODY}")

    warnings = warnings_of(project)
    check = run(project, "check", "docs/index.md")

    assert len(warnings) == 1
    assert warnings[0].startswith(message)
    assert check.stdout.startswith(message)
    assert check.stdout.splitlines()[-2:-1] == ["Found 1 problem."]


def test_a_template_tag_in_a_prompt_is_a_warning_and_not_bought(project: Project, api: ImagesApi) -> None:
    project.page("index.md", BODY, qhaigc={"hero": {"prompt": "A {{ place }} in fog", "alt": "x"}})

    built = project.build()
    bought = run(project, "generate", "--yes")

    assert len(built.warnings) == 1
    assert "index.md, line 2, image 'hero': `prompt` holds '{{ place }}', which nothing fills in" in built.warnings[0]
    assert "1 placeholder" in built.summary
    assert built.warnings[0].partition("qhaigc: ")[2] in bought.stderr
    assert not api.calls


def test_a_template_tag_in_the_style_of_the_site_is_refused(project: Project) -> None:
    project.page("index.md", BODY, qhaigc="A lighthouse")
    project.options |= {"style": "in {{ colour }}"}

    built = project.build()

    assert built.code == 1
    assert "qhaigc: option `style`: `style` holds '{{ colour }}', which nothing fills in" in built.output


def test_all_mistakes_of_the_option_images_are_in_one_message(project: Project) -> None:
    project.page("index.md", "# Home\n")
    project.options |= {"images": {"logo": {"prompt": "A kite", "size": 1024, "alt": 3}, "mark": {"seed": 42}}}

    built = project.build()

    assert built.code == 1
    assert "image 'logo': `size` is 1024 (a number). Write WIDTHxHEIGHT" in built.output
    assert "image 'logo': `alt` is 3" in built.output
    assert "image 'mark': `prompt` is missing" in built.output
    assert "image 'mark': `seed` is a field of the API's request body. Write `params: {seed: 42}`" in built.output


def test_a_field_of_the_request_body_is_no_option(project: Project) -> None:
    project.page("index.md", "# Home\n")
    project.options |= {"seed": 42}

    built = project.build()

    assert built.code == 1
    assert "`seed` is a field of the API's request body. Write it under `params`" in built.output


def test_a_key_is_not_sent_over_plain_http_to_another_machine_unless_that_is_allowed(
    project: Project, api: ImagesApi
) -> None:
    api.default = by_base64
    project.page("index.md", BODY, qhaigc={"hero": {"prompt": "A", "alt": "x"}})
    project.options |= {"base_url": "http://api.example/v1"}
    project.environment |= {"http_proxy": api.origin}  # the server of the tests, in the place of api.example

    built = project.build()
    bought = run(project, "generate", "--yes")

    message = (
        "the key is not sent to http://api.example/v1, for everybody on the way could read it. Write `https://` in "
        "`base_url`, or, within a network that you trust, `allow_http: true`"
    )
    assert len(built.warnings) == 1
    assert built.warnings[0].endswith(f"1 image is a placeholder (index.md#hero): {message}")
    assert f"Error: 1 image (index.md#hero): {message}." in bought.stderr
    assert not api.calls

    project.options |= {"allow_http": True}
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


REFUSED = {"type": "invalid_request_error", "message": "the server's words", "code": None}


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answer(404, {"detail": "Not Found"}), "404: Not Found. Check `base_url`"),
        (error(404, "model_not_found"), "404 (model_not_found): the server's words. Check `model`"),
        (error(400, "invalid_size"), "400 (invalid_size): the server's words. Check `size`"),
        (answer(400, {"error": {**REFUSED, "param": "size"}}), "the server's words. Check `size`"),
        (answer(400, {"error": {**REFUSED, "param": "quality"}}), "the server's words. Check `quality` under `params`"),
    ],
    ids=["address", "model", "size-code", "size", "field"],
)
def test_one_wrong_setting_is_one_message_for_all_its_images(
    project: Project, api: ImagesApi, behaviour: Behaviour, words: str
) -> None:
    api.default = behaviour
    images = {f"n{number}": {"prompt": f"P{number}", "alt": "x"} for number in range(4)}
    project.page("index.md", "\n".join(f"![](qhaigc:{name})" for name in images), qhaigc=images)
    named = ", ".join(f"index.md#{name}" for name in images)

    warnings = warnings_of(project)
    bought = run(project, "generate", "--yes")

    assert len(warnings) == 1
    assert warnings[0].startswith(f"4 images are placeholders ({named}): the API answered ")
    assert words in warnings[0]
    errors = [line for line in bought.stderr.splitlines() if line.startswith("Error")]
    assert len(errors) == 1
    assert errors[0].startswith(f"Error: 4 images ({named}): the API answered ")


def test_refused_prompts_are_messages_of_their_own_and_numbers_of_requests_make_none(
    project: Project, api: ImagesApi
) -> None:
    api.script = [error(400, "bad", f"no such quality (request id: 2026{number}abc)") for number in range(2)]
    api.by_prompt = {f"P{number}": [error(400, "content_policy_violation")] for number in range(2)}
    images = {f"n{number}": {"prompt": f"P{number}", "alt": "x"} for number in range(4)}
    project.page("index.md", "\n".join(f"![](qhaigc:{name})" for name in images), qhaigc=images)

    warnings = warnings_of(project)

    assert [warning.partition(": ")[0] for warning in warnings] == [
        "index.md#n0",
        "index.md#n1",
        "2 images are placeholders (index.md#n2, index.md#n3)",
    ]


def test_an_image_that_is_shown_nowhere_is_named_with_the_ways_to_show_it(project: Project) -> None:
    shown = {
        "linked": {"prompt": "A", "alt": "x"},
        "placed": {"prompt": "B", "alt": "x", "place": "top"},
        "card": {"prompt": "C", "alt": "x"},
        "themed": {"prompt": "D", "alt": "x"},
        "pair": {"prompt": "E", "dark": "F", "alt": "x"},
        "forgotten": {"prompt": "G", "alt": "x"},
        "same": {"prompt": "A", "alt": "x"},
    }
    project.options |= {"images": {"logo": {"prompt": "A kite", "alt": "x"}}}
    project.config["theme"] = {"name": "mkdocs", "highlightjs": False, "custom_dir": "theme"}
    template = '{% extends "base.html" %}{% block content %}{{ page.content }}{% if page.meta.themed %}'
    project.write("theme/main.html", template + '{{ qhaigc_image(page, "themed") }}{% endif %}{% endblock %}')
    body = "# Home\n\n[x](qhaigc:linked) ![x](qhaigc:pair)\n"
    project.page("index.md", body, themed=True, image="qhaigc:card", qhaigc=shown)
    message = (
        "index.md, line 2: image 'forgotten' is shown nowhere. Refer to it, `![](qhaigc:forgotten)`, or write "
        "`place: after-title` into its directive; or remove it"
    )

    built = project.build("--strict")

    assert built.code == 0, built.output  # it is advice
    assert built.output.count(message) == built.output.count("shown nowhere") == 1
    assert [line for line in run(project, "plan").stderr.splitlines() if line] == [f"Warning: {message}"]
    assert run(project, "check").stdout.count(message) == 1
    assert "shown nowhere" not in run(project, "check", "docs/index.md").stdout

    project.options["gallery"] = "images.md"
    assert "shown nowhere" not in project.build("--strict").output
    assert "shown nowhere" not in run(project, "check").stdout


def test_on_a_page_with_a_wrong_reference_that_is_the_warning(project: Project) -> None:
    images = {"hero": {"prompt": "A", "alt": "x"}}
    for number, written in enumerate(("qhaigc:hreo", "Qhaigc:hero", "qhaigc: hero")):
        project.page(f"p{number}.md", f"# P\n\n![x]({written})\n", qhaigc=images)

    built = project.build()

    assert len(built.warnings) == 3
    assert "shown nowhere" not in built.output


@pytest.mark.parametrize("name", ["mkdocs-qhaigc", "mkdocs_qhaigc"])
def test_the_name_of_the_package_in_place_of_the_plugins_is_explained(project: Project, name: str) -> None:
    project.page("index.md", "# Home\n")
    project.yaml = f"site_name: Test\nplugins:\n  - {name}: {{base_url: sandbox}}\n"
    message = "mkdocs-qhaigc is the name of the package; the plugin's is qhaigc. Write `- qhaigc`"

    built = project.build()

    assert built.code == 1
    assert f"Config value 'plugins': {message}" in built.output
    assert "Traceback" not in built.output
    assert message in run(project, "plan").stderr


def test_plans_markdown_has_an_image_once_with_all_its_places(project: Project) -> None:
    for page in ("a.md", "b.md"):
        project.page(page, BODY, qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})

    lines = run(project, "plan", "--format", "markdown").stdout.splitlines()

    assert lines[0].startswith("**1 image: 1 missing.")
    assert [line.partition(" | qh")[0] for line in lines if "A tower" in line] == ["| `a.md#hero`, `b.md#hero`"]


def test_a_name_that_is_declared_twice_is_a_warning_in_builds(project: Project) -> None:
    project.write(
        "docs/index.md", f"---\nqhaigc:\n  hero: {{prompt: A, alt: x}}\n  hero: {{prompt: B, alt: y}}\n---\n{BODY}"
    )

    built = project.build("--strict")

    assert built.code == 1
    assert "index.md, line 4: 'hero' is on line 3 already; the last one alone counts. Rename or" in built.output


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("![](qhaigc: hero)", "'qhaigc: hero' is no reference. Write `qhaigc:hero`"),
        ("[large](qhaigc: hero)", "'qhaigc: hero' is no reference. Write `qhaigc:hero`"),
        ("![](qhaigc:)", "'qhaigc:' is no reference. Write `qhaigc:` and a name, with no blank. Known on this page"),
        ("![](qhaigc:my image)", "'qhaigc:my image' is no reference. Write `qhaigc:my-image`"),
        ('![](<qhaigc:my image> "Title")', "'qhaigc:my image' is no reference. Write `qhaigc:my-image`"),
        ('![](qhaigc: hero "Title")', "'qhaigc: hero' is no reference. Write `qhaigc:hero`"),
        ('<img src="qhaigc: hero">', "'qhaigc: hero' is no reference. Write `qhaigc:hero`"),
        ("![](qhaigc:zzz zzz)", "'qhaigc:zzz zzz' is no reference. Write `qhaigc:` and a name, with no blank. Known"),
    ],
)
def test_what_is_nearly_a_reference_is_named_by_its_line(project: Project, written: str, message: str) -> None:
    images = {"hero": {"prompt": "A", "alt": "x"}, "my-image": {"prompt": "B", "alt": "x"}}
    project.page("index.md", f"{BODY}\n`![](qhaigc: hero)`\n\n![](qhaigc:my-image)\n\n{written}\n", qhaigc=images)
    line = project.folder.joinpath("docs/index.md").read_text().split("\n").index(written) + 1

    warnings = warnings_of(project)
    check = run(project, "check", "docs/index.md")

    assert len(warnings) == 1
    assert warnings[0].startswith(f"index.md, line {line}: {message}")
    assert warnings[0] in check.stdout


def test_what_is_nearly_a_reference_on_a_page_without_images_says_that_one_must_be_declared(project: Project) -> None:
    project.page("index.md", "![](qhaigc: hero)\n")

    assert [warning.partition(". ")[2] for warning in warnings_of(project)] == [
        "Write `qhaigc:NAME`, and declare an image of that name under `qhaigc` in the front matter"
    ]


def test_what_is_nearly_a_reference_in_front_matter_is_named_by_its_line(project: Project) -> None:
    project.write(
        "docs/index.md",
        '---\ndescription: "qhaigc: a plugin"\nimage: "qhaigc: hero"\nqhaigc: {hero: {prompt: A, alt: x}}\n---\n'
        + BODY,
    )

    assert warnings_of(project) == ["index.md, line 3: 'qhaigc: hero' is no reference. Write `qhaigc:hero`"]


def test_a_reference_that_a_plugin_fills_in_is_no_mistake_in_its_source(project: Project) -> None:
    project.page("index.md", "# Home\n\n![](qhaigc:{{ name }})\n", qhaigc={"hero": {"prompt": "A", "alt": "x"}})

    assert "no reference" not in run(project, "check", "docs/index.md").stdout
