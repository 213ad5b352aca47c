"""The fields of what commands print with `--json`, and of the file of the option `report`: the documentation's table.

A name is a path: `images[].page` is the field `page` of each entry of `images`.
"""

from __future__ import annotations

from collections.abc import Mapping

_IMAGE: Mapping[str, str] = {
    "images[].page": "the page that declares it; empty for the option `images`",
    "images[].name": "its name on that page",
    "images[].dark": "whether it is the one for dark pages",
    "images[].model": "the model's name",
    "images[].size": "as it is asked for: `WIDTHxHEIGHT`, or a service's own word",
    "images[].variant": "the directive's variant",
    "images[].prompt": "the final prompt, with the styles",
    "images[].references": "its reference images: files relative to mkdocs.yml, other images as `PAGE#NAME`",
    "images[].key": "the sha256 that finds it",
    "images[].state": "pinned, cached, shared, missing, refused or unreadable",
    "images[].file": "the original's file; null if there is none",
    "images[].reason": "why it is refused or unreadable; else null",
    "images[].pages": "the pages that show it",
}
_COST: Mapping[str, str] = {
    "cost": "by the option `prices`; null without that option",
    "cost.amount": "the sum",
    "cost.currency": "the currency of `prices`",
    "cost.unknown": "how many images have no price",
}
_SPENT: Mapping[str, str] = {
    "images": "how many images were bought",
    **_COST,
    "input_tokens": "how many tokens of prompts and references the service has counted; 0 where it counts none",
    "output_tokens": "how many tokens of images the service has counted; 0 where it counts none",
}

JSON_FIELDS: Mapping[str, Mapping[str, str]] = {
    "plan": {**_IMAGE, "to_buy": "how many images a build would buy", **_COST},
    "generate": {
        **_IMAGE,
        "images[].state": "generated, refused or missing",
        "images[].reason": "why there is none; null where there is one",
        "generated": "how many images were bought",
        "failed": "how many could not be had",
        **_COST,
    },
    "candidates": {
        "image": "the image whose variants these are, as `PAGE#NAME`",
        "candidates[].variant": "the variant's number",
        "candidates[].state": "pinned, cached, generated, missing, refused or unreadable",
        "candidates[].in_use": "whether the page shows this one",
        "candidates[].key": "the sha256 that finds it",
        "candidates[].file": "the original's file; null if there is none",
        "candidates[].reason": "why there is none; null where there is one",
        "sheet": "the file of the contact sheet",
    },
    "pin": {
        "changed": "false with `--check`",
        "folders[].pins_dir": "the folder of pins; sites that share one are one entry",
        "folders[].differs": "whether something is left to do",
        "folders[].problems": "directives that cannot be used",
        "folders[].pins[].state": "as it should be, pinned, taken away, missing or kept; with `--check`: as it should "
        "be, not pinned, not used or missing",
        "folders[].pins[].page": "the page that declares it; null for a file that nothing uses",
        "folders[].pins[].name": "its name on that page, or null",
        "folders[].pins[].dark": "whether it is the one for dark pages, or null",
        "folders[].pins[].key": "the sha256 that finds it, or null",
        "folders[].pins[].file": "the file; null if it is missing",
        "folders[].pins[].why": "why something is done, or null",
    },
    "pin --adopt": {
        "adopted.page": "the page that declares the image",
        "adopted.name": "its name on that page",
        "adopted.dark": "whether it is the one for dark pages",
        "adopted.file": "the file of the pin",
        "moved_to_cache": "the files of the pins that it replaces, where they are now",
    },
    "check": {
        "images": "how many images the site declares",
        "shared": "how many of them only the shared store has",
        "findings[].kind": "missing, damaged, unpinned, refused, directive, alt, reference or file; "
        "unshown or service, which are advice",
        "findings[].page": "the page that declares the image; null if the problem is about no declared image",
        "findings[].name": "its name on that page, or null",
        "findings[].dark": "whether it is the one for dark pages, or null",
        "findings[].key": "the sha256 that finds it, or null",
        "findings[].message": "where, what, and what to do",
    },
    "gallery": {
        "file": "the sheet",
        **_IMAGE,
        "images[].bytes": "the original's size; null if there is none",
        "images[].declared[].page": "a page that declares it; images of the same key are one entry",
        "images[].declared[].name": "its name on that page",
        "images[].declared[].dark": "whether it is the one for dark pages",
    },
    "cost": {
        **_SPENT,
        "adopted": "how many images came by `pin --adopt`: of no known price, and in none of the sums",
        "months[].month": "`2026-11`, in UTC; unknown if the record does not say",
        **{f"months[].{name}": about for name, about in _SPENT.items()},
        "models[].model": "the model's name; unknown if the record does not say",
        **{f"models[].{name}": about for name, about in _SPENT.items()},
        "pages[].page": "the page that declares the image first, `mkdocs.yml` for the option `images`, or `no page`",
        **{f"pages[].{name}": about for name, about in _SPENT.items()},
        "unknown[].model": "the model of images of unknown price, or null",
        "unknown[].images": "how many they are",
        "unknown[].reason": "why their price is unknown",
    },
    "prune": {
        "images[].state": "removed, to remove (with `--dry-run`) or young",
        "images[].file": "the original's file",
        "images[].key": "the sha256 that finds it",
        "images[].prompt": "what it was asked for with; empty if its record does not say",
        "images[].bytes": "with its record",
        "images[].days": "its age",
        "images[].sandbox": "whether the sandbox drew it",
        "removed": "how many images were removed",
        "removed_bytes": "what they took",
        "kept[].file": "a remnant of an image, for people to look at",
        "kept[].bytes": "its size",
        "refusals": "how many refusals of requests that no image makes were removed, or would be with `--dry-run`",
    },
    "prune --shared": {
        "images[].state": "removed, to remove (with `--dry-run`) or young",
        "images[].key": "the sha256 that finds it",
        "images[].bytes": "of its objects, with the record",
        "images[].days": "its age",
        "leases": "how many leases were removed that are over",
        "removed": "how many images were removed",
        "removed_bytes": "what they took",
    },
    "share": {
        "shared": "the address of the shared store",
        "images[].key": "the sha256 that finds it",
        "images[].file": "the original's file here",
        "images[].state": "uploaded, to upload (with `--dry-run`), taken (the store has another image of the key) or "
        "not uploaded",
        "there": "how many images the store had already",
        "uploaded": "how many were uploaded",
    },
    "sync": {
        "out": "the folder among the pages",
        "images": "how many images were published",
        "missing": "the images that a placeholder replaces, as `PAGE#NAME`",
        "files[].image": "an image, as `PAGE#NAME`",
        "files[].file": "its file in that folder, at its widest, in the format that every browser shows",
        "pinned": "the files that were copied into the pins",
        "written": "the files that were written",
        "removed": "the files that were removed",
        "kept": "files that are no longer used, and that somebody changed",
        "unchanged": "how many files were right already",
    },
}
"""Path of each field and its meaning, by command."""

REPORT_FIELDS: Mapping[str, str] = {
    "images[].page": "the page that declares the image; empty for the option `images`",
    "images[].name": "its name on that page",
    "images[].dark": "whether it is the one for dark pages",
    "images[].model": "the model's name",
    "images[].references": "its reference images: files relative to mkdocs.yml, other images as `PAGE#NAME`",
    "images[].key": "the sha256 that finds it",
    "images[].state": "generated, shared, cached, pinned, refused or placeholder",
    "images[].reason": "why there is a placeholder, as far as something went wrong; else null",
    "images[].seconds": "how long the service took; null where nothing was asked",
    "images[].bytes": "the original's size; null for a placeholder",
    "images[].requests": "how many calls were made",
    "images[].warnings": "the warnings about this image",
    "warnings": "all other warnings of the build",
}
"""Path of each field of the file of the option `report`, and its meaning."""
