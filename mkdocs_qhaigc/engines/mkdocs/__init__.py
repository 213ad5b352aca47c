"""The adapter for MkDocs: from its events to one build of a site, and back."""

import re

import mkdocs
from mkdocs.exceptions import PluginError

_NUMBERS = re.match(r"(\d+)\.(\d+)", mkdocs.__version__)  # `1.7b1`
if _NUMBERS and tuple(map(int, _NUMBERS.groups())) < (1, 6):  # first: older ones lack what our modules import
    raise PluginError(
        f"qhaigc: this is MkDocs {mkdocs.__version__}, and the plugin needs MkDocs 1.6 or later. "
        "Install it: `pip install 'mkdocs>=1.6,<2'`"
    )
