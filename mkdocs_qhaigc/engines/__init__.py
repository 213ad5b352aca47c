"""Adapters for the engines that build sites."""
