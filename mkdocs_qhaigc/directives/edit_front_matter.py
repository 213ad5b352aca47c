"""Writing fields of a directive into a page's front matter, and changing nothing else of the page. Pure.

The text is never dumped from its values, which would lose comments, quotes and order: PyYAML gives the places of
values, and a few characters are inserted, replaced or removed there. The result is read back, and an edit is kept only
if nothing but the field has changed by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc.directives.directive import DEFAULT_NAME
from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, META_KEY
from mkdocs_qhaigc.directives.yaml_text_forms import Form, Scalar, Surroundings, forms, scalar_at
from mkdocs_qhaigc.errors import EditError

EDITABLE_FIELDS = ("prompt", "alt", "caption", "model", "size", "style", "variant", "dark.prompt", "dark.variant")
"""The fields that `write_fields` writes. `dark.prompt` is the text of `dark`, or the `prompt` in it."""
Value = str | int

_INDENTED = re.compile(r"((?:[&!]\S*\s+)*[|>][+-]?)([1-9])")
_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"(?<=\s)#[^\r\n]*")
_ABSENT: Any = object()
_Path = tuple[str, ...]


def write_fields(page: str, name: str, fields: Mapping[str, Value | None]) -> str:
    """Return a page whose image of this name has these values in its fields (`EDITABLE_FIELDS`); `None` removes one.

    Fields that have their value already are left as they are written. All fields are written, or none. A prompt cannot
    be removed.

    Raises:
        EditError: they cannot be written without changing more than that.
    """
    match = FRONT_MATTER.match(page)
    if not match:
        raise EditError("it has no front matter between lines of `---`")
    front = match[1]
    values = _read(front)
    directive = _directive(values, _path(values, name))
    for field in _order(fields, directive):
        front = _with_field(front, name, field, fields[field])
    edited = page[: match.start(1)] + front + page[match.end(1) :]
    again = FRONT_MATTER.match(edited)
    if not again or again[1] != front:  # a line of `---` in a text of several lines would end it
        raise EditError("there is no small edit that writes this text")
    return edited


def front_matter(page: str) -> dict[str, Any]:
    """Return the values of a page's front matter.

    Raises:
        EditError: it is no YAML.
    """
    match = FRONT_MATTER.match(page)
    values = _read(match[1]) if match else {}
    return values if isinstance(values, dict) else {}


def _fields(directive: str | dict[str, Any]) -> dict[str, Any]:
    """Return the editable fields of a directive."""
    written = {"prompt": directive} if isinstance(directive, str) else directive
    fields = {field: written[field] for field in EDITABLE_FIELDS if field in written}
    dark = written.get("dark")
    if isinstance(dark, dict):
        fields |= {f"dark.{field}": dark[field] for field in ("prompt", "variant") if field in dark}
    elif "dark" in written:
        fields["dark.prompt"] = dark
    return fields


def _order(fields: Mapping[str, Value | None], directive: str | dict[str, Any]) -> list[str]:
    """Return the fields in the order in which they are to be written.

    Each new one is put behind the prompt, so the last comes first. A short form has become a mapping before its prompt
    changes, which then has its place.
    """
    named = [field for field in EDITABLE_FIELDS if field in fields]
    dark = [field for field in named if field.startswith("dark.")]
    present = [field for field in named if field not in dark and field in _fields(directive)]
    new = [*dark, *(field for field in reversed(named) if field not in dark and field not in present)]
    return new + present if isinstance(directive, str) else present + new


def _with_field(front: str, name: str, field: str, value: Value | None) -> str:
    """Return a front matter with one field changed.

    Raises:
        EditError: there is no small edit that does that.
    """
    values = _read(front)
    path = _path(values, name)
    directive = _directive(values, path)
    present = _fields(directive)
    if (field not in present) if value is None else repr(present.get(field)) == repr(value):
        return front
    holder, _, key = field.rpartition(".")
    if key == "prompt" and value is None:
        raise EditError("an image needs a `prompt`")
    if holder:
        dark = directive.get("dark") if isinstance(directive, dict) else None
        if key == "variant" and value is not None and not isinstance(dark, (str, dict)):
            raise EditError("the image has no `dark` one, whose variant this could be")
        if key == "prompt" and not isinstance(dark, dict):
            key = "dark"
        else:
            path = (*path, "dark")
    return _edited(front, path, key, value)


def _edited(front: str, path: _Path, key: str, value: Value | None) -> str:
    """Return a front matter in which the mapping, or the prompt, at a path has another value behind a key.

    Raises:
        EditError: there is no small edit that does that.
    """
    document = _Document(front)
    before = _read(front)
    for edited in document.edits(path, key, value):
        if _changes_only(before, edited, path, key, value):
            return edited
    field = ".".join((*path, key)[2:] or (key,))
    if document.shares(path, key):
        raise EditError(
            f"`{key}` shares what it is made of with others (an anchor, an alias or a merge of YAML), which this edit "
            "would change, too"
        )
    raise EditError(f"there is no small edit that changes `{field}` alone")


class _Loader(yaml.PlacesLoader):
    """A loader that remembers the places of aliases."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: dict[int, tuple[int, int]] = {}
        """`id` of a key whose value is an alias -> start and end of the alias."""
        self.shared: set[int] = set()
        """`id` of each node that has aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        is_alias = self.check_event(yaml.AliasEvent)
        if isinstance(index, yaml.Node) and is_alias:
            event = self.peek_event()
            self.aliases[id(index)] = (event.start_mark.index, event.end_mark.index)
        node: yaml.Node | None = super().compose_node(parent, index)
        if is_alias:
            self.shared.add(id(node))
        return node


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of a mapping and the place of its value."""

    key: yaml.Node
    value: yaml.Node
    start: int
    end: int
    aliased: bool
    """Whether the value is an alias (`*base`) of a node that is elsewhere."""


class _Document:
    """A front matter, its nodes and their places."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._loader = _Loader(text)
        try:
            node = self._loader.get_single_node()
        except yaml.ERRORS as error:
            raise EditError("its front matter is no YAML") from error
        finally:
            self._loader.dispose()
        assert node is not None
        self._root: yaml.Node = node

    def shares(self, path: _Path, key: str) -> bool:
        """Whether what is at a path, or a part of the way there, is also elsewhere."""
        node = self._root
        for word in (*path, key):
            entry = self._entry(node, word)
            if entry is None:
                return isinstance(node, yaml.MappingNode) and any(one.value == "<<" for one, _ in node.value)
            if entry.aliased or id(entry.value) in self._loader.shared:
                return True
            node = entry.value
        return False

    def edits(self, path: _Path, key: str, value: Value | None) -> Iterator[str]:
        """Yield edits to try, the smallest first. Their results are not checked yet."""
        parent, holder, step = self._root, _Entry(self._root, self._root, 0, len(self._text), aliased=False), 0
        for word in path:
            entry = self._entry(holder.value, word)
            if entry is None or holder.aliased:
                return
            step = entry.key.start_mark.column - holder.key.start_mark.column
            parent, holder = holder.value, entry
        in_flow = bool(parent.flow_style)  # type: ignore[attr-defined]
        if isinstance(holder.value, yaml.MappingNode) and not holder.aliased:
            yield from self._in_mapping(holder, key, value)
        elif isinstance(holder.value, yaml.ScalarNode) and key == "prompt" and value is not None:
            yield from self._replaced(holder, value, _surroundings(holder.key, step, in_flow=in_flow))
        elif value is not None:
            yield from self._around(holder, key, value, step if step > 0 else 2, in_flow=in_flow)

    def _entry(self, mapping: yaml.Node, word: str) -> _Entry | None:
        """Return the last entry of a key: the one that counts."""
        entries = self._entries(mapping) if isinstance(mapping, yaml.MappingNode) else []
        return next((one for one in reversed(entries) if _is_key(one.key, word)), None)

    def _entries(self, mapping: yaml.MappingNode) -> list[_Entry]:
        entries = []
        for key, value in mapping.value:
            alias = self._loader.aliases.get(id(key))
            start, end = alias or (value.start_mark.index, self._end(value))
            entries.append(_Entry(key, value, start, end, aliased=alias is not None))
        return entries

    def _end(self, node: yaml.Node) -> int:
        """Return where a node ends: PyYAML's own end of a mapping without braces is that of the blanks behind it."""
        if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
            return self._entries(node)[-1].end
        end: int = node.end_mark.index
        return end

    def _in_mapping(self, holder: _Entry, key: str, value: Value | None) -> Iterator[str]:
        mapping = holder.value
        assert isinstance(mapping, yaml.MappingNode)
        entries, entry = self._entries(mapping), self._entry(mapping, key)
        in_flow = bool(mapping.flow_style)
        step = entries[0].key.start_mark.column - holder.key.start_mark.column if entries else 0
        if value is not None and entry:
            yield from self._replaced(entry, value, _surroundings(entry.key, step, in_flow=in_flow))
        elif value is not None and in_flow:
            yield from self._with_entry(entries, key, value)
        elif value is not None:
            yield from self._with_lines(entries, key, value, step)
        elif entry and in_flow:
            yield from self._without(entries, entry)
        elif entry:
            yield from self._without_lines(entry)

    def _scalar(self, entry: _Entry) -> Scalar | None:
        """Return the scalar that is an entry's value; `None` if it is none, or an alias."""
        if entry.aliased or not isinstance(entry.value, yaml.ScalarNode):
            return None
        return scalar_at(self._text, entry.start, entry.end, entry.value.style)

    def _replaced(self, entry: _Entry, value: Value, around: Surroundings) -> Iterator[str]:
        """Replace a scalar, or an alias."""
        text, old = self._text, self._scalar(entry)
        if old is None and not entry.aliased:
            return
        start, head_end, end = (old.start, old.head_end, old.end) if old else (entry.start, entry.end, entry.end)
        line_end = self._next_line(head_end)
        before = [text[:start], f"{text[:start]} ", text[: entry.start]]  # a tag, as `!!null`, may go with the value
        for begin, form in product(dict.fromkeys(before), forms(value, around, old)):
            head, below = form.head.replace("\n", self._line_end(start)), self._lines(form, start)
            if end == head_end and not below:
                yield begin + head + text[head_end:]
                continue
            for stop in dict.fromkeys((end, entry.end)):
                yield begin + head + text[head_end:line_end] + below + text[max(stop, line_end) :]

    def _lines(self, form: Form, position: int) -> str:
        """Return the lines of a form with the line endings that are usual at a position."""
        return "".join(line + self._line_end(position) for line in form.lines)

    def _without(self, entries: list[_Entry], entry: _Entry) -> Iterator[str]:
        """Remove an entry from a mapping in braces, unless it has a comment within."""
        text = self._text
        if _COMMENT.search(text, entry.key.end_mark.index, entry.start):
            return
        place = next(n for n, one in enumerate(entries) if one.key is entry.key)
        start = entry.key.start_mark.index
        if place and _is_comma(text[entries[place - 1].end : start]):
            yield text[: entries[place - 1].end] + text[entry.end :]
        elif not place and len(entries) > 1 and _is_comma(text[entry.end : entries[1].key.start_mark.index]):
            yield text[:start] + text[entries[1].key.start_mark.index :]
        comma = re.compile(r"\s*,").match(text, entry.end)
        end, begin = comma.end() if comma else entry.end, self._line_begin(start)
        if not (text[begin:start] + text[end : self._next_line(end)]).strip():
            yield text[:begin] + text[self._next_line(end) :]
        yield text[:start].rstrip(" \t") + text[end:]

    def _without_lines(self, entry: _Entry) -> Iterator[str]:
        """Remove the lines of an entry; comments on them stay."""
        text, old, key = self._text, self._scalar(entry), entry.key
        start, head_end, end = (old.start, old.head_end, old.end) if old else (entry.start, entry.end, entry.end)
        begin, line_end = self._line_begin(key.start_mark.index), self._next_line(head_end)
        gaps = (text[key.end_mark.index : start], text[head_end:line_end])
        comments = [comment for gap in gaps for comment in _COMMENT.findall(gap)]
        margin = text[begin : key.start_mark.index]
        kept = "".join(margin + comment + self._line_end(head_end) for comment in comments)
        for stop in dict.fromkeys((end, entry.end)):
            yield text[:begin] + kept + text[max(stop, line_end) :]

    def _with_entry(self, entries: list[_Entry], key: str, value: Value) -> Iterator[str]:
        """Add an entry to a mapping in braces."""
        text = self._text
        for entry in _prompt_first(entries):
            start = entry.key.start_mark.index
            margin = text[self._line_begin(start) : start]
            between = " " if margin.strip() else self._line_end(start) + margin
            for form in forms(value, _surroundings(entry.key, 0, in_flow=True)):
                yield f"{text[: entry.end]},{between}{_quoted_as(entry.key, key)}: {form.head}{text[entry.end :]}"

    def _with_lines(self, entries: list[_Entry], key: str, value: Value, step: int) -> Iterator[str]:
        """Add an entry of its own lines: behind the prompt, else behind another scalar, else before the first."""
        text = self._text
        for entry in _prompt_first(entries):
            around, old = _surroundings(entry.key, step, in_flow=False), self._scalar(entry)
            if not entry.aliased and not old:
                continue
            for form in forms(value, around):
                line = f"{' ' * around.column}{_quoted_as(entry.key, key)}: {form.head}"
                for end in dict.fromkeys((old.end if old else entry.end, entry.end)):
                    yield _with_lines_after(text, end, line, form)
        for first in entries[:1]:
            around, start = _surroundings(first.key, step, in_flow=False), first.key.start_mark.index
            for form in forms(value, around):
                lines = "".join(line + self._line_end(start) for line in (form.head, *form.lines))
                yield f"{text[:start]}{_quoted_as(first.key, key)}: {lines}{' ' * around.column}{text[start:]}"

    def _around(self, entry: _Entry, key: str, value: Value, step: int, *, in_flow: bool) -> Iterator[str]:
        """Make a mapping of a value that is a prompt, or an alias."""
        text, old = self._text, self._scalar(entry)
        prompt, word = _quoted_as(entry.key, "prompt"), _quoted_as(entry.key, key)
        first = "<<" if isinstance(entry.value, yaml.MappingNode) else prompt
        written = text[entry.start : entry.end]
        column = entry.key.start_mark.column
        if not in_flow:
            before = text[: entry.start].rstrip(" \t")
            opening = before if before[-1:] in ("\r", "\n") else before + self._line_end(entry.start)
            depths = list(dict.fromkeys((step, 2, 1)))
            ways = [(deeper, _indented_less(written, deeper)) for deeper in depths]
            if old and old.style in ("|", ">"):
                ways += [(deeper, self._indented_more(entry, old, deeper)) for deeper in depths]
            for deeper, body in ways:
                around = Surroundings(column + deeper, deeper, in_flow=False, is_json=False)
                indent = " " * around.column
                opened = f"{opening}{indent}{first}: {body}"
                trailing = entry.end - old.end if old else 0
                for form in forms(value, around):
                    line = f"{indent}{word}: {form.head}"
                    for end in dict.fromkeys((len(opened) - trailing, len(opened))):
                        yield _with_lines_after(opened + text[entry.end :], end, line, form)
        around = _surroundings(entry.key, 0, in_flow=True)
        for form in forms(value, around._replace(is_json=around.is_json and in_flow)):
            yield f"{text[: entry.start]}{{{first}: {written}, {word}: {form.head}}}{text[entry.end :]}"

    def _indented_more(self, entry: _Entry, old: Scalar, columns: int) -> str:
        """Return a block of lines, indented by some columns more."""
        text = self._text
        line_end = self._next_line(old.head_end)
        lines = text[line_end : old.end].splitlines(keepends=True)
        moved = "".join(" " * columns + line if line.strip() else line for line in lines)
        return text[entry.start : line_end] + moved + text[old.end : entry.end]

    def _line_begin(self, position: int) -> int:
        """Return where the line of a position begins."""
        return max(self._text.rfind("\n", 0, position), self._text.rfind("\r", 0, position)) + 1

    def _next_line(self, position: int) -> int:
        """Return where the line after the one at a position begins."""
        found = _BREAK.search(self._text, position)
        return found.end() if found else len(self._text)

    def _line_end(self, position: int) -> str:
        return _line_end(self._text, position)


def _read(front: str) -> Any:
    try:
        return yaml.load(front)
    except yaml.ERRORS as error:
        raise EditError("its front matter is no YAML") from error


def _path(values: Any, name: str) -> _Path:
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


def _directive(values: Any, path: _Path) -> Any:
    for key in path:
        values = values[key]
    return values


def _changes_only(before: Any, edited: str, path: _Path, key: str, value: Value | None) -> bool:
    """Whether an edited front matter has a value behind a key, and is as before otherwise. Order and types count."""
    try:
        after = _read(edited)
        was, now = _directive(before, path), _directive(after, path)
        if isinstance(was, str) and key == "prompt":
            return repr(_put(before, path, value)) == repr(after)
        if not isinstance(now, dict) or repr(now.get(key, _ABSENT)) != repr(_ABSENT if value is None else value):
            return False
        fields = {"prompt": was} if isinstance(was, str) else was
        rest = [{one: each for one, each in fields.items() if one != key} for fields in (fields, now)]
        return repr(_put(before, path, rest[0])) == repr(_put(after, path, rest[1]))
    except (EditError, KeyError, TypeError, RecursionError):
        return False


def _put(values: dict[str, Any], path: _Path, value: Any) -> dict[str, Any]:
    """Return a copy with another value at a path; shared values stay as they are."""
    first, *rest = path
    return {**values, first: _put(values[first], tuple(rest), value) if rest else value}


def _is_key(node: yaml.Node, word: str) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == word


def _is_comma(gap: str) -> bool:
    """Whether there is only a comma between two entries of a mapping in braces, and no comment."""
    return not gap.replace(",", "", 1).strip()


def _prompt_first(entries: list[_Entry]) -> list[_Entry]:
    return sorted(entries, key=lambda one: not _is_key(one.key, "prompt"))


def _surroundings(key: yaml.Node, step: int, *, in_flow: bool) -> Surroundings:
    """Return what is around a value behind this key, or behind another one in the same mapping.

    `step`: by how many columns the mapping is indented; none, if it is not.
    """
    is_json = in_flow and isinstance(key, yaml.ScalarNode) and key.style == '"'
    return Surroundings(key.start_mark.column, step if 0 < step < 9 else 2, in_flow=in_flow, is_json=is_json)


def _indented_less(value: str, columns: int) -> str:
    """Return a value whose text, if it says by how much it is indented (`|2`), is so by that many columns less."""
    found = _INDENTED.match(value)
    if not found or int(found[2]) <= columns:
        return value
    return f"{found[1]}{int(found[2]) - columns}{value[found.end() :]}"


def _with_lines_after(text: str, position: int, line: str, form: Form) -> str:
    """Return a text with a further entry behind the line in which a value ends."""
    if position and text[position - 1] in "\r\n":  # a block of text ends where the next line begins
        end, break_ = position, _line_end(text, position - 1)
    else:
        following = _BREAK.search(text, position)
        end, break_ = following.end() if following else len(text), _line_end(text, position)
    lines = (line, *form.lines)
    return text[:end] + "".join(one + break_ for one in lines) + text[end:]


def _line_end(text: str, position: int) -> str:
    """Return the line ending at a position."""
    found = _BREAK.search(text, max(0, position - 1) if text[position : position + 1] == "\n" else position)
    return found[0] if found else "\n"


def _quoted_as(key: yaml.Node, word: str) -> str:
    """Return a key in the quotes of the one beside it: JSON stays JSON."""
    quote = key.style if isinstance(key, yaml.ScalarNode) and key.style in ("'", '"') else ""
    return f"{quote}{word}{quote}"
