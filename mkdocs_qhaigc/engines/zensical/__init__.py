"""The adapter of Zensical: `sync`, and the lookup of what it has written."""
