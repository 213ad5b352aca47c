"""Connections as the environment wants them: proxies, hosts that are reached without one, trusted certificates.

Each variable is used as far as it can be. For the rest of it, one warning names the variable, and it is left out: the
images can mostly be generated all the same. Values never appear in a message, for a proxy's address holds a password.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import logging
import os
import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx

from mkdocs_qhaigc._util.loopback import is_loopback

log = logging.getLogger(__name__)

_NAME = re.compile(r"(?:\*?\.)?(?P<host>[^\s/:@\[\]*]+|\*)(?::(?P<port>\d{1,5}))?")
"""Matches `example.org`, `.example.org`, `*.example.org` and `*`, each with or without a port."""
_IN_BRACKETS = re.compile(r"\[(?P<host>[^\[\]]*)\](?::(?P<port>\d{1,5}))?")
"""Matches `[::1]` and `[::1]:8080`."""
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""Matches the names under which OpenSSL looks for certificates in a folder."""
_PORTS = {"http": 80, "https": 443}


class _Bypass(NamedTuple):
    """Hosts that are reached without a proxy: those of a network, or those of a domain."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    domain: str
    """Lower-case; `*` for all hosts."""
    port: int | None

    def holds(self, host: str, port: int | None) -> bool:
        """Whether a host is one of them."""
        if self.port not in (None, port):
            return False
        if self.network is None:
            return self.domain == "*" or host == self.domain or host.endswith(f".{self.domain}")
        try:
            return ipaddress.ip_address(host) in self.network
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies to use, and the hosts that are reached without one."""

    by_scheme: Mapping[str, httpx.Proxy]
    """By `http` and `https`."""
    bypassed: tuple[_Bypass, ...]

    def is_used_for(self, url: httpx.URL) -> bool:
        """Whether a URL is reached through the proxy of its scheme."""
        if url.scheme not in self.by_scheme or proxy_bypass(url.host):  # which knows the settings of Windows and macOS
            return False
        if is_loopback(url.host) and not is_loopback(self.by_scheme[url.scheme].url.host):
            return False  # what is meant for this machine, a key too, does not leave it
        host, port = url.host.lower(), url.port or _PORTS[url.scheme]
        return not any(bypass.holds(host, port) for bypass in self.bypassed)


NO_PROXIES = Proxies({}, ())


def read_proxies() -> Proxies:
    """Return the proxies that the environment names, else those of the system's settings."""
    addresses = {scheme: address.strip() for scheme, address in getproxies().items()}
    entries = [entry for entry in re.split(r"[\s,;]+", addresses.pop("no", "")) if entry]  # `;` as on Windows
    if "*" in entries:
        return NO_PROXIES
    usable: dict[str, httpx.Proxy] = {}
    for scheme in (*_PORTS, "all"):
        if not addresses.get(scheme) or (scheme == "all" and all(usable.get(other) for other in _PORTS)):
            continue
        try:
            usable[scheme] = _proxy(addresses[scheme])
        except ValueError as error:
            _leave_out(f"{scheme}_proxy", str(error))
    by_scheme = {scheme: proxy for scheme in _PORTS if (proxy := usable.get(scheme) or usable.get("all"))}
    bypassed, unreadable = [], []
    for entry in entries if by_scheme else ():
        try:
            bypassed.append(_bypass(entry.lower()))
        except ValueError:
            unreadable.append(re.sub(".*:.*@", "", entry))  # what stands before may be a password
    if unreadable:
        what = f"{', '.join(unreadable)}: not a host name, an IP address or a network"
        _leave_out("no_proxy", what, part=True)
    return Proxies(by_scheme, tuple(bypassed))


def create_tls_context() -> ssl.SSLContext:
    """Return how servers are checked: by the certificates that the environment names, else by those of certifi."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and host names
    if sys.version_info >= (3, 13):  # as `ssl.create_default_context`
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if not _trust_file(context) and not _trust_folders(context):
        context.load_verify_locations(certifi.where())
    if path := os.environ.get("SSLKEYLOGFILE"):
        try:
            context.keylog_filename = path
        except (OSError, ValueError) as error:
            _leave_out("SSLKEYLOGFILE", f"the file cannot be written ({_reason(error)})")
    return context


def _proxy(address: str) -> httpx.Proxy:
    """Return the proxy of an address.

    Raises:
        ValueError: it cannot be used. The message does not show it.
    """
    address = re.sub(r"^socks5h(?=://)", "socks5", address)  # httpx 0.27 knows one name; the proxy resolves in both
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        proxy.url.raw_host.decode("ascii").encode("idna")
        port = 1 if proxy.url.port is None else proxy.url.port
        usable = proxy.url.host and 0 < port < 1 << 16 and not re.search(r"\s", address)
    except (httpx.InvalidURL, ValueError):  # also for a scheme that it does not know
        usable = False
    if not usable:
        raise ValueError("it is no address such as http://proxy.example.org:8080")
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ValueError("it names a SOCKS proxy, which needs the package socksio (`pip install socksio`)")
    return proxy


def _bypass(entry: str) -> _Bypass:
    """Return the hosts of an entry of NO_PROXY.

    Raises:
        ValueError: it cannot be read.
    """
    if "/" in entry:
        return _Bypass(ipaddress.ip_network(entry, strict=False), "", None)
    if found := _IN_BRACKETS.fullmatch(entry):
        return _Bypass(ipaddress.ip_network(found["host"]), "", int(found["port"]) if found["port"] else None)
    if entry.count(":") > 1:
        return _Bypass(ipaddress.ip_network(entry), "", None)
    found = _NAME.fullmatch(entry)
    if not found:
        raise ValueError(entry)
    return _Bypass(None, found["host"], int(found["port"]) if found["port"] else None)


def _trust_file(context: ssl.SSLContext) -> bool:
    """Load the certificates of SSL_CERT_FILE; return whether there are any."""
    path = os.environ.get("SSL_CERT_FILE")
    if not path:
        return False
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:
        _leave_out("SSL_CERT_FILE", f"the file cannot be read as certificates in PEM ({_reason(error)})")
        return False
    return True


def _trust_folders(context: ssl.SSLContext) -> bool:
    """Trust the certificates in the folders of SSL_CERT_DIR; return whether there are any."""
    paths = os.environ.get("SSL_CERT_DIR")
    if not paths:
        return False
    try:
        names = [file.name for path in paths.split(os.pathsep) if Path(path).is_dir() for file in Path(path).iterdir()]
        if any(map(_HASHED.fullmatch, names)):
            context.load_verify_locations(capath=paths)
            return True
        why = "no certificate is in it under a name that `openssl rehash` gives"
    except (OSError, ValueError) as error:
        why = f"it cannot be read ({_reason(error)})"
    _leave_out("SSL_CERT_DIR", why)
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)


def _leave_out(name: str, why: str, *, part: bool = False) -> None:
    """Log that a variable, or a part of it, is not used."""
    same = [one for one in os.environ if one.lower() == name.lower()]
    written = name if name in same else next(iter(same), "")  # of both spellings, urllib reads the lower-case one
    where = f"the environment variable {written}" if written else f"the system's setting for {name}"
    log.warning("%s is left out%s: %s. Correct it, or unset it", where, " in part" if part else "", why)
