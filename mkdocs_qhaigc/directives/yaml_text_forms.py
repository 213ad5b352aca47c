"""The forms in which a text can be written as a scalar of YAML: plain, in quotes, or as a block of lines. Pure.

Forms are proposals, those that change least first: whether one reads back as the text depends on what is around it,
and `edit_front_matter` tries them out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*\s*)*|\Z))*")
_HEADER = re.compile(r"([|>])(?:([1-9])([+-]?)|([+-]?)([1-9]?))")
_BREAK = re.compile(r"\r\n|\n|\r")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON leaves as they are, and YAML takes for line breaks or refuses."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
_USUAL_WIDTH = 80
"""Columns to which new text of a folded scalar is wrapped, if none of its lines was longer."""


class Form(NamedTuple):
    """A scalar as it is written."""

    head: str
    """The text on the line of its key; of a block, what announces it: `|-`."""
    lines: tuple[str, ...] = ()
    """The lines of a block, with their indentation."""


class Surroundings(NamedTuple):
    """Where a scalar stands: what limits the ways to write it."""

    column: int
    """The column of its key, from 0."""
    step: int
    """By how many columns blocks are indented."""
    in_flow: bool
    """Whether it is within braces."""
    is_json: bool
    """Whether the keys beside it are in double quotes."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as it stands in a text."""

    start: int
    """Where it begins, without its anchor and its tag."""
    head_end: int
    """Where the text on the key's line, or the end of a scalar of several lines in quotes, ends."""
    end: int
    """Where its value ends: of a block, behind its last line, or the last line that is part of its value."""
    style: str
    """Empty for plain, else `'`, `"`, `|` or `>`."""
    chomping: str = ""
    """`+`, `-` or nothing, of a block."""
    indicator: int = 0
    """The indentation that the block itself says; 0 if it does not."""
    lines: tuple[str, ...] = ()
    """The lines of a block with their indentation, or of what is in quotes or plain on several lines without it."""

    def indent(self, column: int) -> str:
        """Return the indentation of a block's lines; `column` is that of its key."""
        if self.indicator:
            return " " * (column + self.indicator)
        return next((line[: len(line) - len(line.lstrip(" "))] for line in self.lines if line.strip()), "")


def scalar_at(text: str, start: int, end: int, style: str | None) -> Scalar:
    """Return the scalar between two places of a text, as PyYAML gives them; `style` is that of its node."""
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    if style in ("|", ">"):
        return _block(text, start, end, style)
    end = start + len(text[start:end].rstrip())
    inner = text[start + 1 : end - 1] if style else text[start:end]
    return Scalar(start, end, end, style or "", lines=tuple(_BREAK.split(inner)))


def _block(text: str, start: int, end: int, style: str) -> Scalar:
    header = _HEADER.match(text, start)
    assert header is not None
    chomping = header[3] or header[4] or ""
    first = _BREAK.search(text, header.end(), end)
    begin = first.end() if first else end
    spans = []
    while begin < end:
        found = _BREAK.search(text, begin, end)
        spans.append((begin, found.start() if found else end, found.end() if found else end))
        begin = spans[-1][2]
    if chomping != "+":
        while spans and not text[spans[-1][0] : spans[-1][1]].strip():
            end = spans.pop()[0]
    lines = tuple(text[begin:stop] for begin, stop, _ in spans)
    return Scalar(start, header.end(), end, style, chomping, int(header[2] or header[5] or 0), lines)


def forms(value: str | int, around: Surroundings, old: Scalar | None = None) -> Iterator[Form]:
    """Yield forms of a value, those first that change least of the scalar that it replaces."""
    if isinstance(value, int):
        yield Form(str(value))
        return
    style = '"' if around.is_json else old.style if old else ""
    if old and old.style in ("|", ">"):
        yield from _blocks(value, around, old)
    if old and len(old.lines) > 1 and style == old.style and style not in ("|", ">"):
        yield from _on_lines(value, old)
    readable = not _UNPRINTABLE.search(value)
    written = {'"': _in_double_quotes(value)}
    if readable:
        written |= {"": value, "'": "'" + value.replace("'", "''") + "'"}
    if style in written and not (style == '"' and "\n" in value and not around.is_json):
        yield Form(written[style])
    if "\n" in value and not around.in_flow and not around.is_json:
        yield from _blocks(value, around, old if old and old.style == "|" else None)
    simple = readable and not set(value) & {'"', "\\"}
    for other in ("", *(('"', "'") if simple else ("'", '"'))):
        if other in written and not around.is_json:
            yield Form(written[other])


def _in_double_quotes(value: str) -> str:
    escaped = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)


def _on_lines(value: str, old: Scalar) -> Iterator[Form]:
    """Yield a value on several lines, in the style of a scalar that is plain or in quotes."""
    lines = [line.strip(" \t") for line in old.lines]
    if "\n" in value or not all(lines) or any(line.endswith("\\") for line in lines):
        return
    text = {"": value, "'": value.replace("'", "''"), '"': _in_double_quotes(value)[1:-1]}[old.style]
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in old.lines[1:]]
    first, *others = _wrapped(text, lines, max(_USUAL_WIDTH - len(indents[-1]), *map(len, lines)))
    indents += indents[-1:] * len(others)
    yield Form(
        old.style
        + "\n".join((first, *(indent + line for indent, line in zip(indents, others, strict=False))))
        + old.style
    )


def _blocks(value: str, around: Surroundings, old: Scalar | None) -> Iterator[Form]:
    """Yield a value as a block of lines: in the form of the earlier block, else with what is in need of change."""
    text = value.rstrip("\n")
    breaks = len(value) - len(text)
    if not text or around.in_flow or "\r" in value:
        return
    chomping = "-" if breaks == 0 else "+" if breaks > 1 else ""
    if breaks == 1 and old and old.chomping == "+":
        chomping = "+"
    indent = (old.indent(around.column) if old else "") or " " * (around.column + around.step)
    needs_indicator = text.lstrip("\n").startswith((" ", "\t"))
    deeper = len(indent) - around.column
    for style in ("|",) if old is None or old.style == "|" else (">", "|"):
        if style == ">":
            lines = _folded(text, old, indent) if old else []
        else:
            lines = _kept(text.split("\n"), old.lines if old and old.style == "|" else (), indent)
        lines += [""] * (breaks - 1)
        for indicator in dict.fromkeys((old.indicator if old else 0, deeper if needs_indicator else 0)):
            if 0 <= indicator <= 9:
                yield Form(f"{style}{chomping}{indicator or ''}", tuple(lines))


def _kept(lines: Sequence[str], old: Sequence[str], indent: str) -> list[str]:
    """Return lines with their indentation; those that are the same as before, as they were."""
    written = [indent + line if line else "" for line in lines]
    shared = min(len(written), len(old))
    before = next((n for n in range(shared) if written[n].rstrip() != old[n].rstrip()), shared)
    after = next(
        (n for n in range(shared - before) if written[-1 - n].rstrip() != old[-1 - n].rstrip()), shared - before
    )
    end = len(written) - after
    kept = [*old[:before], *written[before:end], *old[len(old) - after :]]
    return [  # blanks of a line of blanks are no text, as long as they are its indentation
        was if not now and len(was) <= len(indent) else now for was, now in zip(kept, written, strict=True)
    ]


def _folded(text: str, old: Scalar, indent: str) -> list[str]:
    """Return the lines of a folded block, with as many as possible of the earlier ones."""
    paragraphs: list[list[str]] = [[]]
    for line in old.lines:
        if line.strip():
            paragraphs[-1].append(line.removeprefix(indent))
        elif paragraphs[-1]:
            paragraphs.append([])
    width = max([_USUAL_WIDTH - len(indent), *(len(line) for lines in paragraphs for line in lines)])
    written: list[str] = []
    texts = text.split("\n")
    for number, (line, before) in enumerate(zip(texts, ["", *texts], strict=False)):
        if number and line and before and not line[0].isspace() and not before[0].isspace():
            written.append("")
        nearest = max(paragraphs, key=lambda lines: _in_common(" ".join(lines), line))
        written += _wrapped(line, nearest, width) if line and not line[0].isspace() else [line]
        if number and not line and before and not before[0].isspace() and any(texts[number:]):
            written.append("")
    return [indent + line if line else "" for line in written]


def _in_common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _wrapped(text: str, lines: Sequence[str], width: int) -> list[str]:
    """Return a text of one paragraph in lines; those with which it begins and ends as before stay."""
    begin: list[str] = []
    for line in lines:
        if not text.startswith(f"{line} ") or text[len(line) + 1 :][:1].isspace():
            break
        begin.append(line)
        text = text[len(line) + 1 :]
    end: list[str] = []
    for line in reversed(lines[len(begin) :]):
        if not text.endswith(f" {line}") or text[: -len(line) - 1][-1:].isspace():
            break
        end.insert(0, line)
        text = text[: -len(line) - 1]
    middle: list[str] = []
    for word in _BETWEEN_WORDS.split(text):
        if middle and len(middle[-1]) + 1 + len(word) <= width:
            middle[-1] += f" {word}"
        else:
            middle.append(word)
    return [*begin, *middle, *end]
