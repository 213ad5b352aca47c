"""How many images a build may still buy."""

from __future__ import annotations

import threading

from mkdocs_qhaigc.errors import BudgetExceeded

BUILD_BUDGET = (
    "one build may buy {most} new images (`max_new_images`). Build again for the next ones, or raise `max_new_images`"
)


class Budget:
    """How many images may still be bought."""

    def __init__(self, most: int, *, used_up: str = BUILD_BUDGET) -> None:
        """`used_up` is what to say when it is; it may hold `{most}`."""
        self.most = most
        self._used_up = used_up
        self._spent = 0
        self._lock = threading.Lock()

    def take(self, images: int = 1) -> None:
        """Set the price of so many images aside, of all or of none.

        Raises:
            BudgetExceeded: there is not so much left.
        """
        with self._lock:
            if self._spent + images > self.most:
                raise BudgetExceeded(self._used_up.format(most=self.most))
            self._spent += images

    def give_back(self, images: int = 1) -> None:
        """Put the price of so many images back: they were surely not billed."""
        with self._lock:
            self._spent -= images


class Spending:
    """What one order takes of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.images = 0
        """How many it has cost, as far as is known."""

    def take(self, images: int) -> None:
        """As of `Budget`."""
        self._budget.take(images)
        self.images += images

    def give_back(self, images: int) -> None:
        """As of `Budget`."""
        self._budget.give_back(images)
        self.images -= images
