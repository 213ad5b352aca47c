"""Post a Markdown report as a comment on a pull request, or replace the comment of an earlier run. For action.yml.

Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN and PULL_REQUEST from the environment, the file's path from the
command line. A token that may not write, as on pull requests from forks, is no error: the report is in the summary.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

MARK = "<!-- mkdocs-qhaigc -->"
"""Begins each comment, and is not shown."""
AUTHOR = "github-actions[bot]"
"""Who comments with the workflow's own token. Comments of others are never changed, whatever they begin with."""
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""


def main() -> None:
    """Post the report, or replace the earlier one."""
    report = Path(sys.argv[1]).read_text(encoding="utf-8")
    repository = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}"
    comments = f"{repository}/issues/{os.environ['PULL_REQUEST']}/comments"
    body = {"body": f"{MARK}\n{shortened(report)}"}
    try:
        earlier = find_comment(comments)
        if earlier:
            call("PATCH", f"{repository}/issues/comments/{earlier}", body)
        else:
            call("POST", comments, body)
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403, 404):
            raise
        print(
            f"::notice::mkdocs-qhaigc: no comment, since the token may not write one (status {error.code}). The report "
            "is in the summary. Give the job the permission `pull-requests: write`; a fork's pull request has it never."
        )
    except OSError as error:  # no network, no answer in time
        print(f"::notice::mkdocs-qhaigc: no comment ({error}). The report is in the summary.")


def shortened(report: str) -> str:
    """Return the whole lines of the report that fit into a comment."""
    if len(report) <= LONGEST:
        return report
    return report[: report.rfind("\n", 0, LONGEST)] + "\n\n… The whole report is in the summary of the run."


def find_comment(comments: str) -> int | None:
    """Return the id of the comment of an earlier run; `None` if there is none."""
    page = 1
    while found := call("GET", f"{comments}?per_page=100&page={page}"):
        for comment in found:
            if (comment["user"] or {}).get("login") == AUTHOR and comment["body"].startswith(MARK):
                return int(comment["id"])
        page += 1
    return None


def call(method: str, url: str, body: dict[str, str] | None = None) -> Any:
    """Return what GitHub's API answers."""
    content = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, method=method, data=content)  # noqa: S310 (the runner's own GITHUB_API_URL)
    request.add_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    request.add_header("Accept", "application/vnd.github+json")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    main()
