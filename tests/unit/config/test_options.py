"""The plugin's options: what may be written in mkdocs.yml, and what is said of the rest."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc.config.label import Label
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.config.options import Options, check_folders, read_options
from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.imaging.plan_published_files import Encoding
from mkdocs_qhaigc.imaging.reference_finder import ReferenceFiles
from tests.conftest import require_posix
from tests.unit.config import check_option

FOLDER = Path("/project")
SECRET = "sk-proj-Zq8vYw3RtLk2MnPb"


def read(**values: Any) -> Options:
    return read_options(values, folder=FOLDER, docs_dir=FOLDER / "docs")


def test_the_defaults_are_those_of_the_contract() -> None:
    assert read() == Options(
        enabled=True,
        base_url="https://api.qhaigc.net/v1",
        api_key_env="QHAIGC_API_KEY",
        headers={},
        allow_http=False,
        defaults=Defaults("qh-draw-x2-preview", "1280x720", "", {}, files=ReferenceFiles(FOLDER, FOLDER / "docs")),
        missing="generate",
        max_new_images=25,
        serve_buys="ask",
        studio=True,
        concurrency=4,
        timeout=180,
        retries=4,
        response_format="url",
        references_by="auto",
        task_url="{base_url}/tasks/{id}",
        cache_dir=FOLDER / ".qhaigc",
        pins_dir=FOLDER / "generated-images",
        shared=None,
        shared_writable=False,
        assets_dir="assets/qhaigc",
        encoding=Encoding(("webp",), (480, 800, 1280), {"avif": 58, "webp": 80, "jpeg": 80, "png": 80}),
        label=Label(),
        sizes=None,  # what fits the theme; 100vw where that is not known
        gallery=None,
        report=None,
        prices=None,
        folder=FOLDER,
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_left_empty_has_no_default_that_might_buy(name: str) -> None:
    if OPTIONS[name].default is None:
        assert read(**{name: None}) == read()
    else:
        with pytest.raises(OptionError, match="it is empty") as raised:
            read(**{name: None})
        assert raised.value.option == name


@pytest.mark.parametrize(
    ("option", "value", "checked"),
    [
        ("enabled", False, False),
        ("base_url", "https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("base_url", " http://127.0.0.1:8080/sandbox/x/v1 ", "http://127.0.0.1:8080/sandbox/x/v1"),
        ("base_url", "http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("base_url", "sandbox", "sandbox"),
        ("api_key_env", "OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("api_key_env", "_key2", "_key2"),
        ("api_key_env", "AZURE_OPENAI_API_KEY_FOR_PROJECT_2", "AZURE_OPENAI_API_KEY_FOR_PROJECT_2"),
        ("api_key_env", "my_very_own_images_api_key", "my_very_own_images_api_key"),
        ("model", " 即梦4.0 ", "即梦4.0"),
        ("size", "1024 × 768", "1024x768"),
        ("style", "ink wash", "ink wash"),
        ("api_key_env", "none", "none"),
        ("headers", {"X-Project": "handbook", "X-Retention": 30}, {"X-Project": "handbook", "X-Retention": "30"}),
        ("headers", "{OpenAI-Organization: org-abc123}", {"OpenAI-Organization": "org-abc123"}),
        ("headers", {"HTTP-Referer": "https://example.com/docs?x=1"}, {"HTTP-Referer": "https://example.com/docs?x=1"}),
        ("styles", {"ink": "ink wash"}, {"ink": "ink wash"}),
        ("styles", "ink: ink wash", {"ink": "ink wash"}),
        ("images", {"hero": "A lighthouse"}, {"hero": "A lighthouse"}),
        ("images", "{hero: {prompt: A lighthouse}}", {"hero": {"prompt": "A lighthouse"}}),
        ("missing", "placeholder", "placeholder"),
        ("missing", "error", "error"),
        ("max_new_images", 0, 0),
        ("max_new_images", 100_000, 100_000),
        ("concurrency", 64, 64),
        ("timeout", 0.5, 0.5),
        ("timeout", 3600, 3600),
        ("retries", 0, 0),
        ("response_format", "b64_json", "b64_json"),
        ("gallery", " pages/./all images.md ", "pages/all images.md"),
        ("report", "ci/report.json", "ci/report.json"),
        ("report", "~/report.json", str(Path.home() / "report.json")),
        ("response_format", "none", "none"),
        ("cache_dir", "../cache", "../cache"),
        ("cache_dir", "/var/cache/qhaigc", "/var/cache/qhaigc"),
        ("pins_dir", "pins", "pins"),
        ("assets_dir", "img", "img"),
        ("assets_dir", "img/made/", "img/made"),
        ("assets_dir", "img\\made", "img/made"),
        ("assets_dir", "./img//made/../x", "img/x"),
        ("formats", ["avif", "webp"], ("avif", "webp")),
        ("formats", ["jpg", "png"], ("jpeg", "png")),
        ("formats", "avif, webp", ("avif", "webp")),
        ("formats", "avif webp,jpg", ("avif", "webp", "jpeg")),
        ("formats", "png", ("png",)),
        ("widths", [], ()),
        ("widths", [800, 480, 800], (480, 800)),
        ("widths", "480, 800 1280", (480, 800, 1280)),
        ("widths", 640, (640,)),
        ("quality", 60, 60),
        ("quality", {"avif": 50}, {"avif": 50}),
        ("quality", {"jpg": 70}, {"jpeg": 70}),
        ("quality", "{avif: 50, webp: 70}", {"avif": 50, "webp": 70}),
        ("provenance", False, False),
        ("provenance", {"prompt": True}, {"prompt": True}),
        ("provenance", "{prompt: false}", {"prompt": False}),
        ("sizes", "(max-width: 60em) 100vw, 60em", "(max-width: 60em) 100vw, 60em"),
    ],
)
def test_a_good_value_is_accepted_and_checking_it_again_changes_nothing(option: str, value: Any, checked: Any) -> None:
    """MkDocs checks each value first; `read_options` checks what came of it."""
    assert check_option(option, value) == checked
    assert check_option(option, checked) == checked


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("enabled", "yes", "Write true or false"),
        ("enabled", 1, "Write true or false"),
        ("base_url", "api.qhaigc.net/v1", "Write an address such as https://api.qhaigc.net/v1"),
        ("base_url", "ftp://api.qhaigc.net/v1", "Write an address such as"),
        ("base_url", "https://", "Write an address such as"),
        ("base_url", "https:///v1", "Write an address such as"),
        ("base_url", "http://[::1/v1", "Write an address such as"),
        ("base_url", "http://host:port/v1", "Write an address such as"),
        ("base_url", "http://host:99999/v1", "Write an address such as"),
        ("base_url", "http://host:0/v1", "Write an address such as"),
        ("base_url", "https://two hosts/v1", "Write an address such as"),
        ("base_url", "https://host/\x00", "Write an address such as"),
        ("base_url", "https://host/\ud800", "Write an address such as"),
        ("base_url", 8080, "Write an address such as"),
        ("base_url", ["https://api.qhaigc.net/v1"], "Write an address such as"),
        ("api_key_env", "", "Write its name"),
        ("api_key_env", 12, "Write its name"),
        ("api_key_env", "MY KEY", "Write its name"),
        ("api_key_env", "$QHAIGC_API_KEY", "Write its name"),
        ("headers", ["X-Project"], "Write a mapping of names to values"),
        ("headers", {"X Project": "x"}, "is no header's name"),
        ("headers", {"Content-Type": "x"}, "is set by the plugin itself"),
        ("headers", {"X-Project": ""}, "Write one line of ASCII"),
        ("headers", {"X-Project": "a\r\nCookie: b"}, "Write one line of ASCII"),
        ("headers", {"X-Project": "灯塔"}, "Write one line of ASCII"),
        ("headers", {"X-Project": True}, "Write one line of ASCII"),
        ("headers", {"Cookie": "a=b"}, "Cookie seems to hold a key"),
        ("model", "", "Write a model's name"),
        ("model", 4.0, "Write a model's name"),
        ("size", 1024, "it is 1024 (a number). Write WIDTHxHEIGHT in pixels"),
        ("size", "none", "write `models: {MODEL: {size: none}}`"),
        ("size", "8x8", "Write WIDTHxHEIGHT"),
        ("style", ["ink"], "Write a text"),
        ("style", " ", "Write a text"),
        ("styles", ["ink"], "Write a mapping of names to texts, for example {ink: "),
        ("styles", "ink", "Write a mapping"),
        ("styles", "{ink: ", "no YAML"),
        ("styles", "{ink: 2026-13-45}", "no YAML"),
        ("styles", "!!int ''", "no YAML"),
        ("styles", "!!timestamp x", "no YAML"),
        ("styles", "[" * 600, "no YAML"),
        ("styles", {"ink": 3}, "Write a text for each name"),
        ("styles", {"ink": ""}, "Write a text for each name"),
        ("styles", {1: "ink"}, "Write a text for each name"),
        ("styles", {16**5000: 16**5000}, "Write a text for each name"),
        ("images", ["A lighthouse"], "Write a mapping of names to prompts, for example {logo: "),
        ("images", ["emblem"], "Write a mapping of names to prompts, for example {emblem: "),
        ("images", [7], "for example {logo: "),
        ("prices", 3, "Write a mapping of models to prices, for example {dall-e-3: 0.04}"),
        ("images", "{hero: 2026-13-45}", "no YAML"),
        ("missing", "warn", "'warn'. Write one of generate, placeholder, error"),
        ("missing", "placeholders", "Did you mean placeholder? Write one of generate, placeholder, error"),
        ("missing", "Error", "Did you mean error?"),
        ("missing", True, "generate, placeholder, error"),
        ("max_new_images", -1, "from 0 to 100000"),
        ("max_new_images", True, "from 0 to 100000"),
        ("max_new_images", "25", "from 0 to 100000"),
        ("max_new_images", 2.0, "from 0 to 100000"),
        pytest.param("max_new_images", 16**5000, "from 0 to 100000", id="a huge number"),
        ("concurrency", 0, "from 1 to 64"),
        ("concurrency", 65, "from 1 to 64"),
        ("timeout", 0, "more than 0"),
        ("timeout", -1, "more than 0"),
        ("timeout", 3601, "at most 3600"),
        ("timeout", math.nan, "more than 0"),
        ("timeout", math.inf, "at most 3600"),
        ("timeout", "180", "Write seconds"),
        ("timeout", True, "Write seconds"),
        ("retries", 21, "from 0 to 20"),
        ("response_format", "base64", "url, b64_json, none"),
        ("response_format", ["url"], "url, b64_json, none"),
        ("cache_dir", "", "Write a folder"),
        ("cache_dir", 5, "Write a folder"),
        ("pins_dir", ["pins"], "Write a folder"),
        ("assets_dir", "", "Write a folder of the site"),
        ("assets_dir", " ", "Write a folder of the site"),
        ("assets_dir", ".", "Write a folder of the site"),
        ("assets_dir", "/srv/site", "Write a folder of the site"),
        ("assets_dir", "..", "Write a folder of the site"),
        ("assets_dir", "img/../../x", "Write a folder of the site"),
        ("assets_dir", "..\\x", "Write a folder of the site"),
        ("assets_dir", "C:\\site", "Write a folder of the site"),
        ("assets_dir", "https://cdn.example.com", "Write a folder of the site"),
        ("assets_dir", 7, "Write a folder of the site"),
        *(
            ("assets_dir", value, "begin with `_` or `.`")
            for value in ("_img", ".img", "img/_made", "a/.b/c", "x/../_y")
        ),
        *(
            ("gallery", value, "begin with `_` or `.`")
            for value in ("_images.md", ".images.md", "_a/b.md", "a/.b/c.md")
        ),
        *(
            ("gallery", value, "Write a page's file within docs_dir")
            for value in (7, "", "gallery", ".md", "a/.md", "/a.md", "../a.md", "a/../../b.md", "C:\\a.md", "a\0.md")
        ),
        ("report", 7, "Write a file's name"),
        ("report", "mkdocs.yml", "Write the name of a .json file"),
        ("report", "$HOME/report.json", "Write the path out, or begin it with `~/`"),
        ("formats", [], "Write each format once"),
        ("formats", "", "Write each format once"),
        ("formats", ["webp", "webp"], "Write each format once"),
        ("formats", ["jpg", "jpeg"], "Write each format once"),
        ("formats", ["wepb"], "Did you mean webp?"),
        ("formats", ["gif"], "avif, webp, jpeg, png"),
        ("formats", [["webp"]], "avif, webp, jpeg, png"),
        ("formats", {"webp": 80}, "avif, webp, jpeg, png"),
        ("formats", True, "avif, webp, jpeg, png"),
        ("widths", [8], "from 16 to 16384"),
        ("widths", "wide", "from 16 to 16384"),
        ("widths", ["480px"], "from 16 to 16384"),
        ("widths", [480.5], "from 16 to 16384"),
        ("widths", [True], "from 16 to 16384"),
        ("widths", {480: 1}, "from 16 to 16384"),
        ("quality", 0, "from 1 to 100"),
        ("quality", 101, "from 1 to 100"),
        ("quality", True, "from 1 to 100"),
        ("quality", {"avif": "80"}, "from 1 to 100"),
        ("quality", {"gif": 80}, "avif, webp, jpeg, png"),
        ("quality", {"JPGE": 80}, "Did you mean jpeg?"),
        ("quality", {"jpg": 80, "jpeg": 70}, "jpg and jpeg are one format. Write it once"),
        ("quality", "webp: [", "Write a number, or one a format: {webp: 82, avif: 60}"),
        ("quality", "high", "from 1 to 100"),
        ("quality", [80], "from 1 to 100"),
        ("provenance", 1, "Write true, false, or {prompt: true}"),
        ("provenance", "prompt", "Write true, false, or {prompt: true}"),
        ("provenance", {"prompt": "yes"}, "Write true, false, or {prompt: true}"),
        ("provenance", {"prompts": True}, "Write true, false, or {prompt: true}"),
        ("sizes", "", "for example 100vw"),
        ("sizes", 100, "for example 100vw"),
    ],
)
def test_a_bad_value_is_refused_with_what_to_write(option: str, value: Any, remedy: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_option(option, value)

    assert caught.value.option == option
    assert remedy in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("api_key_env", SECRET),
        ("api_key_env", SECRET.replace("-", "_")),
        ("api_key_env", SECRET.replace("-", "")),
        ("api_key_env", "A1B2C3D4E5F60718293A4B5C6D7E8F90"),
        ("api_key_env", f"{SECRET}\n"),
        ("api_key_env", [SECRET]),
        ("headers", {"Authorization": SECRET}),
        ("headers", {"Authorization": f"Bearer {SECRET}"}),
        ("headers", {"X-API-Key": SECRET}),
        ("headers", {"api-key": "A1B2C3D4E5F60718293A4B5C6D7E8F90"}),
        ("headers", {"X-Project": SECRET}),
        ("headers", {"X-Project": f"Bearer {SECRET}"}),
        ("headers", {"X-Project": f"project={SECRET}"}),
        ("headers", {"X-Project": "A1B2C3D4E5F60718293A4B5C6D7E8F90"}),
        ("headers", {"X-Project": [SECRET]}),
        ("base_url", SECRET),
        ("base_url", [SECRET]),
        ("base_url", f"https://{SECRET}@api.qhaigc.net/v1"),
        ("base_url", f"https://user:{SECRET}@api.qhaigc.net/v1"),
        ("base_url", f"https://api.qhaigc.net/v1?key={SECRET}"),
        ("base_url", f"https://api.qhaigc.net/v1#{SECRET}"),
        ("base_url", f"https://api.qhaigc.net:{SECRET}/v1"),
        ("base_url", f"ftp://api.qhaigc.net/{SECRET}"),
        ("base_url", f"https://[{SECRET}/v1"),
    ],
)
def test_a_key_typed_into_an_option_is_refused_and_never_repeated(option: str, value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        check_option(option, value)

    said = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not any(part in said for part in (SECRET, SECRET.replace("-", ""), "Zq8vYw3RtLk2MnPb", "A1B2C3D4"))


@pytest.mark.parametrize(
    ("values", "option", "parts"),
    [
        ({"images": {"hero": {"prompt": "A", "size": "12"}}}, "images", ["'hero'", "`size`", "1280x720"]),
        ({"images": {"no name": "A"}}, "images", ["1 to 64 letters"]),
        ({"style": "inc", "styles": {"ink": "ink wash"}}, "style", ["'inc'", "Did you mean `ink`?"]),
    ],
)
def test_options_that_do_not_go_together_are_refused(values: Any, option: str, parts: list[str]) -> None:
    with pytest.raises(OptionError) as caught:
        read(**values)

    assert caught.value.option == option
    assert [part for part in parts if part not in str(caught.value)] == []


def test_a_quality_for_one_format_leaves_the_others_at_their_default() -> None:
    assert read(quality={"avif": 50}).encoding.quality == {"avif": 50, "webp": 80, "jpeg": 80, "png": 80}
    assert read(quality={"webp": 50}).encoding.quality == {"avif": 58, "webp": 50, "jpeg": 80, "png": 80}


def test_one_quality_means_as_much_in_every_format() -> None:
    """AVIF's numbers stand for more than those of the others."""
    assert read(quality=65).encoding.quality == {"avif": 47, "webp": 65, "jpeg": 65, "png": 65}
    assert read(quality=1).encoding.quality["avif"] == 1


@pytest.mark.parametrize(
    ("provenance", "marked", "with_prompt"),
    [(True, True, False), (False, False, False), ({"prompt": True}, True, True), ({}, True, False)],
)
def test_images_are_marked_unless_that_is_off_and_prompts_kept_back_unless_asked_for(
    provenance: Any, marked: bool, with_prompt: bool
) -> None:
    encoding = read(provenance=provenance).encoding

    assert (encoding.marked, encoding.with_prompt) == (marked, with_prompt)


@pytest.mark.parametrize(
    ("base_url", "sandboxed"),
    [
        ("sandbox", True),
        ("http://127.0.0.1:1/sandbox/v1", True),
        ("https://api.qhaigc.net/v1", False),
        ("https://sandbox.example.com/v1", False),
        ("https://example.com/v1/sandbox/", False),
    ],
)
def test_a_sandbox_is_known_by_its_address(base_url: str, sandboxed: bool) -> None:
    assert read(base_url=base_url).sandboxed is sandboxed


def check(**values: Any) -> None:
    check_folders(
        read(**values),
        folder=FOLDER,
        docs_dir=FOLDER / "docs",
        site_dir=FOLDER / "site",
        is_published=lambda src_uri: not src_uri.startswith("."),
    )


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"cache_dir": "/var/cache/qhaigc"},
        {"cache_dir": "../cache"},
        {"cache_dir": "site-cache", "pins_dir": "docs-pins"},
        {"pins_dir": "a/b"},
        {"cache_dir": "docs/.cache", "pins_dir": "docs/.pins", "report": "docs/.report.json"},
        {"report": "report.json"},
        {"report": "../report.json"},
    ],
)
def test_folders_that_are_not_published_are_accepted(values: dict[str, str]) -> None:
    check(**values)


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("cache_dir", "site", "built site"),
        ("cache_dir", "site/cache", "built site"),
        ("cache_dir", "x/../site/cache", "built site"),
        ("pins_dir", "site/pins", "built site"),
        ("cache_dir", "docs", "docs_dir"),
        ("cache_dir", "docs/cache", "docs_dir"),
        ("pins_dir", "docs/pins", "docs_dir"),
        ("pins_dir", "../pins", "leads out"),
        ("pins_dir", "/pins", "leads out"),
        ("pins_dir", ".", "leads out"),
    ],
)
def test_folders_where_images_would_be_lost_or_published_are_refused(option: str, value: str, why: str) -> None:
    with pytest.raises(OptionError) as caught:
        check(**{option: value})

    assert caught.value.option == option
    assert why in str(caught.value)
    assert "Choose a folder" in str(caught.value)


_large = st.sampled_from([4000, 5000]).map(lambda digits: 16**digits)
_keys = st.text(max_size=5) | st.integers() | _large
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=3)
    | st.dates()
    | _large
    | st.sampled_from(["a: 1", "[x", "{a: 0x1}", "1999-99-99", datetime.date(2026, 1, 1), "!!bool x", "webp", "480"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(OPTIONS)), values)
def test_whatever_yaml_makes_is_an_option_or_an_error_of_ours(option: str, value: Any) -> None:
    try:
        check_option(option, value)
    except OptionError as refusal:
        said = refusal
    else:
        return
    assert said.option == option
    assert len(str(said).splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value"), [("headers", {"X-Project": 16**4000}), ("models", {"own": {16**4000: 1}})]
)
def test_a_number_of_thousands_of_digits_is_refused_in_words(option: str, value: Any) -> None:
    with pytest.raises(OptionError):
        check_option(option, value)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\x1b[31m"])
@pytest.mark.parametrize("option", ["assets_dir", "cache_dir", "model", "pins_dir", "sizes", "style"])
def test_a_text_that_no_file_and_no_page_can_hold_is_refused(option: str, text: str) -> None:
    with pytest.raises(OptionError):
        check_option(option, text)


@pytest.mark.parametrize("report", ["docs/report.json", "site/a/report.json", "docs/../site/report.json"])
def test_a_report_that_would_be_published_is_refused(report: str) -> None:
    with pytest.raises(OptionError, match="Name a file outside") as raised:
        check(report=report)
    assert raised.value.option == "report"


def test_a_folder_of_the_cache_that_is_a_link_is_refused(tmp_path: Path) -> None:
    options = read_options({}, folder=tmp_path, docs_dir=tmp_path / "docs")
    options.cache_dir.mkdir(parents=True)
    require_posix("links that anybody may make")
    (options.cache_dir / "originals").symlink_to(tmp_path)
    with pytest.raises(OptionError, match="originals is a link"):
        check_folders(
            options,
            folder=tmp_path,
            docs_dir=tmp_path / "docs",
            site_dir=tmp_path / "site",
            is_published=lambda _: True,
        )


@pytest.mark.parametrize(
    "task_url",
    [
        "{base_url}/tasks/{id}",
        "{base_url}/tasks/{id}?full=1",
        "https://api.example.com/other/{id}",
        "https://API.example.com:443/t?id={id}",
    ],
)
def test_a_task_s_address_has_the_id_and_the_origin_of_the_api(task_url: str) -> None:
    assert read(base_url="https://api.example.com/v1", task_url=task_url).task_url == task_url


@pytest.mark.parametrize(
    "task_url",
    [
        "https://other.example.com/{id}",
        "http://api.example.com/{id}",
        "https://api.example.com:8443/{id}",
        "https://user@api.example.com/{id}",
        "https://api.example.com.evil.com/{id}",
        "https://{id}/x",
    ],
)
def test_a_task_s_address_elsewhere_is_refused_for_the_key_goes_to_it(task_url: str) -> None:
    with pytest.raises(OptionError, match="the key is sent to that one only") as raised:
        read(base_url="https://api.example.com/v1", task_url=task_url)
    assert raised.value.option == "task_url"
    assert read(base_url="sandbox", task_url=task_url).task_url == task_url  # which has an address of its own


@pytest.mark.parametrize(
    "task_url",
    [
        "{base_url}/tasks",
        "/tasks/{id}",
        "{base_url}{id}",
        "{base_url}/{id}/{x}",
        "{base_url}/{id}#x",
        "{base_url}/{",
        7,
    ],
)
def test_a_task_s_address_that_is_none_is_refused(task_url: object) -> None:
    with pytest.raises(OptionError, match=r"Write an address with \{id\} in it"):
        read(base_url="https://api.example.com/v1", task_url=task_url)
