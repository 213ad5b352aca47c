"""What `sync` takes away from among the pages goes into the cache, where its images are nowhere else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.zensical.manifest import Written, read_remains
from mkdocs_qhaigc.site.published import ENDING, LAID_AWAY
from mkdocs_qhaigc.store.availability import is_lfs_pointer


def lay_away(
    folder: Path, before: Written, unused: Set[str], options: Options, *, has_original: Callable[[str], bool]
) -> None:
    """Copy files that go into the cache, where their images have no original: they may be wanted again.

    `has_original` says it of a key. `before` is what is said of the folder.

    Raises:
        OSError: it cannot be done. Nothing has gone.
    """
    going = {
        key: image
        for key, image in before.images.items()
        if image.file is not None
        and image.file in unused
        and not image.sandbox
        and not is_lfs_pointer(folder / image.file)
        and not has_original(key)
    }
    if not going:
        return
    aside = options.cache_dir / LAID_AWAY
    aside.mkdir(parents=True, exist_ok=True)
    earlier = read_remains(aside) or Written(before.config)
    digests = {}
    for name in _of_images(going, before, unused):
        if is_lfs_pointer(folder / name):
            continue
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        atomic_write(aside / name, data)
        digests[name] = hashlib.sha256(data).hexdigest()
    Written(before.config, {**earlier.images, **going}, {**earlier.files, **digests}).save(aside)


def _of_images(going: Set[str] | Mapping[str, object], before: Written, unused: Set[str]) -> Iterator[str]:
    """Yield those of the unused files that may be of these images; cards, too, whose names tell of no image."""
    codes = {key: _code(image.file) for key, image in before.images.items() if image.file}
    wanted = {code for key, code in codes.items() if key in going}
    cards = not any(image.sandbox for image in before.images.values())
    for name in unused:
        code = _code(name)
        if code and (code in wanted or (cards and code not in codes.values())):
            yield name


def _code(file: str) -> str | None:
    ending = re.search(ENDING, file)
    return ending[1] if ending else None
