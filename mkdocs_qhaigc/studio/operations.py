"""One run of a studio: what has been bought, approved and written, and all that a browser can ask for, as plain Python.

Everything is handed in and out as JSON values; what a browser has sent is checked here before anything is done with it.
Safe to use from several threads. No lock is held while the network is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mkdocs_qhaigc._util.files import within
from mkdocs_qhaigc.directives.directive import MOST_VARIANTS
from mkdocs_qhaigc.directives.sizes import read_size
from mkdocs_qhaigc.errors import EditError, QhaigcError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob, JobState
from mkdocs_qhaigc.site.add_shared_images_to_survey import fetch_images
from mkdocs_qhaigc.site.candidates import find_candidates, renew_sheets
from mkdocs_qhaigc.site.reconcile_pins import alone, compare_images, settle
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import open_pins
from mkdocs_qhaigc.studio.editing import PageFile, Writes, diff_of, edited, edited_elsewhere
from mkdocs_qhaigc.studio.host_interface import Host
from mkdocs_qhaigc.studio.image_fields import Declared, Verdict, explain, price_of, words_and_style
from mkdocs_qhaigc.studio.image_states import LEAST_SHOWN, ImageStates
from mkdocs_qhaigc.studio.problem import Problem
from mkdocs_qhaigc.studio.purchases import Purchases, jobs_as_json, plain
from mkdocs_qhaigc.studio.request_fields import TRIED, WRITTEN, given_fields, require_fields, variant_of
from mkdocs_qhaigc.studio.site_view import DeclaredImages, SeenSite, request_of

log = logging.getLogger(__name__)
Publish = Callable[[str, Mapping[str, Any]], None]
_MOST_IDS = 10_000
_MOST_MORE = 100
"""Images by which one request may raise the limit."""
_VERDICTS: tuple[Verdict, ...] = ("approved", "rejected")


class Session:
    """One run of a studio."""

    def __init__(self, host: Host, publish: Publish) -> None:
        """`publish` sends a server-sent event (its name, its data) to all pages that are open."""
        self._host, self._publish = host, publish
        self._images = DeclaredImages(host)
        self._purchases = Purchases(host, publish)
        self._states = ImageStates(host, self._images, self._purchases)
        self._writes = Writes()
        host.observe(self)

    # What a browser is shown

    def state(self, path: str | None) -> dict[str, Any]:
        """Return the images of the site, or those that the page at a path shows or declares.

        Raises:
            Problem: the site cannot be read.
        """
        with self._answering():
            site = self._images.now()
            page = None if path is None else site.page_at(path)
            entries = site.survey.entries if path is None else site.by_page.get(page or "", [])
            options = site.survey.options
            images = self._states.images(entries if page is not None or path is None else [], site)
            last = self._writes.last()
            return {
                "images": images,
                "bar": self._states.bar(site),
                "page": page,
                "engine": self._host.engine,
                "undo": {"file": last} if last else None,
                "models": _models(site.survey),
                "styles": list(options.defaults.styles or {}),
            }

    def image(self, identity: str) -> dict[str, Any]:
        """Return an image with its variants and its history.

        Raises:
            Problem: there is no such image.
        """
        with self._answering():
            site = self._images.now()
            one, snapshot = self._images.declared(site.entry(identity), site), self._states.snapshot(site)
            return {
                "image": self._states.image(one, site, snapshot),
                "variants": self._states.variants(one, snapshot),
                "history": self._states.history(one, site, snapshot),
            }

    # Purchases

    def buy(self, body: dict[str, Any]) -> dict[str, Any]:
        """Buy the next variants of an image that do not exist: `id`, `count`.

        Raises:
            Problem: they cannot be bought.
        """
        with self._answering():
            require_fields(body, "id", "count")
            count = body.get("count", 1)
            if count not in (1, LEAST_SHOWN) or isinstance(count, bool):
                raise Problem(400, "value", f"`count` is {count!r:.40}. Send 1 or {LEAST_SHOWN}")
            site = self._images.now()
            one = self._images.declared(site.entry(body.get("id")), site)
            self._require_welcome(one, site)
            while True:
                jobs = self._free_variants(one, site, count)
                if self._purchases.order([(job, one.entry.target) for job in jobs], site.survey.options):
                    break  # else another tab has ordered some of them meanwhile
            self._tell_bar(site)
            return {"jobs": jobs_as_json(jobs)}

    def buy_missing(self, body: dict[str, Any]) -> dict[str, Any]:
        """Buy the images that are missing, as they are declared: `ids`, or all of them.

        Raises:
            Problem: they cannot be bought.
        """
        with self._answering():
            require_fields(body, "ids")
            site = self._images.now()
            snapshot = self._states.snapshot(site)
            jobs: dict[str, tuple[ImageJob, str]] = {}
            refusal: QhaigcError | None = None
            for entry in self._chosen(body.get("ids"), site):
                one = self._images.declared(entry, site)
                found = snapshot.find(one.request.key)
                refusal = refusal or found.reason
                if found.state == "missing" and not self._purchases.is_under_way(one.request.key):
                    jobs.setdefault(one.request.key, (_job(one), entry.target))
            fetched = fetch_images([job for job, _ in jobs.values()], site.survey.options)
            wanted = [ordered for key, ordered in jobs.items() if key not in fetched]
            if not wanted and refusal and body.get("ids") is not None:
                raise Problem(409, "stopped", plain(refusal, site.survey.options.folder))
            while wanted and not self._purchases.order(wanted, site.survey.options):
                wanted = [one for one in wanted if not self._purchases.is_under_way(one[0].request.key)]
            if fetched:
                self._publish("state", {})
            self._tell_bar(site)
            return {"jobs": jobs_as_json(job for job, _ in wanted)}

    def price(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the price of an image with other fields, for people; buy nothing: `id`, `fields`.

        Raises:
            Problem: the fields have no value that they can have.
        """
        with self._answering():
            require_fields(body, "id", "fields")
            site = self._images.now()
            one = self._images.editable(site.entry(body.get("id")), site)
            tried, _ = self._tried(one, body.get("fields"), site)
            return {"price": price_of(tried.request, site.survey.options)}

    def try_out(self, body: dict[str, Any]) -> dict[str, Any]:
        """Buy an image with other fields, and write nothing: `id`, `fields`.

        Raises:
            Problem: it cannot be bought.
        """
        with self._answering():
            require_fields(body, "id", "fields")
            site = self._images.now()
            options = site.survey.options
            one = self._images.editable(site.entry(body.get("id")), site)
            tried, given = self._tried(one, body.get("fields"), site)
            job = _job(tried)
            found = self._states.snapshot(site).find(job.request.key)
            words, _ = words_and_style(one, options)
            size = read_size(one.written.get("size"))
            asked = {"prompt": words, "size": size, "style": one.written.get("style")}
            told = {**jobs_as_json([job])[0], "request": {**asked, "model": job.request.model, **given}}
            if found.reason:
                raise Problem(409, "stopped", " ".join(filter(None, explain(found.reason, options))))
            if found.stored or fetch_images([job], options):
                return {"jobs": [{**told, "state": "there"}]}
            if not self._purchases.order([(job, one.entry.target)], options):
                return {"jobs": [{**told, "state": "queued"}]}  # another tab has ordered it
            self._tell_bar(site)
            return {"jobs": [told]}

    def raise_budget(self, body: dict[str, Any]) -> dict[str, Any]:
        """Allow more images to be bought in this run of the server: `by`.

        Raises:
            Problem: it is no such number.
        """
        with self._answering():
            require_fields(body, "by")
            by = body.get("by")
            if type(by) is not int or not 1 <= by <= _MOST_MORE:
                raise Problem(400, "value", f"`by` is {by!r:.40}. Send a whole number from 1 to {_MOST_MORE}")
            self._host.budget.raise_by(by)
            return self._tell_bar(self._images.now())

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job has reached a state."""
        self._purchases.changed(job, state)

    # Edits

    def diff(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what would be written: `id`, `fields`, `version`.

        Raises:
            Problem: it cannot be written.
        """
        with self._answering():
            page, text = self._edit(body)
            return {"file": page.shown, "diff": diff_of(page.text, text, page.shown), "version": page.version}

    def save(self, body: dict[str, Any]) -> dict[str, Any]:
        """Write fields of an image into the page that declares it: `id`, `fields`, `version`.

        Raises:
            Problem: it cannot be written. Nothing is.
        """
        with self._answering():
            page, text = self._edit(body)
            return self._write(page, text)

    def pick(self, body: dict[str, Any]) -> dict[str, Any]:
        """Write a variant that is there into the page that declares an image: `id`, `variant`, `version`.

        Raises:
            Problem: it cannot be written. Nothing is.
        """
        with self._answering():
            require_fields(body, "id", "variant", "version")
            variant = variant_of(body.get("variant"))
            site = self._images.now()
            one = self._images.declared(site.entry(body.get("id")), site)
            if not self._states.snapshot(site).find(one.request.of_variant(variant).key).stored:
                raise Problem(404, "unknown", f"there is no variant {variant} of {one.entry.title}. Buy it first")
            page, text = self._edit(
                {**{name: body.get(name) for name in ("id", "version")}, "fields": {"variant": variant}}
            )
            return self._write(page, text)

    def undo(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take back the studio's last write, byte for byte.

        Raises:
            Problem: somebody has written the file since. Nothing is changed.
        """
        with self._answering():
            require_fields(body)
            site = self._images.now()
            undone, diff = self._writes.undo()
            self._note_written(undone.src_uri, undone.version, site)
            return {"file": undone.shown, "diff": diff}

    # Review

    def review(self, body: dict[str, Any]) -> dict[str, Any]:
        """Approve or reject an image, for this run of the server: `id`, `verdict`. Return the image.

        Raises:
            Problem: there is no such image, or no such verdict.
        """
        with self._answering():
            require_fields(body, "id", "verdict")
            verdict: Verdict | None = next((one for one in _VERDICTS if one == body.get("verdict")), None)
            if verdict is None and body.get("verdict") is not None:
                raise Problem(400, "value", "`verdict` is none. Send approved, rejected or null")
            site = self._images.now()
            one = self._images.declared(site.entry(body.get("id")), site)
            self._states.judge(one.request.key, verdict)
            self._tell_bar(site)
            return self._states.image(one, site, self._states.snapshot(site))

    def pin(self, body: dict[str, Any]) -> dict[str, Any]:
        """Copy images into the pins, and take nothing away there: `ids`, or those that are approved.

        Raises:
            Problem: the pins cannot be written.
        """
        with self._answering():
            require_fields(body, "ids")
            site = self._images.now()
            options = site.survey.options
            chosen = [self._images.declared(entry, site) for entry in self._chosen(body.get("ids"), site)]
            if body.get("ids") is None:
                chosen = [one for one in chosen if self._states.verdict(one.request.key) == "approved"]
            entries = {one.request.key: replace(one.entry, request=one.request) for one in reversed(chosen)}
            snapshot = self._states.snapshot(site)
            absent = [_job(one) for one in chosen if snapshot.find(one.request.key).state == "missing"]
            fetch_images(absent, options)
            pinned, left = [], []
            used = {entry.request.key for entry in site.survey.entries} | entries.keys()
            with alone(options):
                there = open_pins(options, quiet=True).contents()
                for entry, one in compare_images(reversed(list(entries.values())), options, there, used=used):
                    if one.kind == "missing":
                        left.append({"id": entry.target, "why": one.why})
                    elif one.kind == "unpinned":
                        try:
                            pinned.append(within(settle(one, options), options.folder))
                        except QhaigcError as error:
                            left.append({"id": entry.target, "why": plain(error, options.folder)})
            if pinned:
                self._publish("state", {})
                self._tell_bar(site)
            return {"pinned": pinned, "left": left}

    def close(self) -> None:
        """End the session."""
        self._host.observe(None)
        self._purchases.close()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raise the errors of this package as problems."""
        try:
            yield
        except Problem:
            raise
        except QhaigcError as error:
            message = plain(error, site.survey.options.folder) if (site := self._images.last) else str(error)
            is_edit = isinstance(error, EditError)
            raise Problem(422 if is_edit else 409, "edit" if is_edit else "stopped", message) from error

    # Purchases, inside

    def _require_welcome(self, one: Declared, site: SeenSite) -> None:
        """Refuse to buy more images of a prompt of which the service has refused a variant, and made none.

        Raises:
            Problem: it is such a prompt.
        """
        snapshot = self._states.snapshot(site)
        if (refused := snapshot.refused_variants(one.request)) and not snapshot.variants(one.request):
            why, remedy = explain(refused[0], site.survey.options)
            raise Problem(409, "stopped", f"{one.entry.title}: {why}. {remedy}")

    def _tried(self, one: Declared, fields: object, site: SeenSite) -> tuple[Declared, dict[str, Any]]:
        """Return an image with the fields that a browser tries out, and these fields.

        Raises:
            Problem: they have no value that they can have.
        """
        given = given_fields(fields, TRIED)
        _, directive = self._states.with_fields(one, given, site, self._states.snapshot(site))
        request = request_of(directive, dark=one.entry.dark)
        assert request is not None  # no field takes the dark image away
        return replace(one, directive=directive, request=request), given

    def _free_variants(self, one: Declared, site: SeenSite, count: int) -> list[ImageJob]:
        """Return jobs for the first variants of an image that do not exist, and are neither refused nor under way."""
        entry = replace(one.entry, request=one.request)
        options = site.survey.options
        snapshot = self._states.snapshot(site)
        free: list[ImageJob] = []
        variant = 0
        while len(free) < count:
            numbers: list[int] = []
            while len(numbers) < count - len(free):
                variant += 1
                key = one.request.of_variant(variant).key
                if variant > MOST_VARIANTS:
                    raise Problem(409, "value", f"{entry.title} has {MOST_VARIANTS} variants, and no more are possible")
                if snapshot.find(key).state == "missing" and not self._purchases.is_under_way(key):
                    numbers.append(variant)
            found = find_candidates(entry, options, numbers)
            if unreadable := next((one.reason for one in found if one.state == "unreadable"), None):
                raise Problem(409, "stopped", plain(unreadable, options.folder))
            free += [candidate.job for candidate in found if candidate.state == "missing"]
        return free

    def _chosen(self, ids: object, site: SeenSite) -> list[SurveyEntry]:
        """Return the images of these ids; all of them for `None`."""
        if ids is None:
            return list(site.survey.entries)
        if not isinstance(ids, list) or len(ids) > _MOST_IDS:
            raise Problem(400, "value", "`ids` is no list. Send the ids of images, or null")
        return [site.entry(identity) for identity in ids]

    # Edits, inside

    def _edit(self, body: dict[str, Any]) -> tuple[PageFile, str]:
        """Return the file of the page that declares an image, and its text with other fields.

        Raises:
            Problem: it cannot be edited, or has changed since it was shown.
        """
        require_fields(body, "id", "fields", "version")
        version = body.get("version")
        given = given_fields(body.get("fields"), WRITTEN)
        site = self._images.now()
        one = self._images.editable(site.entry(body.get("id")), site)
        page, options = one.page, site.survey.options
        assert page is not None
        if not isinstance(version, str):
            raise Problem(400, "value", "`version` is missing. Send the one that came with the image")
        if version != page.version:
            raise edited_elsewhere(page.shown)
        changes, _ = self._states.with_fields(one, given, site, self._states.snapshot(site))
        return page, edited(changes, one.entry.name, page, options.defaults) if changes else page.text

    def _write(self, page: PageFile, text: str) -> dict[str, Any]:
        """Write the text of a page's file; return the JSON fields of the edit."""
        if text == page.text:
            return {"file": page.shown, "diff": "", "version": page.version, "undo": self._writes.last() is not None}
        site = self._images.now()
        version = self._writes.write(page, text, version=page.version)
        self._note_written(page.src_uri, version, site)
        return {
            "file": page.shown,
            "diff": diff_of(page.text, text, page.shown),
            "version": version,
            "undo": True,
        }

    def _note_written(self, src_uri: str, version: str, site: SeenSite) -> None:
        """Note that the file of a page was written, and tell the browser and the server."""
        self._images.note_written(src_uri, version)
        self._host.show_arrivals()
        self._publish("state", {})
        self._tell_bar(site)
        declared = [self._images.declared(entry, site) for entry in site.by_page.get(src_uri, ())]
        try:
            renew_sheets((replace(one.entry, request=one.request) for one in declared), site.survey)
        except StoreError as error:
            log.warning("a sheet of variants marks another one than the page shows: %s", error)

    # The bar

    def _tell_bar(self, site: SeenSite) -> dict[str, Any]:
        """Return the numbers of the bar, and tell all pages of them."""
        bar = self._states.bar(site)
        self._publish("bar", bar)
        return bar


def _job(one: Declared) -> ImageJob:
    return ImageJob(one.entry.title, one.entry.image.job.name, one.request)


def _models(survey: Survey) -> list[str]:
    """Return the names of models that an author may want: those in use first."""
    options = survey.options
    in_use = (entry.request.model for entry in survey.entries)
    priced = options.prices.by_model if options.prices else ()
    listed = (options.defaults.model, *in_use, *priced, *(options.defaults.models or {}))
    return list(dict.fromkeys(listed))
