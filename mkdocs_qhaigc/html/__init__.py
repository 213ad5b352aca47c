"""HTML of pages: tags, the image tag, figures, rewriting of references. Pure."""
