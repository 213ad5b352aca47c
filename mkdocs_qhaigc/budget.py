"""How many pictures a build may still buy."""

from __future__ import annotations

import threading

from mkdocs_qhaigc.errors import OverBudget


class Budget:
    """How many pictures may still be bought."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._spent = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Set one picture's price aside.

        Raises:
            OverBudget: the budget is used up.
        """
        with self._lock:
            if self._spent >= self.most:
                raise OverBudget(
                    f"one build may buy {self.most} new pictures (`max_new_images`). "
                    "Build again for the next ones, or raise `max_new_images`"
                )
            self._spent += 1

    def give_back(self) -> None:
        """Put one price back: the call was surely not billed."""
        with self._lock:
            self._spent -= 1
