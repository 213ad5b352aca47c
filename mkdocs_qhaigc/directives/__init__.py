"""Directives: from front matter to requests and keys; edits of front matter; lint of page sources."""
