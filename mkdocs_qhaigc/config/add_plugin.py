"""Adding the plugin to the text of an mkdocs.yml, and changing nothing else of it. Pure.

The text is never dumped from its values, which would lose comments and order: an entry is inserted where PyYAML says
that the list of plugins ends. The result is read back, and kept only if it has one plugin more and is else the same.
"""

from __future__ import annotations

from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc.errors import EditError

ENTRY = "qhaigc: {base_url: sandbox}"
"""The entry that is added: to be tried out without a key."""
_NAME, _OPTIONS = "qhaigc", {"base_url": "sandbox"}
_BY_HAND = f"Add `- {ENTRY}` to `plugins` yourself"


def add_plugin(text: str) -> str | None:
    """Return the text of an mkdocs.yml with the plugin in its list of plugins; `None` if it is listed already.

    Raises:
        EditError: there is no small edit that adds it.
    """
    try:
        values = yaml.load(text, loader=_Loader)
        root = yaml.compose(text)
    except yaml.ERRORS as error:
        raise EditError(f"it is no YAML ({error})") from error
    if not isinstance(values, dict) or not isinstance(root, yaml.MappingNode):
        raise EditError("it is no mapping of options")
    if _NAME in _names(values.get("plugins")):
        return None
    edited = _edited(text, root, inherits="INHERIT" in values)
    try:
        after = yaml.load(edited, loader=_Loader)
    except yaml.ERRORS as error:
        raise EditError(f"its list of plugins is written in an unusual way. {_BY_HAND}") from error
    if repr(after) != repr({**values, "plugins": _with_plugin(values.get("plugins"))}):
        raise EditError(f"its list of plugins is written in an unusual way. {_BY_HAND}")
    return edited


class _Loader(yaml.SafeLoader):
    """YAML with any tags, such as `!ENV` and `!!python/name:…`, which are kept as texts."""


_Loader.add_multi_constructor("", lambda _, suffix, node: f"{suffix} {node.value}")


def _names(plugins: Any) -> list[str]:
    entries = plugins if isinstance(plugins, (list, dict)) else []
    return [name for entry in entries for name in (entry if isinstance(entry, dict) else [entry])]


def _with_plugin(plugins: Any) -> Any:
    if isinstance(plugins, dict):
        return {**plugins, _NAME: _OPTIONS}
    return [*(["search"] if plugins is None else plugins), {_NAME: _OPTIONS}]


def _edited(text: str, root: yaml.MappingNode, *, inherits: bool) -> str:
    line_end = "\r\n" if "\r\n" in text else "\n"
    plugins = next((value for key, value in root.value if key.value == "plugins"), None)
    if plugins is None:
        if inherits or root.flow_style:
            raise EditError(f"what it lists as plugins is not in this file. {_BY_HAND}")
        lines = ["", "plugins:", "  - search", f"  - {ENTRY}", ""]  # MkDocs has search where nothing is listed
        return text + ("" if text.endswith("\n") else line_end) + line_end.join(lines)
    if not isinstance(plugins, (yaml.SequenceNode, yaml.MappingNode)) or not plugins.value:
        raise EditError(f"its list of plugins is written in an unusual way. {_BY_HAND}")
    in_list = isinstance(plugins, yaml.SequenceNode)
    last = plugins.value[-1] if in_list else plugins.value[-1][1]
    if plugins.flow_style:
        at = last.end_mark.index
        return f"{text[:at]}, {f'{{{ENTRY}}}' if in_list else ENTRY}{text[at:]}"
    at = len(text[: _end(last)].rstrip())
    at = text.find("\n", at) + 1 or len(text)  # behind a comment in the same line
    before = text[:at] if text[:at].endswith("\n") else text[:at] + line_end
    return f"{before}{' ' * plugins.start_mark.column}{'- ' if in_list else ''}{ENTRY}{line_end}{text[at:]}"


def _end(node: yaml.Node) -> int:
    """Return where the last value within a node ends; a node of several lines itself ends where the next one begins."""
    if isinstance(node, (yaml.SequenceNode, yaml.MappingNode)) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    end: int = node.end_mark.index
    return end
