"""`mkdocs-qhaigc gallery`: a contact sheet of every image of the site."""

from __future__ import annotations

from pathlib import Path

import click

from mkdocs_qhaigc._util.files import reason_of
from mkdocs_qhaigc.cli._common import (
    config_option,
    count,
    json_option,
    print_json,
    print_warnings,
    survey_of,
    with_shared,
)
from mkdocs_qhaigc.cli.plan import as_fields
from mkdocs_qhaigc.site.gallery import collect, write_gallery


@click.command(short_help="Write a contact sheet of every image.")
@config_option
@json_option
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: gallery.html in cache_dir]",
)
def gallery(config_file: Path, as_json: bool, out: Path | None) -> None:
    """Write a contact sheet (HTML) of every image: prompt, model, size, bytes, state, and the pages that show it.

    It opens from disk. Buys nothing, needs no key, and no network but for the shared store.
    """
    survey = with_shared(survey_of(config_file), fetched=True)
    print_warnings(survey)
    file = out or survey.options.cache.gallery
    if file.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(
            f"{file} is no .html file, and a file of that name would be replaced. Choose another --out"
        )
    try:
        if out is None:
            survey.options.cache.prepare()
        write_gallery(survey, file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({reason_of(error)}). Choose another --out") from error
    images = collect(survey.entries)
    if as_json:
        rows = [
            {
                **as_fields(one.first),
                "bytes": one.first.stored.size if one.first.stored else None,
                "pages": list(one.pages),
                "declared": [{"page": each.page, "name": each.name, "dark": each.dark} for each in one.entries],
            }
            for one in images
        ]
        print_json({"file": str(file), "images": rows})
    else:
        missing = len(survey.missing())
        said = f"{count(len(images), 'image')}{f', {missing} missing' if missing else ''}"
        click.echo(f"{file}: {said}. Open it in a browser.")
