"""What people wrote, as messages can say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def closest_match(word: object, known: Iterable[str], *, likeness: float = 0.65) -> str | None:
    """Return the known word that somebody probably meant, or None. `likeness`: from 0 to 1, which is the same word."""
    import difflib  # only a mistake needs it

    matches = difflib.get_close_matches(str(word), list(known), n=1, cutoff=likeness)
    return matches[0] if matches else None


def is_typo(word: str, meant: str) -> bool:
    """Whether a word is another one but for its capitals, or a letter that is too many, missing, wrong or displaced."""
    alike = word != meant and abs(len(word) - len(meant)) <= 1
    return alike and closest_match(word.lower(), [meant], likeness=0.8) is not None


def short_repr(value: object) -> str:
    """Return a value as a message can show it: short, on one line, whatever YAML made of it."""
    try:
        return f"{value!r:.60}"
    except (ValueError, RecursionError):  # a number of thousands of digits, lists without end
        return "a very large number" if isinstance(value, int) else "something too large to show"


def kind(value: object) -> str:
    """Return what YAML has made of a value, for an author who meant something else."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (a yes/no value)"
    if isinstance(value, (int, float)):
        return f"{value} (a number)" if abs(value) < 10**15 else "a very large number"
    kinds: dict[type, str] = {list: "a list", dict: "a mapping", str: "a text", type(None): "empty"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def short_repr_or_kind(value: object) -> str:
    """Return a text as a message can show it, and of anything else what it is."""
    return short_repr(value) if isinstance(value, str) else kind(value)


def plural(count: int, one: str, many: str) -> str:
    """Return the words for so many."""
    return one if count == 1 else many
