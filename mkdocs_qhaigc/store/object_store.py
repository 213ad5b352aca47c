"""The objects at an address: a bucket, a container, a folder, or a web server to read from. Owns obstore.

Credentials, endpoints, regions and proxies are read by obstore from the environment, as it documents them. Its errors
may contain addresses with signatures, so no text of theirs is ever shown: only what `_reason_of` knows.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from mkdocs_qhaigc.errors import OptionError, StoreError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

_SMALL = 1 << 20
"""Bytes of an object that arrives within `_SECONDS`."""
_SECONDS = 10
"""Seconds for a request of at most `_SMALL` bytes."""
_SLOWEST = 128 << 10
"""Bytes a second of the slowest connection over which larger objects arrive."""
_CONNECT_SECONDS = 3
_RETRY_SECONDS = 5
"""Seconds from a request's start after which it is not tried again."""
_RETRIES = 2
_STATUS = re.compile(r"status code: ([0-9]{3})\b")
_NO_RIGHT = re.compile(r"kind: (PermissionDenied|ReadOnlyFilesystem)\b")
"""Where the files of a folder cannot be read or written."""
_CODE = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")
_CAUSES = (
    (re.compile(r"ConnectionRefused"), "it refuses connections"),
    (re.compile(r"\bTimedOut\b|[Tt]imed out|Elapsed"), "it does not answer in time"),
    (re.compile(r"dns error|failed to lookup"), "the name of its host is not known"),
    (re.compile(r"[Cc]ertificate|tls|TLS"), "its certificate is not trusted"),
    (
        re.compile(
            r"169\.254\.|token request|credential|MissingAccount|Account must|MissingSecretAccess|MissingAccessKey"
        ),
        "there are no credentials for it",
    ),
    (re.compile(r"InvalidAccessKey|Config error"), "its client cannot read the value of one of its variables"),
    (re.compile(r"StorageFull|QuotaExceeded"), "it has no space left"),
    (re.compile(r"builder error"), "it has no `https://`, and the client's variable for `http://` is not set"),
    (re.compile(r"IncompleteMessage|ConnectionReset|connection closed|IncompleteBody"), "it breaks the connection off"),
)
"""What obstore says of an error's cause, and what is said of it here."""


class StoreTrouble(StoreError):  # noqa: N818 - a state
    """The objects cannot be reached, or not be understood."""


class AccessRefused(StoreTrouble):
    """These credentials, or their absence, do not allow a request; or the store knows no such requests."""


class Object(NamedTuple):
    """An object that was read."""

    data: memoryview
    """Read-only; an image is not copied once more."""
    modified: datetime
    """By the store's clock."""


class ListedObject(NamedTuple):
    """An object that was listed."""

    path: str
    """Below the address, with `/`."""
    size: int
    """Bytes."""
    modified: datetime
    """By the store's clock."""


class ObjectStore:
    """The objects at one address. Nothing is connected before the first request. Safe to use from several threads."""

    def __init__(self, url: str, prefix: str = "") -> None:
        """Use an address as the option `shared` has it; `prefix` is added to it.

        Raises:
            OptionError: obstore is not installed.
        """
        try:
            import obstore  # noqa: F401 - a warm build needs no client
        except ImportError as error:
            raise OptionError(
                "shared",
                "it needs the package obstore, which is not installed. Run `pip install 'mkdocs-qhaigc[shared]'`",
            ) from error
        self._scheme, self._url, self._prefix = urlsplit(url).scheme, url, prefix
        self._clients: dict[int, Client] = {}
        """By seconds for a request."""
        self._lock = threading.Lock()
        self._folder: tuple[Path, tuple[int, int]] | None = None
        """A folder, and what tells it from another one at its place; `None` for other stores, and before `begin`."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can ever be written."""
        return self._scheme in ("http", "https")

    def begin(self) -> None:
        """Begin a build. A folder has to stay the one that it is: what is written where none is mounted is lost.

        Raises:
            StoreTrouble: there is no such folder.
        """
        if self._scheme == "file":
            with _translating():
                folder = Path(unquote(urlsplit(self._url).path))
                self._folder = folder, _identity(folder)

    def require_reachable(self) -> None:
        """Check that the bucket, container or folder exists.

        Raises:
            StoreTrouble: it does not, or that cannot be found out.
        """
        next(self.list(), None)

    def get(self, path: str, *, most: int, expected: int = 0) -> Object | None:
        """Return an object; `None` if there is none.

        Args:
            most: bytes; a larger object is not read.
            expected: bytes, if they are known; the larger, the more time it gets.

        Raises:
            StoreTrouble: it cannot be read.
        """
        with _translating():
            try:
                found = self._client(expected).get(path)
            except FileNotFoundError:
                return None
            if found.meta["size"] > most:
                raise StoreTrouble(f"{path} has {found.meta['size']} bytes, more than it can have")
            return Object(memoryview(found.bytes()), found.meta["last_modified"])

    def create(self, path: str, data: bytes) -> bool:
        """Write an object if there is none; return whether it was written. Some stores write in any case.

        Raises:
            StoreTrouble: it cannot be written.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with _translating():
            try:
                self._client(len(data)).put(path, data, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    def put(self, path: str, data: bytes) -> None:
        """Write an object, over another one if there is one.

        Raises:
            StoreTrouble: it cannot be written.
        """
        with _translating():
            self._client(len(data)).put(path, data, use_multipart=False)

    def modified(self, path: str) -> datetime | None:
        """Return when an object was written, by the store's clock; `None` if there is none.

        Raises:
            StoreTrouble: it cannot be found out.
        """
        with _translating():
            try:
                return self._client(0).head(path)["last_modified"]
            except FileNotFoundError:
                return None

    def list(self, prefix: str = "") -> Iterator[ListedObject]:
        """Yield the objects below a prefix, in no order.

        Raises:
            StoreTrouble: they cannot be listed, or there is no such bucket, container or folder.
        """
        with _translating():
            for chunk in self._client(0).list(prefix or None, chunk_size=1000):
                for found in chunk:
                    yield ListedObject(found["path"], found["size"], found["last_modified"])

    def delete(self, path: str) -> None:
        """Remove an object, if there is one.

        Raises:
            StoreTrouble: it cannot be removed.
        """
        with _translating(), suppress(FileNotFoundError):
            self._client(0).delete(path)

    def _client(self, size: int) -> Client:
        """Return the client whose requests have time for that many bytes.

        Raises:
            StoreTrouble: the folder has gone.
        """
        if self._folder:
            folder, identity = self._folder
            try:
                is_same = _identity(folder) == identity
            except OSError:
                is_same = False
            if not is_same:
                raise StoreTrouble("its folder has gone since this build began, or another one is in its place")
        seconds = _SECONDS
        while size > _SMALL + (seconds - _SECONDS) * _SLOWEST:
            seconds *= 2
        with self._lock:
            if seconds not in self._clients:
                self._clients[seconds] = self._open(seconds)
            return self._clients[seconds]

    def _open(self, seconds: int) -> Client:
        from obstore import store

        parts = urlsplit(self._url)
        prefix = "/".join(part for part in (unquote(parts.path).strip("/"), self._prefix) if part)
        if self._scheme == "file":
            folder = Path(unquote(parts.path))
            if not folder.is_dir():  # a network folder that is not mounted is no empty one
                raise FileNotFoundError(folder)
            inside = folder / self._prefix
            inside.mkdir(exist_ok=True)
            return store.LocalStore(inside)
        retries: Any = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2},
        }
        # As settings of the store they are added to those in the environment; as `client_options` they replace them.
        limits: Any = {"connect_timeout": f"{_CONNECT_SECONDS}s", "timeout": f"{seconds}s"}
        if self.read_only:
            url = f"{self._url.rstrip('/')}/{self._prefix}".rstrip("/")
            limits["allow_http"] = self._scheme == "http"
            return store.HTTPStore(url, client_options=limits, retry_config=retries)
        bucket = parts.netloc
        where: Any = prefix or None
        if self._scheme == "gs":
            return store.GCSStore(bucket, prefix=where, config=limits, retry_config=retries)
        if self._scheme == "az":
            return store.AzureStore(bucket, prefix=where, config=limits, retry_config=retries)
        return store.S3Store(bucket, prefix=where, config=limits, retry_config=retries)


def _identity(folder: Path) -> tuple[int, int]:
    """Return what tells a folder from another one that is at its place later."""
    status = folder.stat()
    return status.st_dev, status.st_ino


@contextmanager
def _translating() -> Iterator[None]:
    """Raise the client's errors as those of this package, without their texts: see above."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        raise _trouble(error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of pyo3, which cannot be imported: no `Exception`
            raise
        reason = "its client fails. Look for a line break or a blank in its variables: credentials, endpoint, region"
        raise StoreTrouble(reason) from None


def _trouble(error: Exception) -> StoreTrouble:
    """Return the error of this package for one of the client's."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    text = str(error)
    status = _STATUS.search(text)
    without_identity = "169.254." in text
    refused = isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError))
    if refused or _NO_RIGHT.search(text) or (status and status[1] in ("401", "403") and not without_identity):
        return AccessRefused(f"it refuses access{_code_in(text)}")
    if status and status[1] in ("405", "501"):  # to `If-None-Match`, for example
        return AccessRefused(f"it answers with the status {status[1]}")
    return StoreTrouble(_reason_of(error, text, None if without_identity else status))


def _code_in(text: str) -> str:
    """Return the store's own word for an error, in brackets."""
    code = _CODE.search(text)
    return f" ({code[1]})" if code else ""


def _reason_of(error: Exception, text: str, status: re.Match[str] | None) -> str:
    if isinstance(error, FileNotFoundError) or (status and status[1] == "404"):
        return "there is no such bucket, container or folder"
    if status:
        return f"it answers with the status {status[1]}{_code_in(text)}"
    cause = next((said for pattern, said in _CAUSES if pattern.search(text)), None)
    return cause or f"its client fails ({type(error).__name__})"
