"""Stores of original images and their records: pins and cache."""
