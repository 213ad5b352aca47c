"""Who may use the studio: attacks on a real `mkdocs serve`. Each is refused; nothing is written or bought."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator, Mapping

import pytest

from mkdocs_qhaigc.studio.access import MOST_BYTES, Access
from mkdocs_qhaigc.studio.problem import Problem
from tests.conftest import Project
from tests.helpers.api import KEY, ImagesApi
from tests.helpers.serving import PATIENCE, Server, serving

POSTS = ("buy", "buy_missing", "price", "try", "diff", "save", "pick", "undo", "review", "pin", "raise")
GETS = ("api/state", "api/image?id=index.md%23hero", "api/events")
BODY = {"id": "index.md#hero", "count": 1}
MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Site:
    """A site whose preview is attacked."""

    def __init__(self, project: Project, api: ImagesApi, server: Server) -> None:
        self.project, self.api, self.server = project, api, server
        self._before = self.files()

    def files(self) -> dict[str, str]:
        """sha256 of every file of the project but those that a preview itself writes."""
        own = (self.project.cache / "variants", self.project.cache / "arrivals")
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.project.folder.rglob("*")
            if path.is_file() and not any(path == one or one in path.parents for one in own)
        }

    def post(self, name: str = "buy", body: object = BODY, without: str = "", **changed: str) -> int:
        """Return the status of a request that would be answered but for what is changed or left out in it."""
        headers = {
            "X-Qhaigc-Token": self.server.token,
            "Origin": self.server.origin,
            "Content-Type": "application/json",
            **{header.replace("_", "-"): value for header, value in changed.items()},
        }
        headers.pop(without, None)
        return self.server.request("POST", f"/-/qhaigc/api/{name}", json.dumps(body).encode(), headers).status

    def send(self, text: str) -> bytes:
        """Send bytes as they are; return what comes back before the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE) as connection:
            connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
            return answer

    def require_untouched(self) -> None:
        assert self.api.calls == []
        assert self.files() == self._before


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ImagesApi() as api:
        project = Project(tmp_path_factory.mktemp("studio") / "project", api.base_url)
        project.options["serve_buys"] = "ask"
        project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": MARKUP, "alt": "x"}})
        with serving(project) as server:
            server.wait_for_studio()
            yield Site(project, api, server)


@pytest.fixture
def site(attacked: Site) -> Iterator[Site]:
    yield attacked
    attacked.require_untouched()


@pytest.mark.parametrize("name", POSTS)
def test_a_change_needs_the_token_and_our_own_origin(site: Site, name: str) -> None:
    other = f"http://127.0.0.1:{site.server.port + 1}"
    assert site.post(name, without="X-Qhaigc-Token") == 403
    assert site.post(name, X_Qhaigc_Token="x" * len(site.server.token)) == 403
    assert site.post(name, without="Origin") == 403
    for origin in ("null", "", other, "http://evil.test", f"http://localhost:{site.server.port}", "http://127.0.0.1"):
        assert site.post(name, Origin=origin) == 403, origin
    assert site.post(name, Host="evil.test") == 403
    for caller in ("cross-site", "same-site"):
        assert site.post(name, Sec_Fetch_Site=caller) == 403


@pytest.mark.parametrize("name", POSTS)
def test_a_change_needs_json(site: Site, name: str) -> None:
    """A form of another site can send these without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"):
        assert site.post(name, Content_Type=kind) == 415, kind
    assert site.post(name, without="Content-Type") == 415


@pytest.mark.parametrize("path", GETS)
def test_nothing_is_told_without_the_token(site: Site, path: str) -> None:
    for headers in ({}, {"X-Qhaigc-Token": ""}, {"X-Qhaigc-Token": "x"}, {"Cookie": f"token={site.server.token}"}):
        reply = site.server.request("GET", f"/-/qhaigc/{path}", headers=headers)
        assert reply.status == 403
        assert reply.json["error"]
    in_address = f"/-/qhaigc/{path}{'&' if '?' in path else '?'}token={site.server.token}"
    assert site.server.request("GET", in_address).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_without_the_token(site: Site, method: str) -> None:
    for path in ("", "static/studio.js", "api/state", "api/buy", "as/x/y", "stored/x/240"):
        reply = site.server.request(method, f"/-/qhaigc/{path}", b"{}")
        assert reply.status in (403, 405)
        assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_with_the_token(site: Site, method: str) -> None:
    """No CORS either: a browser that asks first whether another site may send the token gets no leave."""
    headers = {"X-Qhaigc-Token": site.server.token, "Origin": site.server.origin, "Content-Type": "application/json"}
    for path in (*GETS, *(f"api/{name}" for name in POSTS)):
        reply = site.server.request(method, f"/-/qhaigc/{path}", b"{}", headers)
        assert reply.status == 405
        assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["", "static/review.html", "as/x/y", "stored/x/240", *GETS])
def test_a_foreign_host_name_is_refused(site: Site, path: str) -> None:
    """A name that its owner lets lead to this machine makes a foreign page one of the same origin."""
    port = site.server.port
    for host in (
        "evil.test",
        f"evil.test:{port}",
        f"127.0.0.1.evil.test:{port}",
        f"127.0.0.1:{port + 1}",
        "127.0.0.1",
        f"127.0.0.1:{port}, evil.test",
        f"user@127.0.0.1:{port}",
        f"0.0.0.0:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"localhost.:{port}",
        "",
    ):
        headers = {"Host": host, "X-Qhaigc-Token": site.server.token}
        assert site.server.request("GET", f"/-/qhaigc/{path}", headers=headers).status == 403, host


def test_a_page_at_a_foreign_host_name_has_no_sign_of_the_studio(site: Site) -> None:
    def page(**headers: str) -> bytes:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return site.server.request("GET", "/", headers=named).body

    assert b"/-/qhaigc/static/studio.js" in page()
    assert b"/-/qhaigc/static/studio.js" in page(Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="document")
    for headers in (
        {"Host": "evil.test"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "iframe"},  # a link or a reload in a frame of another site
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "empty"},
    ):
        content = page(**headers)
        assert b"<h1" in content
        assert b"/-/qhaigc" not in content, headers


def test_two_host_headers_and_a_foreign_address_in_the_request_line_are_refused(site: Site) -> None:
    own = f"127.0.0.1:{site.server.port}"
    told = f"X-Qhaigc-Token: {site.server.token}\nConnection: close\n\n"
    for head in (
        f"GET /-/qhaigc/api/state HTTP/1.1\nHost: {own}\nHost: evil.test\n",
        f"GET /-/qhaigc/api/state HTTP/1.1\nHost: evil.test\nHost: {own}\n",
        "GET /-/qhaigc/api/state HTTP/1.0\n",
        "GET /-/qhaigc/api/state HTTP/1.1\nHost : evil.test\n",
        f"GET http://evil.test/-/qhaigc/api/state HTTP/1.1\nHost: {own}\n",
    ):
        answer = site.send(head + told)
        assert b'"images"' not in answer
        assert answer.split(b" ")[1] in (b"403", b"404", b"400"), (head, answer)


def test_a_long_body_is_refused_without_being_read(site: Site) -> None:
    own = f"127.0.0.1:{site.server.port}"
    head = (
        f"POST /-/qhaigc/api/save HTTP/1.1\nHost: {own}\nX-Qhaigc-Token: {site.server.token}\n"
        f"Origin: http://{own}\nContent-Type: application/json\n"
    )
    for length in (10 << 20, MOST_BYTES + 1, 1 << 62):
        assert site.send(f"{head}Content-Length: {length}\n\n").split(b" ")[1] == b"413"
    for line in ("Content-Length: -1\n", "Content-Length: x\n", "Content-Length: 1_0\n", ""):
        assert site.send(f"{head}{line}\n").split(b" ")[1] == b"411", line
    chunked = f"{head}Transfer-Encoding: chunked\n\n2\n{{}}\n0\n\n"
    assert site.send(chunked).split(b" ")[1] == b"411"


def test_a_body_of_ten_megabytes_is_cut_off(site: Site) -> None:
    body = {"id": "index.md#hero", "version": "x", "fields": {"prompt": "x" * (10 << 20)}}
    for name in ("save", "buy"):
        with contextlib.suppress(ConnectionError):  # it may have closed the connection before all was sent
            assert site.post(name, body) == 413
    assert site.server.get()


def test_what_is_no_object_of_json_is_refused(site: Site) -> None:
    headers = {"X-Qhaigc-Token": site.server.token, "Origin": site.server.origin, "Content-Type": "application/json"}
    for body in (b"", b"[]", b"1", b"null", b"{", b"\xff", b'{"count": NaN}', b'{"id": "\\ud800"}', b"[" * 60_000):
        for name in POSTS:
            reply = site.server.request("POST", f"/-/qhaigc/api/{name}", body, headers)
            assert reply.status == 400, (name, body[:20])


@pytest.mark.parametrize(
    "value", [None, True, -1, 0, 1.5, 1 << 70, "", "../../etc/passwd", "x\0y", "x" * 50_000, [], {}, [None], {"a": []}]
)
@pytest.mark.parametrize("name", POSTS)
def test_values_of_any_kind_are_refused_with_a_reason(site: Site, name: str, value: object) -> None:
    whole = dict.fromkeys(("id", "ids", "count", "fields", "version", "variant", "verdict", "by"), value)
    for body in ({"no such field": value}, whole, {"id": "index.md#hero", "fields": {"prompt": value, "alt": value}}):
        reply = site.server.studio(f"api/{name}", body)
        assert 400 <= reply.status < 500, (name, body, reply)
        assert reply.json["error"]
        assert str(site.project.folder) not in reply.json["error"]


TRICKS = (
    "static/../session.py",
    "static/..%2fsession.py",
    "static/%2e%2e/session.py",
    "static/..%5csession.py",
    "static//etc/passwd",
    "static/%00",
    "static/.",
    "static/..",
    "static/",
    "stored/../../etc/passwd/240",
    "stored/..%2f..%2fetc%2fpasswd/240",
    "as/../../../../etc/passwd/x",
    "../../mkdocs.yml",
    "%2e%2e/%2e%2e/mkdocs.yml",
    "api/../static/../../mkdocs.yml",
    "api",
    "api/",
    "nothing",
)


@pytest.mark.parametrize("path", TRICKS)
def test_paths_lead_nowhere_else(site: Site, path: str) -> None:
    headers = {"X-Qhaigc-Token": site.server.token}
    reply = site.server.request("GET", f"/-/qhaigc/{path}", headers=headers)
    assert reply.status in (404, 405), reply
    assert b"root:" not in reply.body
    assert b"import" not in reply.body


def test_addresses_of_images_name_stored_images_and_files_of_the_site_alone(site: Site) -> None:
    image = site.server.studio("api/state").json["images"][0]
    for key in (image["key"], "0" * 64, "../" * 20 + "etc/passwd", image["key"].upper(), "%00" * 64):
        for path in (
            f"as/{key}/{image['files'][0]}",
            f"as/{key}/../mkdocs.yml",
            f"stored/{key}/240",
            f"stored/{key}/241",
        ):
            assert site.server.request("GET", f"/-/qhaigc/{path}").status == 404, path


def test_a_prompt_full_of_markup_is_told_as_json(site: Site) -> None:
    reply = site.server.studio("api/state?path=%2F")
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json["images"][0]["prompt"] == MARKUP
    unknown = site.server.studio("api/image?id=%3Cscript%3E")
    assert unknown.status == 404
    assert unknown.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", ["", "static/studio.js", "static/nothing", *GETS])
def test_every_answer_has_the_headers_that_keep_it_to_ourselves(site: Site, path: str) -> None:
    for headers in ({}, {"Host": "evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = site.server.request("GET", f"/-/qhaigc/{path}", headers=headers)
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert not [name for name in reply.headers if name.startswith("access-control")]
        if headers:
            assert reply.status == 403


def test_neither_the_key_nor_the_token_is_in_what_is_sent(site: Site) -> None:
    sent = [site.server.request("GET", path).body for path in ("/", "/-/qhaigc/", "/search/search_index.json")]
    sent += [site.server.studio(path).body for path in ("api/state", "api/image?id=index.md%23hero")]
    for body in sent:
        assert KEY.encode() not in body
        assert site.server.token.encode() not in body


def test_the_token_is_long_and_of_one_run() -> None:
    first, second = Access("127.0.0.1"), Access("127.0.0.1")
    assert first.token != second.token
    assert len(first.token) >= 43  # 32 bytes
    with pytest.raises(Problem, match="another run"):
        second.require_token({"HTTP_X_QHAIGC_TOKEN": first.token})


REQUEST: Mapping[str, str] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000", "SERVER_PORT": "8000"}


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "fe80::1", "::ffff:192.0.2.1", "", "localhost"])
def test_another_machine_is_refused_whatever_it_says(peer: str) -> None:
    with pytest.raises(Problem, match="this machine alone"):
        Access("127.0.0.1").require_own({**REQUEST, "REMOTE_ADDR": peer})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_this_machine_is_answered_under_each_of_its_names(peer: str, host: str) -> None:
    request = {**REQUEST, "REMOTE_ADDR": peer, "HTTP_HOST": host}
    Access("127.0.0.1").require_own(request)
    assert Access("127.0.0.1").admits_page(request)
    assert not Access("127.0.0.1").admits_page({**request, "HTTP_HOST": host.replace("8000", "8001")})


def test_a_loopback_address_of_the_authors_choice_is_one_of_its_names() -> None:
    request = {**REQUEST, "HTTP_HOST": "127.0.0.9:8000"}
    Access("127.0.0.9").require_own(request)
    with pytest.raises(Problem):
        Access("127.0.0.1").require_own(request)


def test_port_80_is_left_out_as_browsers_do() -> None:
    Access("localhost").require_own({**REQUEST, "HTTP_HOST": "localhost", "SERVER_PORT": "80"})
    with pytest.raises(Problem):
        Access("localhost").require_own({**REQUEST, "HTTP_HOST": "localhost"})


@pytest.mark.slow
def test_the_same_request_as_in_the_attacks_buys(project: Project, api: ImagesApi) -> None:
    """Else the attacks might be refused for another reason than theirs. The token of one run is none in the next."""
    project.options["serve_buys"] = "ask"
    project.page("index.md", "![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})
    with serving(project) as server:
        server.wait_for_studio()
        site = Site(project, api, server)
        earlier = server.token
        assert site.post() == 200
        server.wait_until(lambda: len(project.originals) == 2)
        assert server.end() == 0
    with serving(project) as server:
        server.wait_for_studio()
        site = Site(project, api, server)
        assert server.token != earlier
        assert site.post(X_Qhaigc_Token=earlier) == 403
        assert len(api.calls) == 1


@pytest.mark.slow
def test_the_studio_is_off_where_other_machines_may_reach_the_server(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})
    with serving(project, host="0.0.0.0") as server:
        server.wait_until(server.page)
        assert b"/-/qhaigc" not in server.get()
        assert server.request("GET", "/-/qhaigc/").status == 404
        assert server.output.count("The studio is off") == 1
        assert not server.token


@pytest.mark.slow
@pytest.mark.parametrize(("host", "where"), [("0.0.0.0", "Buy it by "), ("127.0.0.1", "Buy it in the studio, by ")])
def test_a_studio_that_is_off_is_not_named_as_the_place_to_buy(
    project: Project, api: ImagesApi, host: str, where: str
) -> None:
    project.page("index.md", "![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})
    with serving(project, host=host, buys="ask") as server:
        server.wait_until(lambda: where in server.output)
        server.wait_until(lambda: "Serving on" in server.output)
        assert ("in the studio, by" in server.output) == (host == "127.0.0.1")
    assert api.calls == []


@pytest.mark.slow
def test_a_preview_that_builds_as_a_build_does_says_that_it_has_no_studio(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![A tower](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "x"}})
    with serving(project, "--clean") as server:
        server.wait_until(server.page)
        assert b"/-/qhaigc" not in server.get()
        server.wait_until(lambda: server.output.count("The studio is off, because `mkdocs serve --clean`") == 1)
        assert not server.token
