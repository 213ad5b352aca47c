"""The images of a team, in an object store that all its machines ask before they buy.

Below the address of the option `shared` (for a sandbox's images, below `sandbox/` there):

    mkdocs-qhaigc.json                       what this is; made once, by the first machine that writes
    3f/3f9a…64 hex digits of the key….json   the record, as beside any stored image; signed if there is a secret
    3f/3f9a…-16 hex of the sha256.png        the bytes: `png`, `jpg`, `webp` or `avif`, as the record's format says
    leases/3f9a…/1.json                      who is buying the image, see `generation.shared_leases`

An image counts as shared when its record is there. The bytes are written first, under a name that has their digest, so
no two machines write to one place; the record is created only if there is none, so the first one stays. Nothing is
replaced or removed by a build.

A store in trouble is said once and not asked again before `renew`: no build fails for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc._util.threads import Workers
from mkdocs_qhaigc.config.option_types import SANDBOX
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.imaging.formats import EXTENSIONS, LARGEST_IMAGE, format_of
from mkdocs_qhaigc.store.image_store import owning
from mkdocs_qhaigc.store.object_store import AccessRefused, ListedObject, ObjectStore, StoreTrouble
from mkdocs_qhaigc.store.record import LARGEST_RECORD, StoredImage, parse_record
from mkdocs_qhaigc.store.record_signing import FIELD, SECRET_VARIABLE, is_signed, sign

if TYPE_CHECKING:
    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.store.image_store import ImageStore

log = logging.getLogger(__name__)
DESCRIPTION = "mkdocs-qhaigc.json"
"""The object that says what the others are. Made twice, it shows whether the store keeps conditions."""
LEASES = "leases"
_SCHEMA = 1
_AT_ONCE = 14
"""Requests at once."""
_CORE = frozenset(("schema", "key", "sha256", "bytes", "format", "width", "height", "colour", FIELD))
"""The fields of a record that are not about how the image was made."""
_ASK_AGAIN = 60.0
"""Seconds for which a store in trouble is left alone: each build of a preview would wait for it."""
Upload = Literal["uploaded", "there", "taken", "not uploaded"]
"""`there`: the store had the same image; `taken`: it has another image of the key."""


class SharedRecord(NamedTuple):
    """A record in the store that can be used."""

    fields: Mapping[str, Any]
    image: StoredImage
    """As the record has it; its path is the one in the store."""


class _UnusableError(Exception):
    """An image of the store that cannot be used; says why."""


class SharedImages:
    """The shared images of one site. Safe to use from several threads. No method fails for trouble with the store."""

    def __init__(self, options: Options, cache: ImageStore) -> None:
        """Connect to nothing yet. What is found is copied into `cache`."""
        assert options.shared
        self._options = options
        self._url = options.shared
        self._cache = cache
        self._secret = os.environ.get(SECRET_VARIABLE, "").strip().encode()
        self._store: ObjectStore | None = None
        self._contact = threading.RLock()
        """Held while the store is asked for the first time, and while it is tried."""
        self._reached = False
        self._trouble = False
        self._trouble_at = 0.0
        """When it was noted, on `time.monotonic()`'s clock."""
        self.is_needed = True
        """Whether the build needs it for its own images; else trouble is no warning."""
        self._refused = not options.shared_writable
        self._conditional: bool | None = None
        self._told: set[str] = set()
        self._workers: Workers[Any] = Workers(_AT_ONCE, "qhaigc-shared")
        self.fetched: set[str] = set()
        """Keys of images that have come from the store."""

    def renew(self) -> None:
        """Begin another build, which asks the store again, unless that was in trouble a moment ago."""
        with self._contact:
            self._trouble = self._trouble and time.monotonic() - self._trouble_at < _ASK_AGAIN
            self._reached = False
            self._refused = not self._options.shared_writable
            self._told.clear()
            self.fetched.clear()

    def close(self) -> None:
        """End the threads; requests under way are not waited for."""
        self._workers.close()

    def require_client(self) -> None:
        """Check that there is a client, before anything is asked in a thread.

        Raises:
            OptionError: it is not installed.
        """
        with self._contact:
            self._store = self._store or ObjectStore(self._url, SANDBOX if self._options.sandboxed else "")

    # Reading

    def start(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        """Return the future of a method of this object, which runs in a thread of its own: a few at once."""
        return self._workers.submit(work, *args)

    def fetch(self, key: str, name: str) -> StoredImage | None:
        """Copy the image of a key into the cache and return it there; `None` if it cannot be had.

        Raises:
            StoreError: the cache cannot be written.
        """
        found = self._download(key)
        if found is None:
            return None
        with owning(key, self._options):
            if self._cache.files_of(key):
                if image := self._cache.find(key, fresh=True):
                    return image
                self._cache.make_room(key)  # bytes of a program that was killed, for example
            return self._save(name, *found)

    def fetch_for_owner(self, key: str, name: str) -> StoredImage | None:
        """Do the same as `fetch`, for the owner of the key."""
        found = self._download(key)
        return None if found is None else self._save(name, *found)

    def look_up(self, keys: Iterable[str]) -> set[str]:
        """Return those of these keys whose records are in the store, and can be used."""
        found = [(key, self.start(self._find, key)) for key in dict.fromkeys(keys)]
        return {key for key, future in found if future.result() is not None}

    # Writing

    @property
    def writable(self) -> bool:
        """Whether images may be uploaded, as far as it is known; nothing is asked."""
        return not self._refused and not self._trouble

    @property
    def objects(self) -> ObjectStore | None:
        """The objects, for leases: `None` if the store cannot be written, or ignores conditions."""
        store = self._to_write()
        return store if store and self._conditional else None

    def upload(self, image: StoredImage) -> Upload:
        """Upload a stored image, unless the store has one of its key. The caller may own the key.

        Raises:
            StoreError: the image cannot be read here.
        """
        record = image.record
        if is_sandboxed(record) != self._options.sandboxed:
            return "not uploaded"
        store = self._to_write()
        if store is None:
            return "not uploaded"
        if (record.get("key"), record.get("sha256")) != (image.key, image.sha256):
            raise StoreError(f"{image.record_path} has changed since it was read")
        data = image.read()
        if self._secret:
            record = sign(record, self._secret)
        text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        path = _record_path(image.key)
        try:
            known = None if self._conditional else self._digest_at(store, path)
            image_path = _image_path(image)
            if known is None or (known == image.sha256 and store.modified(image_path) is None):
                store.create(image_path, data)
            if known is None:
                created = store.create(path, text.encode(errors="backslashreplace"))
                known = None if created else self._digest_at(store, path)
        except StoreTrouble as error:
            self.note_trouble(error, writing=True)
            return "not uploaded"
        self._cache.unmark_unshared(image.key)
        if known not in (None, image.sha256):
            return "taken"
        return "there" if known else "uploaded"

    def publish(self, image: StoredImage, name: str) -> StoredImage:
        """Upload an image that was bought; return it, or the one that another machine has uploaded before.

        Then the cache keeps this one as `….replaced`. For the owner of the key.

        Raises:
            StoreError: the cache cannot be read or written.
        """
        if self.upload(image) != "taken":
            return image
        winner = self._download(image.key)
        if winner is None:
            return image
        self._cache.make_room(image.key, ending="replaced")
        return self._save(name, *winner)

    def publish_late(self, image: StoredImage, name: str) -> StoredImage:
        """Do the same as `publish`, for an image that an earlier build could not upload."""
        with owning(image.key, self._options):
            return self.publish(image, name)

    def mark(self, key: str) -> None:
        """Note on the disk, before an image is saved, that it is to be uploaded: this program may be killed."""
        if self._options.shared_writable:
            with suppress(StoreError):  # that the image cannot be saved is said by who saves it
                self._cache.mark_unshared(key)

    # For commands: these say what is wrong

    def listing(self) -> dict[str, list[ListedObject]]:
        """Return the records and images in the store, by key. Those of a key without a record do not count as shared.

        Raises:
            StoreTrouble: they cannot be listed.
        """
        found: dict[str, list[ListedObject]] = {}
        for one in self._require().list():
            if key := key_of(one.path):
                found.setdefault(key, []).append(one)
        return found

    def old_leases(self, *, seconds: float) -> list[ListedObject]:
        """Return the leases that were written so long ago, by the store's clock and this one's.

        Those of an image go together: without the first, a machine would begin anew beside the holder of the last.

        Raises:
            StoreTrouble: they cannot be listed.
        """
        leases = list(self._require().list(LEASES))
        young = {PurePosixPath(one.path).parent for one in leases if age_of(one) < seconds}
        return [one for one in leases if PurePosixPath(one.path).parent not in young]

    def remove(self, objects: Iterable[ListedObject]) -> None:
        """Remove the objects of an image, the record first; or leases.

        Raises:
            StoreTrouble: one cannot be removed.
        """
        for one in sorted(objects, key=lambda one: not one.path.endswith(".json")):
            self._require().delete(one.path)

    def _require(self) -> ObjectStore:
        store = self._to_read()
        if store is None or store.read_only:
            raise StoreTrouble(f"the shared store {self._url} cannot be used for this")
        return store

    # What stops it

    def note_trouble(self, error: StoreTrouble, *, writing: bool = False) -> None:
        """Do without the store until `renew`, and say so; without writing to it, if only that was refused."""
        with self._contact:
            if writing and isinstance(error, AccessRefused):
                self._refused = True
                self._tell(
                    log.info, f"{error}, for writing. Images are read from there, and what this machine buys stays here"
                )
                return
            if not self._trouble:
                self._trouble, self._trouble_at = True, time.monotonic()
                say = log.warning if self.is_needed else log.info
                self._tell(say, f"{error}. It is not asked again in this build, which goes on without it")

    def _tell(self, say: Callable[..., None], message: str) -> None:
        """Log a message about the store, once."""
        with self._contact:
            if message in self._told:
                return
            self._told.add(message)
        say("the shared store %s: %s", self._url, message)

    # Inside

    def _to_read(self) -> ObjectStore | None:
        """Return the objects, once the store has shown that it is there; `None` if it is in trouble."""
        with self._contact:
            if self._trouble:
                return None
            if self._reached:
                return self._store
            self.require_client()
            store = self._store
            assert store
            try:
                self._reach(store)
            except StoreTrouble as error:
                self.note_trouble(error)
                return None
            self._reached = True
            return store

    def _reach(self, store: ObjectStore) -> None:
        """Read the store's description. Where there is none, the store must be an empty one.

        Raises:
            StoreTrouble: it cannot be reached, or is none.
        """
        store.begin()
        description = store.get(DESCRIPTION, most=LARGEST_RECORD)
        if description is None and store.read_only:
            raise StoreTrouble(f"there is no {DESCRIPTION}, which every shared store has. Correct the address")
        if description is None and self._identity in self._known_stores():  # a folder that is not mounted, for example
            raise StoreTrouble(
                f"it is empty now, and was not when this machine last used it. If that is meant, remove "
                f"{self._options.cache.shared_stores}"
            )
        if description is None:
            store.require_reachable()
        elif _json(description.data).get("schema") != _SCHEMA:
            raise StoreTrouble(f"its {DESCRIPTION} is not one that this version can read")

    def _to_write(self) -> ObjectStore | None:
        """Return the objects, once it is known whether the store keeps conditions; `None` if nothing can be written."""
        if not self.writable:
            return None
        store = self._to_read()
        if store is None:
            return None
        with self._contact:
            if self._conditional is None:
                try:
                    self._conditional = self._keeps_conditions(store)
                except StoreTrouble as error:
                    self.note_trouble(error, writing=True)
            if self._conditional is False:
                self._tell(
                    log.info,
                    "it ignores conditions on writes. So nobody can be asked to wait, and two machines that build at "
                    "once may buy the same image",
                )
            return store if self.writable else None

    def _keeps_conditions(self, store: ObjectStore) -> bool:
        """Return whether an object can be created only if it is absent: remembered in the cache, else tried.

        Raises:
            StoreTrouble: nothing can be written.
        """
        known = self._known_stores()
        if isinstance(known.get(self._identity), bool):
            return bool(known[self._identity])
        about = "Images that mkdocs-qhaigc has bought, for all machines of a team. See its page on sharing images."
        text = json.dumps({"schema": _SCHEMA, "about": about}, indent=2) + "\n"
        store.create(DESCRIPTION, text.encode())
        keeps = not store.create(DESCRIPTION, text.encode())
        self._options.cache.prepare()
        with suppress(OSError):  # then the next build tries again
            text = json.dumps({**known, self._identity: keeps}, indent=2)
            atomic_write(self._options.cache.shared_stores, text.encode())
        return keeps

    @property
    def _identity(self) -> str:
        """A digest of its address and of the servers it may be at, which tells this store from others in the cache."""
        servers = sorted(
            value for name, value in os.environ.items() if "ENDPOINT" in name and name.startswith(("AWS", "AZ", "GOOG"))
        )
        return hashlib.sha256(json.dumps([self._url, self._options.sandboxed, servers]).encode()).hexdigest()

    def _known_stores(self) -> dict[str, Any]:
        """Return whether stores keep conditions, by identity."""
        try:
            return _json(self._options.cache.shared_stores.read_bytes())
        except (OSError, StoreTrouble):
            return {}

    def _find(self, key: str) -> SharedRecord | None:
        """Return the record of a key; `None` if there is none that can be used."""
        store = self._to_read()
        if store is None:
            return None
        try:
            found = store.get(_record_path(key), most=LARGEST_RECORD)
            return self._checked(key, found.data) if found else None
        except _UnusableError as error:
            self._tell(log.warning, f"{error}. It is not used")
        except StoreTrouble as error:
            self.note_trouble(error)
        return None

    def _download(self, key: str) -> tuple[SharedRecord, memoryview] | None:
        """Return the record and the bytes of a key; `None` if they cannot be used."""
        record, store = self._find(key), self._store
        if record is None or store is None:
            return None
        image = record.image
        path = _image_path(image)
        try:
            found = store.get(path, most=LARGEST_IMAGE, expected=image.size)
        except StoreTrouble as error:
            self.note_trouble(error)
            return None
        if found is None:
            wrong = "is missing, and its record is there"
        elif hashlib.sha256(found.data).hexdigest() != image.sha256:
            wrong = "is damaged, its bytes are not those that its record says"
        elif format_of(found.data) != image.format:
            wrong = f"is no {image.format}, and its record says so"
        else:
            return record, found.data
        remedy = "Remove both from there, and run `mkdocs-qhaigc share` on a machine that has the image"
        self._tell(log.warning, f"the image {path} {wrong}. It is not used. {remedy}")
        return None

    def _checked(self, key: str, data: memoryview) -> SharedRecord:
        path = _record_path(key)
        try:
            record = _json(data)
            image = parse_record(record, Path(path))
        except (StoreTrouble, ValueError):
            raise _UnusableError(f"{path} is no record that this version can read") from None
        if image.key != key:
            raise _UnusableError(f"{path} is the record of another image")
        if self._secret and not is_signed(record, self._secret):
            raise _UnusableError(
                f"there are records without the signature that {SECRET_VARIABLE} gives, and images without one are "
                "not trusted"
            )
        if is_sandboxed(record) != self._options.sandboxed:
            raise _UnusableError(
                f"{path} is of an image that {'no' if self._options.sandboxed else 'a'} sandbox has drawn"
            )
        return SharedRecord(record, image)

    def _digest_at(self, store: ObjectStore, path: str) -> str | None:
        """Return the sha256 of the image whose record is in the store; `None` if there is none.

        An empty text: the record cannot be used.
        """
        found = store.get(path, most=LARGEST_RECORD)
        if found is None:
            return None
        try:
            return parse_record(_json(found.data), Path(path)).sha256
        except (StoreTrouble, ValueError):
            return ""

    def _save(self, name: str, record: SharedRecord, data: memoryview) -> StoredImage:
        image = record.image
        saved = self._cache.save(
            name=name,
            key=image.key,
            data=data,
            format=image.format,
            width=image.width,
            height=image.height,
            colour=image.colour,
            about={field: value for field, value in record.fields.items() if field not in _CORE},
            sha256=image.sha256,
        )
        self.fetched.add(image.key)
        return saved


def open_shared(options: Options, cache: ImageStore) -> SharedImages | None:
    """Return the shared images of a site; `None` if its options name none."""
    return SharedImages(options, cache) if options.shared else None


def is_sandboxed(record: Mapping[str, Any]) -> bool:
    """Whether a record is of an image that a sandbox has drawn, or of one in the place of such an image."""
    request = record.get("request")
    return record.get("api") == SANDBOX or (isinstance(request, Mapping) and bool(request.get("sandbox")))


def age_of(one: ListedObject) -> float:
    """Return the seconds since an object was written."""
    return (datetime.now(timezone.utc) - one.modified).total_seconds()


def key_of(path: str) -> str | None:
    """Return the key of the record or image at a path of the store; `None` for anything else."""
    name = PurePosixPath(path).name
    key = name[:64]
    known = len(name) > 64 and path == f"{key[:2]}/{name}" and not key.strip("0123456789abcdef")
    return key if known else None


def _record_path(key: str) -> str:
    return f"{key[:2]}/{key}.json"


def _image_path(image: StoredImage) -> str:
    return f"{image.key[:2]}/{image.key}-{image.sha256[:16]}.{EXTENSIONS[image.format]}"


def _json(data: bytes | memoryview) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        StoreTrouble: it is none.
    """
    try:
        value = json.loads(bytes(data))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StoreTrouble("it answers with something else than was stored there")
    return value
