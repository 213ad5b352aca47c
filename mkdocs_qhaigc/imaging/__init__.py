"""Everything that touches pixels: the one owner of Pillow."""
