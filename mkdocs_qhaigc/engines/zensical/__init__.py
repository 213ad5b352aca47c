"""Zensical, which runs no MkDocs plugins: `sync` writes images among the pages, and an extension looks them up."""
