"""The plugin is added to the text of an mkdocs.yml, of which nothing else changes."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.config.add_plugin import add_plugin
from mkdocs_qhaigc.errors import EditError

ENTRY = "qhaigc: {base_url: sandbox}"


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("site_name: x\n", f"site_name: x\n\nplugins:\n  - search\n  - {ENTRY}\n"),
        ("site_name: x", f"site_name: x\n\nplugins:\n  - search\n  - {ENTRY}\n"),
        ("plugins:\n- search\nextra:\n  a: 1\n", f"plugins:\n- search\n- {ENTRY}\nextra:\n  a: 1\n"),
        ("plugins:\n  - search  # why\n  # - old\n", f"plugins:\n  - search  # why\n  - {ENTRY}\n  # - old\n"),
        (
            "plugins:\n  - tags:  # c\n      a: 1  # x\n\n# more\nnav: []\n",
            f"plugins:\n  - tags:  # c\n      a: 1  # x\n  - {ENTRY}\n\n# more\nnav: []\n",
        ),
        (
            "plugins:\n  - a:\n      t: |\n        b\n\n\nn: 1\n",
            f"plugins:\n  - a:\n      t: |\n        b\n  - {ENTRY}\n\n\nn: 1\n",
        ),
        ("plugins: [search]\nsite_name: x", f"plugins: [search, {{{ENTRY}}}]\nsite_name: x"),
        ("plugins: {search: {}}\n", f"plugins: {{search: {{}}, {ENTRY}}}\n"),
        (
            "plugins:\n  search: {}\n  tags:\n    a: 1\nx: !!python/name:material.x\ny: !ENV [A, b]\n",
            f"plugins:\n  search: {{}}\n  tags:\n    a: 1\n  {ENTRY}\nx: !!python/name:material.x\ny: !ENV [A, b]\n",
        ),
        ("a: 1\r\nplugins:\r\n  - search\r\n", f"a: 1\r\nplugins:\r\n  - search\r\n  - {ENTRY}\r\n"),
    ],
)
def test_an_entry_is_added_to_the_plugins(text: str, edited: str) -> None:
    assert add_plugin(text) == edited


@pytest.mark.parametrize(
    "text", ["plugins:\n  - qhaigc\n", "plugins:\n  qhaigc: {}\n", "plugins: [{qhaigc: {size: 1x1}}]"]
)
def test_a_plugin_that_is_listed_is_not_added(text: str) -> None:
    assert add_plugin(text) is None


@pytest.mark.parametrize(
    "text",
    ["plugins: !ENV X\n", "plugins:\n", "plugins: []\n", "INHERIT: base.yml\n", "{site_name: x}", "- a", "a: [", ""],
)
def test_what_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        add_plugin(text)
