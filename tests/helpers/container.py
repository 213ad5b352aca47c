"""Commands in what a container gives them: another user without a name or a home, folders mounted read-only."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.conftest import require_posix

BARE = {"PATH": str(Path(sys.executable).parent), "LANG": "C", "TZ": "<+0530>-05:30", "NO_MKDOCS_2_WARNING": "1"}
"""All of the environment: the commands of the one that runs the tests, and none of the system's."""
_AS_OTHER = ["unshare", "--user", "--map-user=4242", "--map-group=4242"]
_MOUNT = """
set -e
umask 077
for folder in $WRITABLE; do mount --bind "$folder" "$folder"; done
for folder in $READ_ONLY; do mount --rbind "$folder" "$folder"; mount -o remount,ro,bind "$folder"; done
exec "$@"
"""


def contained(
    script: str,
    *,
    read_only: Iterable[Path],
    writable: Iterable[Path] = (),
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a line of bash as user 4242, of whom the system knows nothing.

    Args:
        script: the line.
        read_only: folders that are mounted read-only.
        writable: folders in these that are not.
        environment: variables beside those of `BARE`.
    """
    require_posix("namespaces")
    variables = [f"{name}={value}" for name, value in {**BARE, **(environment or {})}.items()]
    inner = [*_AS_OTHER, "/usr/bin/env", "-i", *variables, shutil.which("bash") or "bash", "-euc", script]
    outer = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*outer, *_AS_OTHER, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make namespaces")
    return subprocess.run(
        [*outer, "sh", "-c", _MOUNT, "sh", *inner],
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "READ_ONLY": " ".join(map(str, read_only)),
            "WRITABLE": " ".join(map(str, writable)),
        },
        cwd="/",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def clock(off: str) -> dict[str, str]:
    """Return the environment of a program whose clock is wrong: by ten years, `+10y`, or a day, `-1d`."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if found is None:
        pytest.skip("needs libfaketime (Debian: faketime)")
    return {"LD_PRELOAD": str(found), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
