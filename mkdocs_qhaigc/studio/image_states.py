"""What the studio's page shows of a site's images now: states, reasons, variants, history, the bar; keeps verdicts.

Images, variants, history and the numbers of the bar are given as fields of JSON.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.errors import BudgetExceeded, PromptRejected
from mkdocs_qhaigc.site.survey import SurveyEntry
from mkdocs_qhaigc.studio.editing import changes_of, directive_with
from mkdocs_qhaigc.studio.host_interface import Host
from mkdocs_qhaigc.studio.image_fields import Declared, Status, Verdict, explain, image_fields
from mkdocs_qhaigc.studio.problem import Problem
from mkdocs_qhaigc.studio.purchases import Purchases
from mkdocs_qhaigc.studio.site_view import DeclaredImages, SeenSite, request_of
from mkdocs_qhaigc.studio.stored_images_snapshot import Recorded, Snapshot, StoredImages, earlier_fields

LEAST_SHOWN = 4
"""Variants that are listed, whether or not they are there."""
_MOST_SHOWN = 50
"""Variants that are listed, up to the one in use, whether or not they are there."""
_UNASKED = "it is not bought yet", "Buy it here"


class ImageStates:
    """The states of the images beside one run of a server. Safe to use from several threads."""

    def __init__(self, host: Host, images: DeclaredImages, purchases: Purchases) -> None:
        self._host, self._images, self._purchases = host, images, purchases
        self._stored = StoredImages()
        self._lock = threading.Lock()
        """Held for moments."""
        self._verdicts: dict[str, Verdict] = {}
        """By key."""

    def snapshot(self, site: SeenSite) -> Snapshot:
        """Return what is stored now."""
        return self._stored.now(site.survey.options)

    def judge(self, key: str, verdict: Verdict | None) -> None:
        """Note a verdict about an image; `None` takes it back."""
        with self._lock:
            if verdict:
                self._verdicts[key] = verdict
            else:
                self._verdicts.pop(key, None)

    def verdict(self, key: str) -> Verdict | None:
        """Return the verdict about an image; `None` if there is none."""
        with self._lock:
            return self._verdicts.get(key)

    def with_fields(
        self, one: Declared, given: Mapping[str, Any], site: SeenSite, snapshot: Snapshot
    ) -> tuple[dict[str, Any], Directive]:
        """Return the changes that give an image these fields, and its directive with them.

        A dark image that is there, or under way, stays as it is where the light one gets another variant.

        Raises:
            Problem: a field has no value that it can have.
        """
        assert one.page is not None
        name, defaults, beside = one.entry.name, site.survey.options.defaults, one.directive.dark
        keep_dark = beside is not None and (
            snapshot.find(beside.key).state != "missing" or self._purchases.is_under_way(beside.key)
        )
        changes = changes_of(given, name, one.page, dark=one.entry.dark, keep_dark=keep_dark, defaults=defaults)
        return changes, directive_with(changes, name, one.page, defaults)

    # Images

    def images(self, entries: Iterable[SurveyEntry], site: SeenSite) -> list[dict[str, Any]]:
        """Return the JSON fields of images of the site."""
        snapshot = self.snapshot(site)
        return [self.image(self._images.declared(entry, site), site, snapshot) for entry in entries]

    def image(self, one: Declared, site: SeenSite, snapshot: Snapshot) -> dict[str, Any]:
        """Return the JSON fields of an image."""
        entry, options = one.entry, site.survey.options
        beside = f"{entry.where}{'' if entry.dark else '-dark'}"
        return image_fields(
            one,
            self._status(one, snapshot),
            options,
            pair=beside if beside in site.by_id and one.directive.dark else None,
            files=site.files.get(entry.request.key, ()),  # of what the last build shows
            lacks_alt=site.survey.lacks_alt(entry),
            url=site.url,
        )

    def _status(self, one: Declared, snapshot: Snapshot) -> Status:
        """Return the state of an image at the moment."""
        key, options = one.request.key, snapshot.options
        found, verdict = snapshot.find(key), self.verdict(key)
        if found.stored:
            recorded = snapshot.record_of(found.stored)
            revised = recorded.revised_prompt if recorded else None
            revised = revised if revised != one.request.prompt else None
            state = "shared" if found.state == "cached" and _is_from_shared(one) else found.state
            return Status(state, found.stored, revised, fresh=self._is_fresh(one.entry, key), verdict=verdict)
        if self._purchases.is_under_way(key):
            return Status("making", None, since=round(self._purchases.seconds(key) or 0.0, 1), verdict=verdict)
        if _is_from_shared(one):
            return Status("shared", None, verdict=verdict)
        if found.reason:
            why, remedy = explain(found.reason, options)
            return Status(found.state, None, why=why, remedy=remedy, verdict=verdict)
        why, remedy = self._why_missing(one, options)
        return Status("missing", None, why=why, remedy=remedy, verdict=verdict)

    def _is_fresh(self, entry: SurveyEntry, key: str) -> bool:
        """Whether an image that is there has come in this run of the server: bought here, or by a command beside it."""
        return self._purchases.has_arrived(key) or (entry.state == "missing" and entry.request.key == key)

    def _why_missing(self, one: Declared, options: Options) -> tuple[str, str | None]:
        """Return why an image is missing, and what to do about it."""
        reason = self._purchases.reason(one.request.key)
        if (
            reason is None
            and one.request == one.entry.request
            and not isinstance(one.entry.image.reason, PromptRejected)
        ):
            reason = one.entry.image.reason
        if reason is None or isinstance(reason, BudgetExceeded):  # the limit may have been raised
            reason = self._purchases.obstacle(options)
        return explain(reason, options) if reason else _UNASKED

    # Variants and history

    def variants(self, one: Declared, snapshot: Snapshot) -> list[dict[str, Any]]:
        """Return the variants of an image that are there or were asked for, and the first ones."""
        numbers = {*snapshot.variants(one.request), *self._purchases.ordered_variants(one.request), one.request.variant}
        listed = range(1, min(max(LEAST_SHOWN, one.request.variant), _MOST_SHOWN) + 1)
        rows = []
        for variant in sorted({*numbers, *listed}):
            request = one.request.of_variant(variant)
            status = self._status(replace(one, request=request), snapshot)
            shown = status.stored or request
            reason = status.why if status.state != "missing" or self._purchases.reason(request.key) else None
            rows.append(
                {
                    "variant": variant,
                    "key": request.key,
                    "state": status.state,
                    "reason": reason,
                    "width": shown.width,
                    "height": shown.height,
                }
            )
        return rows

    def history(self, one: Declared, site: SeenSite, snapshot: Snapshot) -> list[dict[str, Any]]:
        """Return the stored images that this image has been, or could have been, as far as it can be so again."""
        if one.page is None:
            return []
        entry = one.entry
        name = entry.image.job.name
        is_only = sum(1 for other in site.survey.entries if other.image.job.name == name) == 1
        used = {other.request.key for other in site.survey.entries if other.target != entry.target}
        rows = []
        for key, recorded in snapshot.records().items():
            made_for = recorded.where.removesuffix(" (dark)") if recorded.where else ""
            if recorded.name != name or not (made_for == entry.where if made_for else is_only) or key in used:
                continue
            row = self._earlier(one, recorded, site, snapshot) if key != one.request.key else None
            if row:
                rows.append(row)
        return sorted(rows, key=lambda row: str(row["made"]), reverse=True)

    def _earlier(self, one: Declared, recorded: Recorded, site: SeenSite, snapshot: Snapshot) -> dict[str, Any] | None:
        """Return an earlier image with the fields by which the directive would have it again; `None` if none do."""
        fields = earlier_fields(recorded, one.written, site.survey.options.defaults)
        if fields is None:
            return None
        try:
            _, directive = self.with_fields(one, fields, site, snapshot)
        except Problem:
            return None
        request = request_of(directive, dark=one.entry.dark)
        if request is None or request.key != recorded.stored.key:
            return None
        return {
            "key": recorded.stored.key,
            **fields,
            "made": recorded.created,
            "width": recorded.stored.width,
            "height": recorded.stored.height,
        }

    # The bar

    def bar(self, site: SeenSite) -> dict[str, Any]:
        """Return the numbers of the whole site, and of this run of the server."""
        options = site.survey.options
        snapshot = self.snapshot(site)
        written = self._images.written_pages()
        counts = dict.fromkeys(("missing", "fresh", "unpinned", "approved"), 0)
        under_way = set(self._purchases.under_way())
        seen: set[str] = set()
        for entry in site.survey.entries:
            request = self._images.declared(entry, site).request if entry.page in written else entry.request
            key = request.key
            if key in seen:
                continue
            seen.add(key)
            state = snapshot.find(key).state
            if state == "missing" and self._purchases.is_under_way(key):
                under_way.add(key)
            from_shared = entry.state == "shared" and entry.request == request
            counts["missing"] += state == "missing" and key not in under_way and not from_shared
            counts["unpinned"] += state == "cached" or (state == "missing" and from_shared)
            counts["fresh"] += state in ("pinned", "cached") and self._is_fresh(entry, key)
            counts["approved"] += self.verdict(key) == "approved" and state != "pinned"
        budget = self._host.budget
        return {
            **counts,
            "spent": self._spent(snapshot),
            "under_way": len(under_way),
            "budget": {"most": budget.most, "left": budget.left},
            "buys": options.serve_buys,
        }

    def _spent(self, snapshot: Snapshot) -> str:
        """Return what was bought in this run of the server: `0.12 USD for 3 images`, or `3 images`."""
        stored = [snapshot.find(key).stored for key in self._purchases.paid()]
        images = f"{len(stored)} {plural(len(stored), 'image', 'images')}"
        cost = snapshot.options.spent(one.bought for one in stored if one)
        return f"{cost} for {images}" if cost and stored else images


def _is_from_shared(one: Declared) -> bool:
    """Whether the last build has found an image in the shared store."""
    return one.entry.state == "shared" and one.request == one.entry.request
