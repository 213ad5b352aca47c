"""Messages for a client that cannot be set up: they repeat nothing of its own errors, which may hold secrets."""

from __future__ import annotations

import os

import pytest

from mkdocs_qhaigc.store.object_store import ObjectStore, StoreTrouble

WHOLE = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "SECRET-ID", "AWS_SECRET_ACCESS_KEY": "SECRET-KEY"}


@pytest.mark.parametrize(
    ("url", "environment", "says"),
    [
        ("s3://team/docs", {"AWS_ACCESS_KEY_ID": "SECRET-ID", "AWS_REGION": "us-east-1"}, "there are no credentials"),
        ("s3://team/docs", {"AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_REGION": "us-east-1"}, "there are no credentials"),
        ("az://team/docs", {}, "there are no credentials"),
        (
            "az://team/docs",
            {"AZURE_STORAGE_ACCOUNT_NAME": "team", "AZURE_STORAGE_ACCOUNT_KEY": "a SECRET that is no base64"},
            "cannot read the value of one of its variables",
        ),
        ("s3://team/docs", {**WHOLE, "AWS_ALLOW_HTTP": "SECRET"}, "cannot read the value of one of its variables"),
        ("s3://team/docs", {**WHOLE, "AWS_ENDPOINT": "http://127.0.0.1:9"}, "it has no `https://`"),
        (
            "s3://team/docs",
            {**WHOLE, "AWS_ENDPOINT": "http://somebody:SECRET@127.0.0.1:9", "AWS_ALLOW_HTTP": "true"},
            "it refuses connections",
        ),
        ("s3://team/docs", {**WHOLE, "AWS_ENDPOINT": "no address SECRET"}, "a line break or a blank in its variables"),
        ("s3://team/docs", {**WHOLE, "AWS_SESSION_TOKEN": "SECRET\n"}, "a line break or a blank in its variables"),
        ("https://nowhere.invalid/docs", {}, "the name of its host is not known"),
        ("file:///nowhere/at/all", {}, "there is no such bucket, container or folder"),
    ],
)
def test_trouble_is_named_and_tells_no_secret(
    url: str, environment: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreTrouble) as caught:
        ObjectStore(url).require_reachable()
    assert says in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "SECRET" not in "".join(capfd.readouterr())
