"""Words and values for messages: the closest known word, short forms of values, plurals. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def closest_match(word: object, known: Iterable[str], *, likeness: float = 0.65) -> str | None:
    """Return the known word that was probably meant, or `None`. `likeness`: from 0 to 1 (the same word)."""
    matches = closest_matches(word, known, likeness=likeness)
    return matches[0] if matches else None


def closest_matches(word: object, known: Iterable[str], *, likeness: float = 0.65) -> list[str]:
    """Return up to three known words that were probably meant, the closest first. `likeness`: see `closest_match`."""
    import difflib  # only a mistake needs it

    written = word if isinstance(word, str) else short_repr(word)
    return difflib.get_close_matches(written, list(known), n=3, cutoff=likeness)


def is_typo(word: str, meant: str) -> bool:
    """Whether a word differs from another one in capitals, or in one letter that is added, missing, wrong or moved."""
    alike = word != meant and abs(len(word) - len(meant)) <= 1
    return alike and closest_match(word.lower(), [meant], likeness=0.8) is not None


def short_repr(value: object) -> str:
    """Return the `repr` of a value for a message: short, on one line, for any value that YAML makes."""
    try:
        return f"{value!r:.60}"
    except (ValueError, RecursionError):  # a number of thousands of digits, lists without end
        return "a very large number" if isinstance(value, int) else "something too large to show"


def kind(value: object) -> str:
    """Return the type that YAML gave a value, in words, for an author who meant something else."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (a yes/no value)"
    if isinstance(value, (int, float)):
        return f"{value} (a number)" if abs(value) < 10**15 else "a very large number"
    kinds: dict[type, str] = {list: "a list", dict: "a mapping", str: "a text", type(None): "empty"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def short_repr_or_kind(value: object) -> str:
    """Return the `short_repr` of a text, and the `kind` of anything else."""
    return short_repr(value) if isinstance(value, str) else kind(value)


def plural(count: int, one: str, many: str) -> str:
    """Return `one` if the count is 1, else `many`."""
    return one if count == 1 else many
