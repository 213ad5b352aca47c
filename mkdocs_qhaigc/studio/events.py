"""Server-sent events: what happens on the server, told to every page that is open."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PAUSE = 15.0
"""Seconds without an event after which a comment is sent: only a write shows that a page has gone."""
_MOST = 32
"""Pages that are told at once; each has a thread of the server."""
_MOST_UNREAD = 1000
"""Events that a page may leave unread before it is given up."""


class Events:
    """The pages that are open, as far as they listen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: list[Stream] = []
        self._closed = False

    def publish(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell all pages of an event."""
        text = f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.send(text)

    def stream(self) -> Stream:
        """Return the events from now on, for one page."""
        stream = Stream(self._forget)
        with self._lock:
            self._streams.append(stream)
            surplus = self._streams[:] if self._closed else self._streams[:-_MOST]
        for one in surplus:
            one.end()
        return stream

    @property
    def heard(self) -> bool:
        """Whether any page listens."""
        return bool(self._streams)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.end()

    def _forget(self, stream: Stream) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)


class Stream(Iterator[bytes]):
    """The events for one page, in the form of `text/event-stream`; ends when the page has gone."""

    def __init__(self, on_close: Callable[[Stream], None]) -> None:
        """`on_close` is called once the server sends no more."""
        self._waiting: queue.Queue[bytes | None] = queue.Queue()
        self._waiting.put(b": connected\n\n")
        self._on_close = on_close

    def send(self, text: bytes) -> None:
        """Send an event to the page."""
        if self._waiting.qsize() < _MOST_UNREAD:
            self._waiting.put(text)
        else:
            self.end()

    def end(self) -> None:
        """Send no more."""
        self._on_close(self)
        self._waiting.put(None)

    def __next__(self) -> bytes:
        try:
            text = self._waiting.get(timeout=_PAUSE)
        except queue.Empty:
            return b": still here\n\n"
        if text is None:
            raise StopIteration
        return text

    def close(self) -> None:
        """Note that the page has gone. WSGI servers call this."""
        self._on_close(self)
