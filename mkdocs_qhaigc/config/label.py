"""The option `label`: a visible label of images, in the language of the page. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mkdocs_qhaigc._util.text import short_repr
from mkdocs_qhaigc.errors import OptionError

_LANGUAGE = re.compile("[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_ADVICE = (
    "Write a text, or one for each language: {en: AI-generated, zh: AI 生成}; on cards too: "
    "{text: AI-generated, cards: true}"
)


class Label(NamedTuple):
    """The label of a site's images."""

    texts: Mapping[str, str] = MappingProxyType({})
    """By language (`en`, `zh-tw`); of an empty language: for all."""
    cards: bool = False
    """Whether it is drawn on cards for link previews, too."""

    def text(self, language: str) -> str:
        """Return the label of a page: in its language, else in that without region or script, else the first one.

        Empty if the site has no label.
        """
        tag = _tag(language)
        while tag and tag not in self.texts:
            tag = tag.rpartition("-")[0]
        return self.texts.get(tag) or next(iter(self.texts.values()), "")


def read_label(value: object) -> Label:
    """Return the label from the option's value.

    Raises:
        OptionError: it is invalid.
    """
    cards = False
    if isinstance(value, Mapping) and ("text" in value or "cards" in value):
        if set(value) - {"text", "cards"} or not isinstance(value.get("cards", False), bool):
            raise OptionError("label", f"it is {short_repr(value)}. {_ADVICE}")
        cards, value = value.get("cards", False), value.get("text")
    texts: Mapping[Any, Any] = value if isinstance(value, Mapping) else {"": value}
    read = {}
    for language, text in texts.items():
        tag = _tag("no" if language is False else language)  # YAML reads Norwegian's `no` as false
        if language != "" and not _LANGUAGE.fullmatch(tag):
            raise OptionError("label", f"{short_repr(language)} is no language. Write its tag: en, pt-br, zh")
        if not isinstance(text, str) or not text.strip() or not " ".join(text.split()).isprintable():
            raise OptionError("label", f"it is {short_repr(text)}. {_ADVICE}")
        read[tag] = " ".join(text.split())
    if not read:
        raise OptionError("label", f"it is {short_repr(value)}. {_ADVICE}")
    return Label(read, cards)


def _tag(language: object) -> str:
    return language.strip().replace("_", "-").lower() if isinstance(language, str) else ""
