"""Options: what may be written in mkdocs.yml, its checks and JSON schema; prices; the cache folder's layout."""
