"""The adapter for MkDocs: from its events to one build of a site, and back."""
