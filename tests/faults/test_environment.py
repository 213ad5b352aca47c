"""Environment variables in every form that people's machines have: images are generated all the same.

What cannot be used is left out with one warning that names the variable, and nothing ends in a traceback.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from mkdocs_qhaigc.cli import main
from tests.conftest import Built, Project
from tests.helpers.api import KEY, ImagesApi
from tests.helpers.commands import run
from tests.helpers.serving import studio_of

pytestmark = pytest.mark.slow

NOWHERE = "/nowhere/at/all"
DIRECT: dict[str, dict[str, str]] = {
    "no-proxy-ipv6": {"NO_PROXY": "::1"},
    "no-proxy-brackets": {"NO_PROXY": "[::1]", "HTTP_PROXY": "http://127.0.0.1:1", "no_proxy": "[::1],127.0.0.1"},
    "no-proxy-network": {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.0/8"},
    "no-proxy-port": {"ALL_PROXY": "http://127.0.0.1:1", "NO_PROXY": "a.example:1,127.0.0.1"},
    "no-proxy-all": {"ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": "localhost, *"},
    "proxy-of-another-scheme": {"FTP_PROXY": "junk", "HTTPS_PROXY": "https://127.0.0.1:1"},
    "proxy-empty": {"HTTP_PROXY": "", "https_proxy": "", "ALL_PROXY": " "},
    "others-certificates": {"REQUESTS_CA_BUNDLE": NOWHERE, "CURL_CA_BUNDLE": NOWHERE, "NODE_EXTRA_CA_CERTS": NOWHERE},
    "openssl-conf": {"OPENSSL_CONF": NOWHERE, "OPENSSL_MODULES": NOWHERE},
    "locale-none": {"LANG": "xx_YY.junk", "LC_ALL": "xx"},
    "locale-c": {"LC_ALL": "C"},
    "columns-words": {"COLUMNS": "abc", "LINES": "x"},
    "columns-none": {"COLUMNS": "0"},
    "columns-one": {"COLUMNS": "1"},
    "columns-negative": {"COLUMNS": "-5"},
    "columns-endless": {"COLUMNS": "99999999999999999999"},
    "term": {"TERM": "junk", "COLORTERM": "junk", "FORCE_COLOR": "3", "NO_COLOR": "1"},
    "term-empty": {"TERM": "", "TTY_COMPATIBLE": "x", "TTY_INTERACTIVE": "x", "UNICODE_VERSION": "junk"},
    "temporary-folder": {"TMPDIR": NOWHERE, "TEMP": NOWHERE, "TMP": NOWHERE, "SQLITE_TMPDIR": NOWHERE},
    "home": {"HOME": NOWHERE, "XDG_CACHE_HOME": NOWHERE, "XDG_CONFIG_HOME": NOWHERE},
    "home-empty": {"HOME": "", "USER": "", "LOGNAME": ""},
    "path": {"PATH": "", "PWD": NOWHERE},
    "time-zone": {"TZ": "junk/zone"},
    "pillow": {"PILLOW_BLOCK_SIZE": "junk", "PILLOW_BLOCKS_MAX": "-3", "PILLOW_ALLOC_ARENAS": "0"},
    "python-ascii": {"PYTHONIOENCODING": "ascii"},
    "python-strict": {"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "1"},
    "python-optimized": {"PYTHONOPTIMIZE": "2", "PYTHONSAFEPATH": "1"},
}
"""Environments in which nothing is left out."""
LEFT_OUT: dict[str, tuple[str, str]] = {
    "http-proxy-without-a-port": ("HTTP_PROXY", "http://127.0.0.1:port"),
    "http-proxy-port": ("http_proxy", "http://127.0.0.1:99999"),
    "http-proxy-host": ("HTTP_PROXY", "http://a..b:8080"),
    "http-proxy-brackets": ("HTTP_PROXY", "http://[::1"),
    "http-proxy-no-host": ("HTTP_PROXY", "http://"),
    "http-proxy-no-scheme": ("HTTP_PROXY", "://proxy"),
    "http-proxy-blank": ("HTTP_PROXY", "http://my proxy:1"),
    "http-proxy-password": ("HTTP_PROXY", "http://user:pass/word@127.0.0.1:1"),
    "https-proxy": ("HTTPS_PROXY", "127.0.0.1:8080:9"),
    "all-proxy-gnome": ("ALL_PROXY", "socks://127.0.0.1:1080/"),
    "all-proxy-socks-4": ("all_proxy", "socks4a://127.0.0.1:1080"),
    "all-proxy-scheme": ("ALL_PROXY", "ftp://127.0.0.1:21"),
    "all-proxy-without-socksio": ("ALL_PROXY", "socks5h://127.0.0.1:1080"),
    "cert-file-missing": ("SSL_CERT_FILE", NOWHERE),
    "cert-file-folder": ("SSL_CERT_FILE", str(Path(__file__).parent)),
    "cert-file-words": ("SSL_CERT_FILE", __file__),
    "cert-dir-missing": ("SSL_CERT_DIR", NOWHERE),
    "cert-dir-without-certificates": ("SSL_CERT_DIR", str(Path(__file__).parent)),
    "cert-dir-file": ("SSL_CERT_DIR", __file__),
    "key-log-missing": ("SSLKEYLOGFILE", f"{NOWHERE}/keys.log"),
    "key-log-folder": ("SSLKEYLOGFILE", str(Path(__file__).parent)),
}
"""Variables that cannot be used."""
JUNK = {
    **{name: value for name, value in LEFT_OUT.values() if name.isupper()},
    **DIRECT["columns-one"],
    **DIRECT["term"],
    **DIRECT["temporary-folder"],
    **DIRECT["home"],
    **DIRECT["time-zone"],
    "NO_PROXY": "[::1,10.0.0.0/99",
}
"""All at once."""
ENDING = [name for name in main.commands if name != "studio"]
"""The commands that end by themselves."""
ARGUMENTS = {
    "generate": ("--yes",),
    "candidates": ("index.md#hero", "-n", "2", "--yes"),
    "regenerate": ("index.md#hero", "--yes"),
    "prune": ("--dry-run",),
    "sandbox": ("--", sys.executable, "-c", "pass"),
}


@pytest.fixture
def site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setitem(sys.modules, "socksio", None)  # not installed
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A harbor", "alt": "x"}})
    return project


def assert_generated(built: Built) -> None:
    assert built.code == 0, built.output
    assert "Traceback" not in built.output
    assert built.summary == "1 generated"


@pytest.mark.parametrize("name", DIRECT)
def test_no_variable_keeps_images_from_being_generated(site: Project, api: ImagesApi, name: str) -> None:
    site.environment |= DIRECT[name]
    built = site.build("--strict")
    assert_generated(built)
    assert built.warnings == []
    assert len(api.calls) == 1


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_variable_that_cannot_be_used_is_left_out_with_one_warning(site: Project, api: ImagesApi, name: str) -> None:
    variable, value = LEFT_OUT[name]
    site.environment[variable] = value
    built = site.build()
    assert_generated(built)
    (warning,) = built.warnings
    assert f"the environment variable {variable} is left out: " in warning
    assert "127.0.0.1" not in warning  # nor anything else of a proxy's address
    assert len(api.calls) == 1
    assert site.build("--strict").warnings == []  # nothing is missing: no connection, and no variable is read


@pytest.mark.parametrize("name", LEFT_OUT)
def test_the_sandbox_needs_none_of_them(site: Project, name: str) -> None:
    variable, value = LEFT_OUT[name]
    site.environment[variable] = value
    site.options["base_url"] = "sandbox"
    built = site.build("--strict")
    assert_generated(built)
    assert built.warnings == []


def test_what_is_left_out_is_told_once_for_many_images(site: Project, api: ImagesApi) -> None:
    site.environment |= JUNK
    four = ("one", "two", "three", "four")
    site.page("more.md", " ".join(f"![x](qhaigc:{name})" for name in four), qhaigc={name: name for name in four})
    built = site.build()
    assert built.summary == "5 generated"
    told = [found[1] for line in built.warnings if (found := re.search(r"environment variable (\w+) is left", line))]
    wanted = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"]
    assert sorted(told) == sorted(wanted)
    assert len(built.warnings) == len(wanted)


@pytest.mark.parametrize("name", ENDING)
def test_no_command_ends_in_a_traceback(site: Project, api: ImagesApi, tmp_path: Path, name: str) -> None:
    site.environment |= JUNK
    if name == "share":
        (tmp_path / "team").mkdir()
        site.options["shared"] = f"file://{tmp_path / 'team'}"
    bought = run(site, "generate", "--yes") if name in ("pin", "check", "regenerate") else None
    assert bought is None or bought.returncode == 0
    finished = run(site, name, *ARGUMENTS.get(name, ()))
    assert "Traceback" not in finished.stdout + finished.stderr
    assert finished.returncode == 0, finished.stdout + finished.stderr
    calls = {"generate": 1, "regenerate": 2, "candidates": 2, "pin": 1, "check": 1, "sync": 1}
    assert len(api.calls) == calls.get(name, 0)


def test_the_studio_buys_and_shows_images(site: Project, api: ImagesApi) -> None:
    site.environment |= {**JUNK, "ALL_PROXY": "junk"}  # in a process of its own, socksio may be installed
    with studio_of(site, site.write_config()) as server:
        server.studio("api/buy_missing", {"ids": None})
        server.wait_until(lambda: server.studio("api/state").json["images"][0]["state"] == "cached")
        assert server.end() == 0
        assert "Traceback" not in server.output
    assert len(api.calls) == 1


@pytest.mark.parametrize("key", ["schlüssel", "a\nb", "two words", "", " "])
def test_a_key_that_is_none_is_told(site: Project, api: ImagesApi, key: str) -> None:
    site.take_key()
    site.environment["QHAIGC_API_KEY"] = key
    (warning,) = site.build().warnings
    assert "the environment variable QHAIGC_API_KEY" in warning
    assert api.calls == []


@pytest.mark.parametrize(
    "address", ["http://a..b", "https://" + "x" * 64, "http://[::1", "http://\N{SNOWMAN}..", "x:y"]
)
def test_an_address_to_which_nobody_can_connect_is_told(site: Project, address: str) -> None:
    site.options["base_url"] = address
    built = site.build()
    assert "Traceback" not in built.output
    assert "base_url" in built.output
    assert KEY not in built.output


def test_a_proxy_that_does_not_answer_is_named_as_a_cause(site: Project, api: ImagesApi) -> None:
    site.environment["HTTP_PROXY"] = "http://user:password@127.0.0.1:1"
    site.options["retries"] = 0
    (warning,) = site.build().warnings
    assert "cannot be reached" in warning
    assert "Check the network, the proxy that the environment names, and `base_url`" in warning
    assert "password" not in warning


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode in any locale")
def test_an_image_whose_name_no_file_can_have_here_is_not_bought(site: Project, api: ImagesApi) -> None:
    site.environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    site.page("more.md", "![x](qhaigc:雾)\n", qhaigc={"雾": {"prompt": "fog", "alt": ""}})
    built = site.build()
    assert built.code == 0, built.output
    assert built.summary == "1 generated, 1 placeholder"
    (warning,) = built.warnings
    assert "files are named after images, and ascii cannot write this name" in warning
    assert "PYTHONUTF8" in warning
    assert api.prompts == ["A harbor"]
    for name in ENDING:
        finished = run(site, name, *ARGUMENTS.get(name, ()))
        assert "Traceback" not in finished.stdout + finished.stderr
    with studio_of(site, site.write_config()) as server:
        shown = {image["name"]: image["state"] for image in server.studio("api/state").json["images"]}
        assert shown == {"hero": "pinned"}
        assert "ascii cannot write this name" in server.output
        assert "Traceback" not in server.output
    site.environment |= {"PYTHONUTF8": "1"}
    assert site.build("--strict").code == 0


@pytest.mark.parametrize("epoch", ["junk", "", "-99999999999999"])
def test_what_mkdocs_cannot_use_of_the_environment_is_one_line_of_a_command(site: Project, epoch: str) -> None:
    """`mkdocs build` itself ends in a traceback then, with any plugins or none."""
    site.environment["SOURCE_DATE_EPOCH"] = epoch
    finished = run(site, "plan")
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert finished.stderr.startswith("Error: the site of")
    assert "cannot be built (ValueError: " in finished.stderr
    assert finished.stderr.endswith("Run `mkdocs build`: it shows where\n")
