"""The plugin's own files among those of a site of MkDocs, and what plugins that compress images see of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, InclusionLevel

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


class OwnFiles:
    """The files of one build that are the plugin's: images, and what pages need beside them."""

    def __init__(self, config: MkDocsConfig, assets_dir: str) -> None:
        """`assets_dir`: where they lie in the site, and `sync` writes images among the pages."""
        self._config = config
        self._assets_dir = assets_dir
        self._hidden: list[File] = []
        """Images among the pages, while other plugins look at the site's files."""

    def add_asset(self, files: Files, path: str) -> str:
        """Add a file that is no image, where no author has put one of its name. Return its place in the site."""
        dest_uri = f"{self._assets_dir}/{os.path.basename(path)}"  # noqa: PTH119 - as below
        if dest_uri not in files.src_uris:
            self._add(files, dest_uri, path)
        return dest_uri

    def hide_synced(self, files: Files) -> None:
        """Take the images that `sync` wrote among the pages out of sight, until `add_images`."""
        folder = f"{self._assets_dir}/"
        self._hidden = []
        if os.path.isdir(os.path.join(self._config.docs_dir, folder)):  # noqa: PTH112, PTH118 - MkDocs' texts
            self._hidden = [file for file in files.media_files() if file.src_uri.startswith(folder)]
        for file in self._hidden:
            files.remove(file)

    def add_images(self, files: Files, wanted: Mapping[str, str]) -> None:
        """Add the images of this build: place in the site -> path of the bytes."""
        for dest_uri, path in wanted.items():
            among_pages = files.src_uris.get(dest_uri)
            if among_pages and among_pages.abs_src_path != path:
                files.remove(among_pages)  # `sync` wrote it, of another original perhaps
                among_pages = None
            if among_pages is None:
                self._add(files, dest_uri, path)
        for file in self._hidden:
            if file.src_uri not in files.src_uris:
                files.append(file)  # of a page that is not built now, or an author's own

    def _add(self, files: Files, dest_uri: str, path: str) -> None:
        files.append(File.generated(self._config, dest_uri, abs_src_path=path, inclusion=InclusionLevel.INCLUDED))
