"""The studio on `mkdocs serve`, and `mkdocs-qhaigc studio`: where it is, what it costs, and how images are shown."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from tests.conftest import Machine, Project, require_posix
from tests.helpers.api import ImagesApi, by_url, error, waits_for
from tests.helpers.serving import PATIENCE, QUIET, Server, serving, studio_of

SCRIPT = b"/-/qhaigc/static/studio.js"
HERO = {"hero": {"prompt": "A tower", "alt": "x"}}


def write(project: Project, words: str = "Words", **images: object) -> None:
    project.page("index.md", f"# Home\n\n{words}.\n\n![A tower](qhaigc:hero)\n", qhaigc=images or HERO)


class Events:
    """The events that one page hears."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        self._connection.request("GET", "/-/qhaigc/api/events", headers={"X-Qhaigc-Token": server.token})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        assert self._answer.getheader("Content-Type", "").startswith("text/event-stream")
        assert self._answer.readline().startswith(b":")

    def until(self, name: str, **fields: object) -> dict[str, object]:
        """Read on until an event has these fields; return its data."""
        event = ""
        while line := self._answer.readline().decode():
            if line.startswith("event: "):
                event = line[7:].strip()
            elif line.startswith("data: ") and event == name:
                data: dict[str, object] = json.loads(line[6:])
                if fields.items() <= data.items():
                    return data
        raise AssertionError(f"the events ended before {name} {fields}")

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


@contextmanager
def listening(server: Server) -> Iterator[Events]:
    events = Events(server)
    try:
        yield events
    finally:
        events.close()


def size_of(data: bytes) -> tuple[str, int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return str(image.format), image.width, image.height


@pytest.mark.slow
def test_the_script_is_on_pages_that_the_server_sends_and_never_in_a_built_site(
    project: Project, api: ImagesApi
) -> None:
    write(project)
    project.page("other.md", "# Other\n")
    with serving(project) as server:
        server.wait_for_studio()
        built = project.build()
        assert built.code == 0, built.output
        for path in ("/", "/other/", "/404.html"):
            page = server.get(path)
            assert page.count(SCRIPT) == 1
            assert page.index(SCRIPT) < page.index(b"</head>")
        with pytest.raises(OSError, match="404"):
            server.get("/nowhere/")
        assert SCRIPT not in server.get("/search/search_index.json")
        assert SCRIPT not in server.get("/sitemap.xml")
        assert server.output.count("Studio: ") == 1
    sites = [file for file in built.site.rglob("*") if file.is_file()]
    assert not [file for file in sites if b"/-/qhaigc" in file.read_bytes()]


@pytest.mark.slow
def test_a_site_with_the_studio_off_has_no_sign_of_it(project: Project, api: ImagesApi) -> None:
    project.options["studio"] = False
    write(project)
    with serving(project) as server:
        server.wait_until(server.page)
        assert SCRIPT not in server.get()
        assert server.request("GET", "/-/qhaigc/").status == 404
        server.wait_until_quiet()
        assert "tudio" not in server.output


@pytest.mark.slow
@pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.9"])
def test_each_loopback_address_has_a_link_that_leads_there(project: Project, api: ImagesApi, host: str) -> None:
    write(project)
    with serving(project, host=f"[{host}]" if ":" in host else host) as server:
        server.wait_until(lambda: server.token)
        server.wait_until(lambda: "Serving on" in server.output)
        origin = server.link.partition("/#")[0]
        asked = Request(f"{origin}/-/qhaigc/api/state", headers={"X-Qhaigc-Token": server.token})
        server.wait_until(lambda: _opens(f"{origin}/"))
        with urlopen(asked, timeout=PATIENCE) as answer:
            assert json.load(answer)["engine"] == "mkdocs"


def _opens(address: str) -> bool:
    try:
        urlopen(address, timeout=PATIENCE).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_site_with_a_path_of_its_own_has_the_studio_beside_it(project: Project, api: ImagesApi) -> None:
    write(project)
    with serving(project, buys="ask", site_url='https://example.com/the"book/') as server:
        server.wait_until(lambda: server.token and server.page("/the%22book/"))
        assert server.link.startswith(f"{server.origin}/the%22book/#qhaigc=")
        assert b'data-qhaigc-mount="/the%22book/"' in server.get("/the%22book/")
        (image,) = server.studio("api/state?path=%2F").json["images"]
        assert server.request("GET", f"/the%22book/{image['files'][0]}").status == 200


@pytest.mark.slow
def test_a_preview_buys_only_what_its_author_asks_for(project: Project, api: ImagesApi) -> None:
    """The default of all services but the sandbox."""
    project.options["serve_buys"] = "ask"
    write(project, hero={"prompt": "A tower", "alt": "x"}, second={"prompt": "A lake", "alt": "x", "place": "top"})
    with serving(project) as server:
        server.wait_for_studio()
        server.wait_until_quiet(2 * QUIET)
        assert api.calls == []
        assert "2 images are missing" in server.output
        assert "Placeholder: it is not bought yet" in server.page()
        assert "`mkdocs-qhaigc generate`" in server.page()
        assert "WARNING" not in server.output

        write(project, "Other words", hero={"prompt": "A tower", "alt": "x"}, second={"prompt": "A lake", "alt": "x"})
        server.wait_until(lambda: "Other words" in server.page())
        assert server.output.count("missing") == 1

        with listening(server) as events:
            (job,) = server.studio("api/buy_missing", {"ids": ["index.md#hero"]}).json["jobs"]
            events.until("job", key=job["key"], state="saved")
        assert api.prompts == ["A tower"]
        server.wait_until(lambda: "Placeholder" not in server.page())
    assert len(api.calls) == 1


@pytest.mark.slow
def test_the_sandbox_buys_by_itself_and_others_do_not(project: Project) -> None:
    project.options["base_url"] = "sandbox"
    write(project)
    with serving(project, buys=None) as server:
        server.wait_for_studio()
        assert server.studio("api/state").json["bar"]["buys"] == "auto"
        server.wait_until(lambda: len(project.originals) == 2)


@pytest.mark.slow
def test_what_is_paid_for_is_collected_though_a_preview_does_not_buy(project: Project, api: ImagesApi) -> None:
    project.options |= {"serve_buys": "ask", "retries": 0}
    write(project)
    api.fetch_script = [error(503, "busy")]
    built = project.build()
    assert "the image was made" in built.output
    assert len(api.calls) == 1
    with serving(project) as server:
        server.wait_for_studio()
        server.wait_until(lambda: len(project.originals) == 2)
        server.wait_until(lambda: "Placeholder" not in server.page())
    assert len(api.calls) == 1


@pytest.mark.slow
def test_one_run_of_the_server_has_one_budget(project: Project, api: ImagesApi) -> None:
    project.options["max_new_images"] = 1
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        server.wait_until(lambda: len(project.originals) == 2)
        assert server.studio("api/state").json["bar"]["budget"] == {"most": 1, "left": 0}
        reply = server.studio("api/buy", {"id": "index.md#hero", "count": 1})
        assert (reply.status, reply.json["kind"]) == (409, "budget")
        write(project, hero={"prompt": "A lake", "alt": "x"})
        server.wait_until(lambda: "raise `max_new_images`" in server.page() or "may buy 1 new images" in server.output)
        assert len(api.calls) == 1
        assert server.studio("api/raise", {"by": 2}).json["budget"] == {"most": 3, "left": 2}
        write(project, "Other words", hero={"prompt": "A lake", "alt": "x"})
        server.wait_until(lambda: len(project.originals) == 4)
    assert api.prompts == ["A tower", "A lake"]


@pytest.mark.slow
def test_a_refused_prompt_is_asked_once(project: Project, api: ImagesApi) -> None:
    api.default = error(400, "content_policy_violation")
    project.options["serve_buys"] = "ask"
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        with listening(server) as events:
            (job,) = server.studio("api/buy_missing", {"ids": None}).json["jobs"]
            assert events.until("job", key=job["key"], state="failed")["kind"] == "refused"
        server.wait_until(lambda: server.studio("api/state").json["images"][0]["state"] == "refused")
        assert server.studio("api/buy_missing", {"ids": ["index.md#hero"]}).status == 409
        write(project, "Other words")
        server.wait_until(lambda: "Other words" in server.page())
        server.wait_until_quiet()
    assert len(api.calls) == 1


@pytest.mark.slow
def test_what_has_failed_is_shown_while_the_options_cannot_be_used(project: Project, api: ImagesApi) -> None:
    project.options |= {"serve_buys": "auto", "retries": 0}
    api.default = error(500, "server_error", "out of order")
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        server.wait_until(lambda: "out of order" in str(server.studio("api/state").json["images"]))
        project.options["style"] = "{{ look }}"
        project.write_config()
        server.wait_until(lambda: "which nothing fills in" in server.output)
        reply = server.studio("api/state")
        assert (reply.status, reply.json["images"][0]["state"]) == (200, "missing")


@pytest.mark.slow
def test_an_arrival_is_told_at_once_and_the_site_is_built_when_its_page_is_asked_for(
    project: Project, api: ImagesApi
) -> None:
    arrives = threading.Event()
    api.default = waits_for(arrives, by_url)
    project.page("other.md", "# Other\n")
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        image = server.image()
        placeholder = server.shown()
        with listening(server) as events:
            assert api.called.wait(PATIENCE)
            arrives.set()
            key = events.until("job", state="saved")["key"]
            preview = server.request("GET", f"/-/qhaigc/as/{key}/{image}")
            assert preview.status == 200
            server.wait_until_quiet(2 * QUIET)
            assert server.builds == 1  # it is seen without a build
            server.get("/other/")
            server.wait_until_quiet()
            assert server.builds == 1  # which shows no arrival

            server.get()  # is answered at once: the page's script shows the image meanwhile
            server.wait_until(lambda: "Placeholder" not in server.page())
            assert server.builds == 2
            assert server.shown() == preview.body != placeholder
            server.wait_until_quiet()
            assert server.builds == 2


@pytest.mark.slow
def test_without_an_open_studio_arrivals_are_built_as_before(project: Project, api: ImagesApi) -> None:
    arrives = threading.Event()
    api.default = waits_for(arrives, by_url)
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        with listening(server):
            pass  # it was open, and is closed
        assert api.called.wait(PATIENCE)
        server.wait_until(lambda: not server.studio("api/state").json["images"][0]["fresh"])
        arrives.set()
        server.wait_until(lambda: server.output.count("Reloading browsers") >= 1 or "Placeholder" not in server.page())
        assert "Placeholder" not in server.page()


@pytest.mark.slow
def test_images_are_encoded_as_the_sites_files_are(project: Project, api: ImagesApi) -> None:
    project.options |= {"size": "960x540", "widths": [480], "formats": ["avif", "webp"]}
    hero = {"prompt": "A tower", "alt": "x", "place": "top", "size": "4:3"}
    project.options["models"] = {"qh-draw-x2-preview": {"sizes": ["960x540"]}}
    write(project, hero=hero)
    with serving(project) as server:
        server.wait_for_studio()
        server.wait_until(lambda: len(project.originals) == 2)
        server.wait_until(lambda: "Placeholder" not in server.page())
        with listening(server) as events:
            jobs = server.studio("api/buy", {"id": "index.md#hero", "count": 1}).json["jobs"]
            key = jobs[0]["key"]
            events.until("job", key=key, state="saved")
        (image,) = server.studio("api/state").json["images"]
        assert len(image["files"]) == 4
        for file in image["files"]:
            own, other = server.get(f"/{file}"), server.request("GET", f"/-/qhaigc/as/{key}/{file}")
            assert other.headers["content-type"] == f"image/{file.rpartition('.')[2]}"
            assert size_of(other.body) == size_of(own)
            assert other.body != own
            again = server.request("GET", f"/-/qhaigc/as/{image['key']}/{file}")
            assert again.body == own  # the build's own file
        for width, shown in ((240, 240), (480, 480), (1600, 960)):
            reply = server.request("GET", f"/-/qhaigc/stored/{key}/{width}")
            assert size_of(reply.body) == ("WEBP", shown, shown * 540 // 960)
        assert server.request("GET", f"/-/qhaigc/stored/{key}/241").status == 404
        assert server.request("GET", f"/-/qhaigc/as/{key}/index.html").status == 404


@pytest.mark.slow
def test_an_ordered_job_outlives_a_build_that_begins_before_it(project: Project, api: ImagesApi) -> None:
    arrives = threading.Event()
    api.default = waits_for(arrives, by_url)
    project.options |= {"serve_buys": "ask", "concurrency": 1}
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        jobs = server.studio("api/buy", {"id": "index.md#hero", "count": 4}).json["jobs"]
        assert len(jobs) == 4
        assert api.called.wait(PATIENCE)
        write(project, "Other words")
        server.wait_until(lambda: "Other words" in server.page())
        arrives.set()
        server.wait_until(lambda: len(project.originals) == 8)
        server.wait_until_quiet()
    assert [len(drawn) for drawn in api.drawn.values()] == [4]


@pytest.mark.slow
def test_the_command_serves_a_site_of_mkdocs(project: Project, api: ImagesApi) -> None:
    require_posix("signals")
    write(project)
    with studio_of(project, project.write_config()) as server:
        redirected = server.request("GET", "/")
        assert (redirected.status, redirected.headers["location"]) == (302, "/-/qhaigc/")
        state = server.studio("api/state").json
        assert (state["engine"], state["images"][0]["state"]) == ("mkdocs", "missing")
        with listening(server) as events:
            (job,) = server.studio("api/buy_missing", {"ids": None}).json["jobs"]
            events.until("job", key=job["key"], state="saved")
        built = project.build()
        assert built.code == 0
        assert SCRIPT in server.get()
        assert b"/-/qhaigc" not in (built.site / "index.html").read_bytes()
        (image,) = server.studio("api/state?path=/").json["images"]
        assert image["state"] == "cached"
        for file in image["files"]:
            assert server.request("GET", f"/-/qhaigc/as/{job['key']}/{file}").body == server.get(f"/{file}")
        for trick in ("/../mkdocs.yml", "/%2e%2e/mkdocs.yml", "/..%2fmkdocs.yml", "//etc/passwd", "/%00"):
            assert server.request("GET", trick).status == 404

        write(project, hero={"prompt": "A lake", "alt": "x"})  # read again without a build
        server.wait_until(lambda: server.studio("api/state").json["images"][0]["prompt"] == "A lake")
        os.kill(server.process.pid, signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.output
    assert len(api.calls) == 1


@pytest.mark.slow
def test_the_command_shows_what_only_the_shared_store_has(machine: Machine, team: Path, api: ImagesApi) -> None:
    assert machine("first").build().summary == "2 generated"
    project = machine("second")
    with studio_of(project, project.write_config()) as server:
        state = server.studio("api/state").json
        assert [image["state"] for image in state["images"]] == ["shared"] * 2
        assert state["bar"]["missing"] == 0
        for image in state["images"]:
            assert server.request("GET", f"/-/qhaigc/stored/{image['key']}/240").status == 200
        third = machine("third")
        third.page("index.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
        assert third.build().summary == "1 generated"
        project.page("index.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
        server.wait_until(lambda: server.studio("api/state").json["images"][0]["prompt"] == "third")
        [image] = server.studio("api/state").json["images"]
        assert (image["state"], server.studio("api/state").json["bar"]["fresh"]) == ("shared", 0)
    assert len(api.calls) == 3


@pytest.mark.slow
def test_a_preview_takes_images_from_the_shared_store_and_buys_none(machine: Machine, api: ImagesApi) -> None:
    bought = machine("first").build()
    project = machine("second")
    project.environment["QHAIGC_API_KEY"] = ""
    with serving(project) as server:
        server.wait_for_studio()
        assert [image["state"] for image in server.studio("api/state").json["images"]] == ["shared"] * 2
        [name, other] = bought.images()
        for file in (name, other):
            assert server.get(f"/assets/qhaigc/{file}") == (bought.site / "assets/qhaigc" / file).read_bytes()
    assert len(api.calls) == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11")
def test_the_command_serves_a_site_of_zensical(project: Project, api: ImagesApi) -> None:
    write(project)
    with studio_of(project, project.write_zensical_config()) as server:
        state = server.studio("api/state").json
        assert (state["engine"], state["images"][0]["state"]) == ("zensical", "missing")
        with listening(server) as events:
            (job,) = server.studio("api/buy_missing", {"ids": None}).json["jobs"]
            events.until("job", key=job["key"], state="saved")
        assert server.request("GET", f"/-/qhaigc/stored/{job['key']}/240").status == 200
        refused = server.request("GET", "/-/qhaigc/api/state", headers={"X-Qhaigc-Token": "x"})
        assert refused.status == 403
    assert len(api.calls) == 1


@pytest.mark.slow
def test_the_command_says_that_its_port_is_taken(project: Project) -> None:
    write(project)
    with serving(project) as server:
        server.wait_for_studio()
        command = [str(Path(sys.executable).with_name("mkdocs-qhaigc")), "studio", "-f", str(project.write_config())]
        finished = subprocess.run(
            [*command, "--port", str(server.port)], capture_output=True, text=True, env=project.environ(), check=False
        )
    assert finished.returncode == 1
    assert "Choose another --port" in finished.stderr
    assert "Traceback" not in finished.stderr
