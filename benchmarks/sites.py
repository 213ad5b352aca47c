"""What the benchmarks share: a made-up documentation site, and a build of it in a process of its own, timed.

Not called `site.py`: a script could not import that name, which Python's own `site` has taken at its start.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGES_PER_FOLDER = 25
ASSETS_DIR = "assets/qhaigc"
_WORDS = """
the build page image server folder option value reader author cache network request answer model prompt size
width height file name link theme plugin index section heading table list example command line output error
warning message version release branch change review commit deploy host address port user group access token
limit timeout retry queue worker thread process memory disk log level format style colour font layout screen
is has runs reads writes takes gives shows holds keeps moves starts stops fails waits returns needs finds asks
new old small large first last same other whole empty open safe slow quick local remote public private plain
when where after before with without from into over under between and or but so for as it this that which
""".split()  # noqa: SIM905 - a list would take a line for each word


@dataclass(frozen=True, slots=True)
class Timing:
    """What one process took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system."""
    memory: int
    """Bytes, at the peak."""


def page_uri(number: int) -> str:
    """Return where a page stands in the docs folder; its image, where it has a file of its own, stands beside it."""
    return f"section-{number // PAGES_PER_FOLDER:03}/page-{number:04}.md"


def write_pages(
    docs: Path,
    *,
    pages: int,
    image: Callable[[int], str],
    front_matter: Callable[[int], str] = lambda _: "",
) -> None:
    """Write pages of about 400 words each, the same at every call but for what the two functions return.

    `image`: a page's image in Markdown. `front_matter`: its lines of front matter besides the title.
    """
    docs.mkdir(parents=True)
    (docs / "index.md").write_text(f"# Benchmark\n\nA site of {pages} pages.\n", encoding="utf-8")
    for number in range(pages):
        path = docs / page_uri(number)
        path.parent.mkdir(exist_ok=True)
        head = f"---\ntitle: Page {number}\n{front_matter(number)}---\n"
        path.write_text(f"{head}\n{_body(number, pages, image(number))}", encoding="utf-8")


def write_config(
    folder: Path,
    *,
    theme: str,
    plugin: Mapping[str, Any] | None,
    bare: bool = False,
    others: Sequence[str | Mapping[str, Any]] = (),
    hooks: Sequence[Path] = (),
) -> None:
    """Write mkdocs.yml; `plugin` holds the options of `qhaigc`, None leaves it out. `others` are further plugins.

    `bare`: the navigation holds the index alone. Every page of a theme lists the whole navigation, which at a thousand
    entries takes most of the build's time and so hides what the plugin takes.
    """
    config = {
        "site_name": "Benchmark",
        "site_url": "https://example.org/docs/",
        "theme": {"name": theme, **({"font": False} if theme == "material" else {})},  # else one from the network
        **({"nav": [{"Home": "index.md"}], "not_in_nav": "section-*/"} if bare else {}),
        "markdown_extensions": ["admonition", "attr_list"],
        "plugins": ["search", *([] if plugin is None else [{"qhaigc": dict(plugin)}]), *others],
        "hooks": [str(hook) for hook in hooks],
    }
    text = json.dumps(config, indent=2)  # JSON is YAML
    (folder / "mkdocs.yml").write_text(text, encoding="utf-8")


MKDOCS = (sys.executable, "-m", "mkdocs")


def build(folder: Path, *, environment: Mapping[str, str] | None = None, mkdocs: Sequence[str] = MKDOCS) -> Timing:
    """Build a site into an empty `site` folder, by `mkdocs build` in a fresh process, and return what that took."""
    shutil.rmtree(folder / "site", ignore_errors=True)
    return timed([*mkdocs, "build", "-q", "-f", str(folder / "mkdocs.yml")], folder, environment=environment)


def in_turn(folders: Sequence[Path], *, runs: int) -> list[list[Timing]]:
    """Build the sites one after the other, `runs` times; return the timings of each round, in the order of the folders.

    Each site comes first in as many rounds as the others: what else the machine does falls on all.
    """
    rounds = []
    for run in range(runs):
        order = [*range(run % len(folders), len(folders)), *range(run % len(folders))]
        timings = {index: build(folders[index]) for index in order}
        rounds.append([timings[index] for index in range(len(folders))])
        said = ", ".join(f"{timing.cpu:.2f}" for timing in rounds[-1])
        print(f"{run + 1}/{runs}: {said} s CPU", file=sys.stderr)
    return rounds


def linked(folder: Path, to: Path) -> Path:
    """Return another site of the same pages and images, which are there as links; it has no mkdocs.yml yet."""
    folder.mkdir(parents=True)
    (folder / "docs").symlink_to(to / "docs", target_is_directory=True)
    return folder


def timed(command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None) -> Timing:
    """Run a command on the site in `folder`, in a fresh process, and return what that took.

    `environment` is added to this process's. Compiled modules are kept beside the site, as an installed package has
    them: the first run, which makes them, is not to be counted. One that fails ends the benchmark with what it said.
    It runs in the site's folder: `python -m` would import what lies in the folder that the benchmark was started in.
    """
    variables = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled"), **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{said.read()}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return Timing(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def ratio(values: Sequence[float]) -> str:
    """Return the median of ratios with their quartiles, for a cell of a table."""
    if len(values) < 3:
        return " and ".join(f"{value:.3f}" for value in values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median(values):.3f} ({low:.3f} to {high:.3f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def spread(values: Sequence[float]) -> str:
    """Return the quartiles, as a reader sees them."""
    if len(values) < 2:
        return "one run"
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"quartiles {low:.3f} to {high:.3f}"


def _body(number: int, pages: int, image: str) -> str:
    chance = random.Random(number)  # the same text for the same page
    nearby = number // PAGES_PER_FOLDER * PAGES_PER_FOLDER + chance.randrange(PAGES_PER_FOLDER)
    neighbour = Path(page_uri(min(pages - 1, nearby))).name
    items = "\n".join(f"- {_sentence(chance)}" for _ in range(5))
    steps = "\n".join(f"{step}. {_sentence(chance)}" for step in range(1, 5))
    options = [chance.choice(_WORDS) for _ in range(5)]
    rows = "\n".join(f"| `{option}` | {chance.randrange(1000)} | {_sentence(chance)} |" for option in options)
    return f"""\
# Page {number}

{_paragraph(chance)} See [the next part]({neighbour}).

{image}

## Installing

{_paragraph(chance)}

{items}

## Setting up

{_paragraph(chance)}

```python
from example import {chance.choice(_WORDS)}_client


def main(count: int = {chance.randrange(100)}) -> None:
    for index in range(count):
        print(f"{{index}}: {chance.choice(_WORDS)}")  # qhaigc images are not made here
```

!!! note
    {_sentence(chance)}

{steps}

## Reference

| Name | Default | Meaning |
| --- | --- | --- |
{rows}

{_paragraph(chance)}
"""


def _paragraph(chance: random.Random) -> str:
    return " ".join(_sentence(chance) for _ in range(4))


def _sentence(chance: random.Random) -> str:
    words = chance.choices(_WORDS, k=chance.randint(8, 16))
    words[3], words[5] = f"`{words[3]}`", f"**{words[5]}**"
    return f"{' '.join(words).capitalize()}."
