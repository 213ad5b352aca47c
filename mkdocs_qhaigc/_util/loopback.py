"""Tells the hosts that are this machine. Pure."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    import ipaddress  # a warm build asks about no host

    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
