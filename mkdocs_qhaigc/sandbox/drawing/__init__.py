"""Drawings from prompts, for the sandbox. Nobody needs to read this who works on the product."""
