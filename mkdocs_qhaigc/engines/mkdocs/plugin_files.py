"""The plugin's own files among those of a site of MkDocs. Plugins that compress images do not get to see them."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel
from mkdocs.utils import copy_file

from mkdocs_qhaigc._util.files import unwritable
from mkdocs_qhaigc.errors import NoFileError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

    from mkdocs_qhaigc.site.build import SiteBuild


class OwnFiles:
    """The plugin's files in one build: images, and the style sheet and scripts that pages need beside them."""

    def __init__(self, config: MkDocsConfig, assets_dir: str) -> None:
        """`assets_dir`: their folder in the site; among the pages, the default folder of `sync`."""
        self._config = config
        self._assets_dir = assets_dir
        self._hidden: list[File] = []
        """Images among the pages, while other plugins look at the site's files."""

    def add_asset(self, files: Files, path: str) -> str:
        """Add a file that is no image, unless an author has one of its name. Return its place in the site."""
        dest_uri = f"{self._assets_dir}/{os.path.basename(path)}"  # noqa: PTH119 - as below
        if dest_uri not in files.src_uris:
            self._add(files, dest_uri, path)
        return dest_uri

    def hide_synced(self, files: Files) -> None:
        """Hide the images that `sync` wrote among the pages from other plugins, until `add_images`."""
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
                files.remove(among_pages)  # `sync` wrote it, perhaps from another stored image
                among_pages = None
            if among_pages is None:
                self._add(files, dest_uri, path)
        for file in self._hidden:
            if file.src_uri not in files.src_uris:
                files.append(file)  # of a page that is not built now, or an author's own

    def _add(self, files: Files, dest_uri: str, path: str) -> None:
        files.append(_OwnFile.generated(self._config, dest_uri, abs_src_path=path, inclusion=InclusionLevel.INCLUDED))

    def complete(self, build: SiteBuild) -> None:
        """Copy each file into the site whose address a page, a card, a feed or a template has, and that it lacks.

        Raises:
            NoFileError: a file cannot be had.
        """
        site = f"{self._config.site_dir}{os.sep}"

        def copy(dest_uri: str, path: str) -> None:
            target = site + dest_uri
            if not os.path.isfile(target):  # noqa: PTH113 - as above
                try:
                    copy_file(path, target)
                except FileNotFoundError:
                    raise
                except OSError as error:
                    raise NoFileError(unwritable(target, error, "assets_dir")) from error

        build.deliver(copy)


class _OwnFile(File):
    """A file of the plugin. If another program removes it before it is copied, `OwnFiles.complete` makes it again."""

    def copy_file(self, dirty: bool = False) -> None:
        try:
            super().copy_file(dirty)
        except FileNotFoundError:
            return
        except OSError as error:
            raise PluginError(f"qhaigc: {unwritable(self.abs_dest_path, error, 'assets_dir')}") from error

    def is_modified(self) -> bool:
        """Return whether the site's copy has other bytes: at one address there may be a placeholder for a while."""
        assert self.abs_src_path is not None
        return not os.path.isfile(self.abs_dest_path) or not filecmp.cmp(  # noqa: PTH113 - as above
            self.abs_src_path, self.abs_dest_path, shallow=False
        )
