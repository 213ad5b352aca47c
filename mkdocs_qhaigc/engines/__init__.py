"""Adapters: events and files of an engine to and from one build of a site."""
