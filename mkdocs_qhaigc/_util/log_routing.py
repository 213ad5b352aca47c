"""Delivery of this package's log records to the receiver that shows them: an engine's build, a command, or a survey.

WARNING is what a user must see, INFO a note for those who pay or wait. The receiver that was attached last gets all
records; those attached before it get none meanwhile, so nothing is shown twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

_LOGGER = logging.getLogger("mkdocs_qhaigc")


class _Receiver(NamedTuple):
    warn: Callable[[str], None]
    note: Callable[[str], None] | None


class _Dispatcher(logging.Handler):
    """Passes each record's text to the receiver that was attached last."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.receivers: list[_Receiver] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not self.receivers:
            return
        receiver = self.receivers[-1]
        if record.levelno >= logging.WARNING:
            receiver.warn(record.getMessage())
        elif receiver.note:
            receiver.note(record.getMessage())


_dispatcher = _Dispatcher()


def attach(warn: Callable[[str], None], note: Callable[[str], None] | None = None) -> Callable[[], None]:
    """Send every warning to `warn` and every note to `note` (`None` drops them).

    Returns:
        A function that ends this. Calling it again does nothing.
    """
    receiver = _Receiver(warn, note)
    _dispatcher.receivers.append(receiver)
    _LOGGER.addHandler(_dispatcher)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False

    def detach() -> None:
        _dispatcher.receivers[:] = [other for other in _dispatcher.receivers if other is not receiver]
        if not _dispatcher.receivers:
            _LOGGER.removeHandler(_dispatcher)
            _LOGGER.setLevel(logging.NOTSET)
            _LOGGER.propagate = True

    return detach


@contextmanager
def forwarding(warn: Callable[[str], None], note: Callable[[str], None] | None = None) -> Iterator[None]:
    """Send every warning to `warn`, and every note to `note`, while the context lasts."""
    detach = attach(warn, note)
    try:
        yield
    finally:
        detach()
