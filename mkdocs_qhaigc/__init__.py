"""Images for MkDocs pages from prompts in their front matter."""

__version__ = "0.1.0"
