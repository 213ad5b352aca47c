"""The adapter for MkDocs: from its events to one build of a site, and back."""

import mkdocs
from mkdocs.exceptions import PluginError

if tuple(map(int, mkdocs.__version__.split(".")[:2])) < (1, 6):  # first: older ones lack what our modules import
    raise PluginError(
        f"qhaigc: this is MkDocs {mkdocs.__version__}, and the plugin needs MkDocs 1.6 or later. "
        "Install it: `pip install 'mkdocs>=1.6,<2'`"
    )
