"""A cache on a file system without file locks, as some mounts of SMB and NFS are; and an index that stays locked."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache
from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi, hang, waits_for
from tests.helpers.commands import COMMAND, run

pytestmark = pytest.mark.slow

NOTE = "is on a file system without file locks"
ERRORS = ["ENOLCK", "ENOSYS", "EOPNOTSUPP"]


@pytest.fixture
def site(project: Project) -> Project:
    project.page("index.md", "Words. ![Fog](qhaigc:hero)", qhaigc="fog")
    project.build("--strict")
    (record,) = (project.cache / "originals").glob("*.json")
    project.environment["LOCK"] = f"{record.stem[-16:]}.lock"
    shutil.rmtree(project.cache)
    shutil.rmtree(project.folder / "site")
    return project


def without_locks(project: Project, command: list[str], error: str = "ENOLCK") -> list[str]:
    """Return a command for which no file of the cache can be locked: the kernel's answer is replaced."""
    require_posix("strace")
    strace = shutil.which("strace")
    if not strace or subprocess.run([strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs strace, and the right to use it")
    locks = [
        project.cache / "locks" / name for name in (".locks", project.environment["LOCK"], "pins.lock", "sync.lock")
    ]
    index = [project.cache / "variants" / name for name in (".locks", "cache.db", "cache.db-shm", "cache.db-wal")]
    paths = [argument for path in (*locks, *index) for argument in ("-P", str(path))]
    inject = f"inject=flock,fcntl:error={error}"
    return [strace, "-f", "-qq", "-o", os.devnull, "-e", "trace=flock,fcntl", "-e", inject, *paths, *command]


def finish(project: Project, command: list[str]) -> tuple[int, str]:
    finished = subprocess.run(
        command,
        cwd=project.folder,
        env=project.environ(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,  # SQLite would wait for a minute
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


@pytest.mark.parametrize("error", ERRORS)
def test_images_are_bought_once_and_the_lack_of_locks_is_noted(site: Project, api: ImagesApi, error: str) -> None:
    api.calls.clear()
    build = without_locks(site, site.command("build", "--strict"), error)
    for summary, notes in (("1 generated", 1), ("1 cached", 0)):
        code, output = finish(site, build)
        assert code == 0, output
        assert f"1 image: {summary}" in output
        assert output.count(NOTE) == notes, output
        assert "variants cannot be used (its file system has no file locks)" in output
        assert "UserWarning" not in output
    assert len(api.calls) == 1
    for arguments in (["pin"], ["sync"], ["check"], ["generate", "--yes"]):
        code, output = finish(site, without_locks(site, [COMMAND, *arguments], error))
        assert (code, "Traceback" in output) == (0, False), output
    assert len(api.calls) == 1
    assert list((site.cache / "locks").glob("*.held")) == []


def test_a_page_is_edited_where_no_permissions_can_be_set(site: Project, api: ImagesApi) -> None:
    """As on the disks of Windows in WSL, and on some shares."""
    require_posix("strace")
    assert run(site, "candidates", "index.md#hero", "-n", "2", "--yes").returncode == 0
    command = [COMMAND, "candidates", "index.md#hero", "--pick", "2"]
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "inject=chmod,fchmod,fchmodat:error=EPERM"]
    if not shutil.which("strace") or subprocess.run([*strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs strace, and the right to use it")
    code, output = finish(site, [*strace, *command])
    assert code == 0, output
    assert '"variant": 2' in (site.docs / "index.md").read_text(encoding="utf-8")


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        without_locks(project, project.command("build", "--strict", *arguments)),
        cwd=project.folder,
        env=project.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_two_builds_at_once_buy_an_image_once_without_locks(site: Project, api: ImagesApi) -> None:
    api.calls.clear()
    api.called.clear()
    go = threading.Event()
    api.script = [waits_for(go)]
    owner = start(site)
    assert api.called.wait(60)
    api.called.clear()
    waiting = start(site, "-d", str(site.folder / "other"))
    assert not api.called.wait(3)
    go.set()
    outputs = [build.communicate(timeout=60)[0] for build in (owner, waiting)]
    assert [build.returncode for build in (owner, waiting)] == [0, 0], outputs
    assert len(api.calls) == 1


def test_a_killed_build_leaves_no_lock_that_stands_in_the_way(site: Project, api: ImagesApi) -> None:
    api.calls.clear()
    api.called.clear()
    api.script = [hang]
    killed = start(site)
    assert api.called.wait(60)
    assert list((site.cache / "locks").glob("*.held"))
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)
    began = time.monotonic()
    code, output = finish(site, without_locks(site, site.command("build", "--strict")))
    assert (code, "1 generated" in output) == (0, True), output
    assert time.monotonic() - began < site.options["timeout"]


def test_an_index_that_stays_locked_is_left_after_a_while(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By a build that was stopped with Ctrl-Z, say."""
    caplog.set_level("INFO")
    cache = RenditionCache(tmp_path / "variants")
    other = sqlite3.connect(tmp_path / "variants" / "cache.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        cache.store("key", b"bytes")
    finally:
        other.close()
    assert Path(cache.paths(["key"])["key"]).read_bytes() == b"bytes"
    cache.close()
    (note,) = caplog.messages
    assert "variants cannot be used (database is locked), so images are encoded anew" in note


def test_an_index_that_can_no_longer_be_written_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """diskcache would try again for ever."""
    caplog.set_level("INFO")
    cache = RenditionCache(tmp_path / "variants")
    cache.store("before", b"before")
    index = tmp_path / "variants" / "cache.db"
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", str(index)], check=False).returncode:
        pytest.skip("root alone can make a file immutable, on some file systems")
    try:
        stored = threading.Thread(target=cache.store, args=("key", b"bytes"), daemon=True)
        stored.start()
        stored.join(30)
        assert not stored.is_alive()
    finally:
        subprocess.run(["chattr", "-i", str(index)], check=True)
    assert Path(cache.paths(["key"])["key"]).read_bytes() == b"bytes"
    (note,) = caplog.messages
    assert "attempt to write a readonly database" in note
    cache.close()


def test_an_index_damaged_in_its_middle_is_noticed_when_it_is_used(project: Project, api: ImagesApi) -> None:
    """And again in the next build. Nothing is bought, and the site is as before."""
    names = [f"n{number}" for number in range(60)]
    project.options |= {"widths": [16, 24, 32, 48], "max_new_images": 100}
    project.page("index.md", " ".join(f"![x](qhaigc:{name})" for name in names), qhaigc={n: n for n in names})
    expected = project.build("--strict").digest()
    calls = len(api.calls)
    index = project.cache / "variants" / "cache.db"
    for count in (1, 2):
        with sqlite3.connect(index) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with index.open("r+b") as file:
            for page in range(4, index.stat().st_size // 4096):
                file.seek(4096 * page)
                file.write(os.urandom(4096))
        built = project.build()
        assert (built.code, built.digest()) == (0, expected), built.output
        assert "is damaged (database disk image is malformed). Its images are encoded again" in built.output
        assert len(list(project.cache.glob("variants.damaged-*"))) == count
        built = project.build("--strict")
        assert (built.code, built.digest()) == (0, expected), built.output
    assert len(api.calls) == calls
    assert run(project, "check").returncode == 0
