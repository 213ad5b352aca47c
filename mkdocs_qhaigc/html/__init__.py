"""HTML of pages: start tags, the tag of an image, figures, references. Pure: no I/O."""
