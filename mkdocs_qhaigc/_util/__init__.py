"""Helpers of every room: whole files, locks, threads, text."""
