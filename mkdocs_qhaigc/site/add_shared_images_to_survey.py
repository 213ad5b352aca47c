"""Adds to a survey what the shared store has: images fetched into the cache, or only marked `shared`.

For the commands and the studio; a build fetches in `image_pipeline`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage, resolved
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import open_cache


def absent(survey: Survey) -> list[SurveyEntry]:
    """Return the images that this machine has not, each once; others may have one whose prompt was refused here."""
    return [one for one in survey.each_once() if one.state in ("missing", "refused")]


def look_up_shared(survey: Survey) -> Survey:
    """Return a survey in which the images that only the shared store has are not missing, but `shared`.

    Nothing is copied.
    """
    missing = {one.request.key: one.image for one in absent(survey)}
    if not missing or not survey.options.shared:
        return survey
    from mkdocs_qhaigc.store.shared_images import SharedImages  # most sites share nothing, as below

    with closing(SharedImages(survey.options, open_cache(survey.options, quiet=True))) as shared:
        shared.require_client()
        found = shared.look_up(missing)
    return _with(survey, {key: missing[key]._replace(state="shared", reason=None) for key in found})


def fetch_shared(survey: Survey, *, without: Container[str] = ()) -> Survey:
    """Return the same as `look_up_shared`, with these images copied into the cache.

    `without`: keys of images that are not asked for.

    Raises:
        StoreError: the cache cannot be written.
    """
    wanted = [one.image.job for one in absent(survey) if one.request.key not in without]
    return _with(survey, fetch_images(wanted, survey.options))


def fetch_images(missing: Sequence[ImageJob], options: Options) -> dict[str, ResolvedImage]:
    """Return those of these images that the shared store has, by key, copied into the cache.

    Raises:
        StoreError: the cache cannot be written.
    """
    if not missing or not options.shared:
        return {}
    from mkdocs_qhaigc.store.shared_images import SharedImages

    with closing(SharedImages(options, open_cache(options, quiet=True))) as shared:
        shared.require_client()
        futures = [(job, shared.start(shared.fetch, job.request.key, job.name)) for job in missing]
        images = [(job, future.result()) for job, future in futures]
    return {job.request.key: resolved(job, "shared", image) for job, image in images if image}


def _with(survey: Survey, images: Mapping[str, ResolvedImage]) -> Survey:
    """Return a survey with other images of these keys."""
    entries = (replace(one, image=images.get(one.request.key, one.image)) for one in survey.entries)
    return replace(survey, entries=tuple(entries))
