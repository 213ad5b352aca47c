"""Every message that can be met stands on the pages of Troubleshooting, so that its words find it.

Each text of three words or more in the code counts as part of a message, unless it is one of the exceptions below:
messages are put together from constants, helpers and remedies, so no list of calls would find them all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import mkdocs_qhaigc

PACKAGE = Path(mkdocs_qhaigc.__file__).parent
PAGES = sorted((PACKAGE.parent / "docs/troubleshooting").glob("*.md"))
_LEAST_WORDS = 3

NO_MESSAGES = {
    "_util/files.py": "a regular expression",
    "api/error_codes.py": "codes, and the services that send them",
    "api/task_fields.py": "words of services, and states for people who read the code",
    "cli/json_field_docs.py": "the reference page on JSON is made of it",
    "cli/schema.py": "nothing can go wrong in it",
    "config/json_schema.py": "titles in a schema",
    "config/option_definitions.py": "the reference page on options is made of it",
    "directives/markdown_for_other_plugins.py": "regular expressions",
    "directives/directive.py": "the reference page on directives is made of it",
    "directives/source_locations.py": "regular expressions",
    "generation/job.py": "the meaning of states, for people who read the code",
    "html/*": "markup",
    "imaging/xmp.py": "markup",
    "imaging/plan_published_files.py": "names of files",
    "sandbox/*": "a server for trying out; its answers follow those of real ones",
    "site/contact_sheet.py": "markup",
    "site/gallery.py": "markup, and words on the page of the gallery",
}
"""Modules whose texts are no messages, and the reason."""
OUTPUT = frozenset(("echo", "confirm", "_line", "add_row", "add_column"))
"""Functions that print what a command was asked for: no message about something that went wrong."""
ATTRIBUTES = frozenset(("help", "short_help", "show_default", "metavar", "prog_name", "about"))
"""Arguments of options and fields, of which the reference pages are made."""
NOTHING_WRONG = (
    ("api/retry.py", "a response that will not change"),
    ("api/tasks.py", "not[_ ]?(?:found"),  # regular expressions
    ("api/tasks.py", "not|n't) exist"),
    ("site/candidates.py", "Choose one"),
    ("site/candidates.py", "beside its prompt"),  # on the sheet
    ("site/candidates.py", "under images in mkdocs.yml"),
    ("site/candidates.py", "this command writes its number"),
    ("site/candidates.py", "Or write the line below an image into"),
    ("cli/_generation.py", "the sandbox, which sells nothing"),
    ("cli/_generation.py", "To buy from"),
    ("cli/_generation.py", "Of these at most"),
    ("cli/_selection.py", "there is no site to look at"),  # no command calls it without a site
    ("cli/init.py", "Write a prompt at the top of a page"),
    ("cli/init.py", "and show the image where you like"),
    ("cli/init.py", "A lighthouse in fog"),
    ("cli/init.py", "serve, and look at the page"),
    ("cli/init.py", "The sandbox has drawn the image"),
    ("cli/init.py", "no key, no cost"),
    ("cli/init.py", "For images of a model"),
    ("cli/init.py", "Run mkdocs-qhaigc plan, which lists the image"),
    ("cli/init.py", "Run mkdocs-qhaigc generate, which says what it buys"),
    ("cli/init.py", "Then build your site"),
    ("cli/init.py", "lists the plugin"),
    ("cli/pin.py", "of the sandbox"),
    ("cli/pin.py", "as it should be"),
    ("cli/plan.py", "of the sandbox"),
    ("cli/plan.py", "| image |"),
    ("cli/prune.py", "of the sandbox"),
    ("cli/prune.py", "Other branches, drafts"),
    ("cli/prune.py", "then they are bought again"),
    ("cli/regenerate.py", "count() never ends"),  # for the type checker
    ("cli/share.py", "would be uploaded"),
    ("cli/sync.py", "to be committed"),
    ("directives/front_matter.py", "ufeff"),  # a regular expression
    ("generation/progress.py", "· a task is under way"),
    ("site/summary.py", "of the sandbox"),
    ("store/object_store.py", "dns error"),  # regular expressions
    ("store/object_store.py", "169.254"),
    ("store/shared_images.py", "Images that mkdocs-qhaigc has bought"),  # an object of the store
    ("store/shared_images.py", "See its page on sharing images"),
    ("studio/mount.py", "<script type="),
    ("studio/server.py", "it is in use"),  # the command says it in other words
    ("studio/server.py", "Method not allowed"),
    ("studio/editing.py", "No newline at end of file"),  # a line of a diff
    ("studio/image_fields.py", "a call to"),
    ("studio/image_fields.py", "free in the sandbox"),
    ("studio/purchases.py", "the limit is reached"),  # shown in other words
    ("engines/zensical/extension.py", "Where mkdocs-qhaigc sync writes"),  # the description of an option
)
"""(module, beginning) of words that are printed where nothing is wrong, or never."""


def _docstrings(tree: ast.AST) -> set[ast.AST]:
    """Return the texts that stand alone as statements: docstrings of modules, functions, and fields."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _texts(node: ast.AST, skipped: set[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every text below a node, with `…` for what is put into it."""
    if node in skipped:
        return
    if isinstance(node, ast.Call) and _called(node) in OUTPUT:
        return
    if isinstance(node, ast.keyword) and node.arg in ATTRIBUTES:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, re.sub(r"%[sd]|%\.\df|\{\w+\}", "…", node.value)
        return
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield node.lineno, "".join(map(str, parts))
        for part in node.values:  # a text within the braces
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value, skipped)
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, skipped)


def _plain(text: str) -> str:
    """Return a text without what Markdown adds to it, in one line."""
    return " ".join(re.sub(r"[`*\\]|^> ", "", text, flags=re.MULTILINE).split())


def _fixed_parts(text: str) -> Iterator[str]:
    """Yield the words of a message that are always the same, sentence by sentence."""
    kept = re.sub(r"`[^`]*`", lambda code: re.sub(r"([.;:?]) ", "\\1\0", code[0]), text)  # a colon in code ends nothing
    for part in re.split(r"…|[.;:?] |\n", kept):
        words = _plain(part.replace("\0", " ")).strip(" .,:;?!()[]{}'\"#-")
        if sum(any(map(str.isalpha, word)) for word in words.split()) >= _LEAST_WORDS:
            yield words


def messages(*, with_harmless: bool = False) -> list[tuple[str, str]]:
    """Return (module and line, fixed words) of all messages."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        if any(fnmatch(module, pattern) for pattern in NO_MESSAGES):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for line, text in _texts(tree, _docstrings(tree)):
            parts = [part for part in _fixed_parts(text) if with_harmless or not _is_harmless(module, part)]
            found += [(f"{module}:{line}", part) for part in parts]
    return found


def _is_harmless(module: str, words: str) -> bool:
    return any(module == where and words.startswith(beginning) for where, beginning in NOTHING_WRONG)


def test_every_message_stands_on_a_page_of_troubleshooting() -> None:
    pages = _plain(" ".join(path.read_text(encoding="utf-8") for path in PAGES)).casefold()
    missing = [f"{where}: {words}" for where, words in messages() if words.casefold() not in pages]
    assert not missing, "write an entry for:\n" + "\n".join(missing)


def test_what_counts_as_harmless_is_in_the_code() -> None:
    """An exception whose words are gone would hide the next message that begins like it."""
    everything = messages(with_harmless=True)
    for module, beginning in NOTHING_WRONG:
        assert any(where.startswith(f"{module}:") and words.startswith(beginning) for where, words in everything), (
            beginning
        )


def test_headings_hold_the_words_of_messages() -> None:
    """The site's search weighs headings most: each page has many, and most are the words of a message."""
    known = {words.casefold() for _, words in messages()}
    for path in PAGES:
        headings = re.findall(r"^### (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        own = [heading for heading in headings if any(words in _plain(heading).casefold() for words in known)]
        assert len(own) >= 0.6 * len(headings), (path.name, set(headings) - set(own))
