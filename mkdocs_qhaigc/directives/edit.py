"""Writing `variant` into a page's front matter, and changing nothing else of the page. Pure.

The text is never dumped from its values, which would lose comments, quotes and order: PyYAML gives the places of
values, and a few characters are inserted or replaced there. The result is read back, and the edit is kept only if the
variant alone has changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, META_KEY
from mkdocs_qhaigc.directives.model import DEFAULT_NAME
from mkdocs_qhaigc.errors import EditError

_INDENTED = re.compile(r"((?:[&!]\S*\s+)*[|>][+-]?)([1-9])")
_BREAK = re.compile(r"\r\n|\n|\r")


def write_variant(page: str, name: str, variant: int) -> str:
    """Return a page whose image of this name has this variant.

    Raises:
        EditError: that cannot be written without changing more than that.
    """
    match = FRONT_MATTER.match(page)
    if not match:
        raise EditError("it has no front matter between lines of `---`")
    front = match[1]
    path = _path(_read(front), name)
    for edited in _edits(front, path, variant):
        if _changes_only_variant(front, edited, path, variant):
            return page[: match.start(1)] + edited + page[match.end(1) :]
    raise EditError(
        "there is no small edit that changes this variant alone: others share what it is made of, "
        "or its prompt is indented in a way that fits into no mapping"
    )


def front_matter(page: str) -> dict[str, Any]:
    """Return the values of a page's front matter.

    Raises:
        EditError: it is no YAML.
    """
    match = FRONT_MATTER.match(page)
    values = _read(match[1]) if match else {}
    return values if isinstance(values, dict) else {}


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a value in the text."""

    start: int
    end: int
    node: yaml.Node
    aliased: bool
    """Whether it is an alias (`*base`) of a node that is elsewhere."""


class _Loader(yaml.PlacesLoader):
    """A loader that remembers the places of aliases."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: dict[int, tuple[int, int]] = {}
        """`id` of a key whose value is an alias -> start and end of the alias."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if isinstance(index, yaml.Node) and self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            self.aliases[id(index)] = (event.start_mark.index, event.end_mark.index)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _read(front: str) -> Any:
    try:
        return yaml.load(front)
    except yaml.ERRORS as error:
        raise EditError("its front matter is no YAML") from error


def _path(values: Any, name: str) -> tuple[str, ...]:
    """Return the keys that lead to the directive, as they are written in the front matter.

    Raises:
        EditError: it is not declared there.
    """
    value = values.get(META_KEY) if isinstance(values, dict) else None
    if isinstance(value, str) or (
        isinstance(value, dict) and "prompt" in value and not isinstance(value["prompt"], dict)
    ):
        if name == DEFAULT_NAME:
            return (META_KEY,)
    elif isinstance(value, dict):
        for key, body in value.items():
            if isinstance(key, str) and unicodedata.normalize("NFC", key) == name and isinstance(body, (str, dict)):
                return (META_KEY, key)
    raise EditError(f"its own front matter does not declare {name!r}")


def _changes_only_variant(front: str, edited: str, path: tuple[str, ...], variant: int) -> bool:
    """Whether nothing but the variant has changed in the edited front matter. Order and types count."""
    try:
        before, after = _read(front), _read(edited)
        directive = before
        for key in path:
            directive = directive[key]
        fields = {"prompt": directive} if isinstance(directive, str) else dict(directive)
        read = after
        for key in path:
            read = read[key]
        if not isinstance(read, dict) or type(read.get("variant")) is not int or read["variant"] != variant:
            return False
        fields.pop("variant", None)
        rest = {key: value for key, value in read.items() if key != "variant"}
        return repr(_put(before, path, fields)) == repr(_put(after, path, rest))
    except (EditError, KeyError, TypeError, RecursionError):
        return False


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a copy with another value at a path; shared values stay as they are."""
    first, *rest = path
    return {**values, first: _put(values[first], tuple(rest), value) if rest else value}


def _edits(front: str, path: tuple[str, ...], variant: int) -> Iterator[str]:
    """Yield edits to try, the smallest first. Their results are not checked yet."""
    loader = _Loader(front)
    try:
        node = loader.get_single_node()
    except yaml.ERRORS as error:
        raise EditError("its front matter is no YAML") from error
    finally:
        loader.dispose()
    assert node is not None
    key: yaml.Node | None = None
    place = _Place(0, len(front), node, aliased=False)
    parent = place
    for word in path:
        parent = place
        entry = _entry(loader, place.node, word) if isinstance(place.node, yaml.MappingNode) else None
        if entry is None or place.aliased:
            return
        key, place = entry
    assert key is not None
    if isinstance(place.node, yaml.MappingNode) and not place.aliased:
        yield from _in_mapping(front, loader, place.node, variant)
    else:
        yield from _around(front, key, place, in_flow=bool(parent.node.flow_style), variant=variant)  # type: ignore[attr-defined]


def _entry(loader: _Loader, mapping: yaml.MappingNode, word: str) -> tuple[yaml.Node, _Place] | None:
    """Return the last entry of a key: the one that counts."""
    for key, value in reversed(mapping.value):
        if isinstance(key, yaml.ScalarNode) and key.value == word:
            return key, _place(loader, key, value)
    return None


def _place(loader: _Loader, key: yaml.Node, value: yaml.Node) -> _Place:
    alias = loader.aliases.get(id(key))
    start, end = alias or (value.start_mark.index, value.end_mark.index)
    return _Place(start, end, value, aliased=alias is not None)


def _in_mapping(front: str, loader: _Loader, mapping: yaml.MappingNode, variant: int) -> Iterator[str]:
    """Replace the variant of a mapping, or add one: behind the prompt, else behind another simple entry."""
    entry = _entry(loader, mapping, "variant")
    if entry:
        _, place = entry
        value = front[place.start : place.end].rstrip()
        yield front[: place.start] + str(variant) + front[place.start + len(value) :]
        return
    entries = [(key, _place(loader, key, value)) for key, value in mapping.value]
    entries.sort(key=lambda entry: not (isinstance(entry[0], yaml.ScalarNode) and entry[0].value == "prompt"))
    for key, place in entries:
        word = _quoted_as(key, "variant")
        if mapping.flow_style:
            yield f"{front[: place.end]}, {word}: {variant}{front[place.end :]}"
        elif place.aliased or isinstance(place.node, yaml.ScalarNode):
            line = " " * key.start_mark.column + f"{word}: {variant}"
            yield _with_line_after(front, place.end, line)


def _around(front: str, key: yaml.Node, place: _Place, *, in_flow: bool, variant: int) -> Iterator[str]:
    """Make a mapping of a value that is a prompt, or an alias."""
    prompt, number = _quoted_as(key, "prompt"), _quoted_as(key, "variant")
    first = "<<" if isinstance(place.node, yaml.MappingNode) else prompt
    value = front[place.start : place.end]
    if not in_flow:
        column = key.start_mark.column
        before = front[: place.start].rstrip(" \t")
        opening = before if before[-1:] in ("\r", "\n") else before + _line_end(front, place.start)
        for deeper in dict.fromkeys((column or 2, 2, 1)):
            indent = " " * (column + deeper)
            opened = f"{opening}{indent}{first}: "
            text = opened + _indented_less(value, len(indent) - column)
            yield _with_line_after(text + front[place.end :], len(text), f"{indent}{number}: {variant}")
    yield f"{front[: place.start]}{{{first}: {value}, {number}: {variant}}}{front[place.end :]}"


def _indented_less(value: str, columns: int) -> str:
    """Return a value whose text, if it says by how much it is indented (`|2`), is so by that many columns less."""
    found = _INDENTED.match(value)
    if not found or int(found[2]) <= columns:
        return value
    return f"{found[1]}{int(found[2]) - columns}{value[found.end() :]}"


def _with_line_after(text: str, position: int, line: str) -> str:
    """Return a text with a further line behind the one in which a value ends."""
    if position and text[position - 1] in "\r\n":  # a block of text ends where the next line begins
        return f"{text[:position]}{line}{_line_end(text, position - 1)}{text[position:]}"
    following = _BREAK.search(text, position)
    end = following.end() if following else len(text)
    return f"{text[:end]}{line}{_line_end(text, position)}{text[end:]}"


def _line_end(text: str, position: int) -> str:
    """Return the line ending at a position."""
    found = _BREAK.search(text, max(0, position - 1) if text[position : position + 1] == "\n" else position)
    return found[0] if found else "\n"


def _quoted_as(key: yaml.Node, word: str) -> str:
    """Return a key in the quotes of the one beside it: JSON stays JSON."""
    quote = key.style if isinstance(key, yaml.ScalarNode) and key.style in ("'", '"') else ""
    return f"{quote}{word}{quote}"
