"""Set-up: where packages come from."""

from __future__ import annotations

import sys

import pytest

from scripts import installer_settings

INDEX = "https://packages.example/simple"


def test_pips_settings_are_read_and_the_environment_wins() -> None:
    listed = (
        f"global.index-url='{INDEX}'\n"
        "global.timeout='60'\n"
        "install.timeout='90'\n"
        ":env:.timeout='120'\n"
        "download.index-url='https://not.for.us/simple'\n"
        "no setting at all\n"
    )
    assert installer_settings.parse_pip_settings(listed) == {"index-url": INDEX, "timeout": "120"}


def test_pips_settings_become_uvs() -> None:
    given = {
        "index-url": INDEX,
        "extra-index-url": "https://one.example/simple\nhttps://two.example/simple",
        "find-links": "/wheels /more-wheels",
        "trusted-host": "packages.example",
        "cert": "/certificates.pem",
        "timeout": "60",
        "proxy": "http://proxy.example:3128",
        "no-index": "true",
        "quiet": "1",
    }
    made = installer_settings.uv_settings(given)
    assert made["UV_INDEX_URL"] == INDEX
    assert made["UV_EXTRA_INDEX_URL"] == "https://one.example/simple https://two.example/simple"
    assert made["UV_FIND_LINKS"] == "/wheels,/more-wheels"
    assert made["UV_INSECURE_HOST"] == "packages.example"
    assert made["SSL_CERT_FILE"] == "/certificates.pem"
    assert made["UV_HTTP_TIMEOUT"] == "60"
    assert made["HTTPS_PROXY"] == made["HTTP_PROXY"] == "http://proxy.example:3128"
    assert made["PIP_NO_INDEX"] == "true"
    assert "1" not in {made[name] for name in made if "QUIET" in name}


def test_without_settings_of_pip_uv_keeps_its_own_sources() -> None:
    made = installer_settings.uv_settings({})
    assert not {"UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "HTTPS_PROXY"} & made.keys()
    assert made["UV_PYTHON_DOWNLOADS"] == "never"


def test_what_was_said_to_uv_itself_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer_settings, "pip_settings", lambda _: {"index-url": INDEX, "timeout": "60"})
    monkeypatch.setenv("UV_INDEX_URL", "https://mine.example/simple")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.delenv("UV_HTTP_TIMEOUT", raising=False)
    environment = installer_settings.environment(sys.executable)
    assert environment["UV_INDEX_URL"] == "https://mine.example/simple"
    assert environment["UV_HTTP_TIMEOUT"] == "60"
    assert "PYTHONPATH" not in environment
