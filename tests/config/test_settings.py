"""Settings: which source wins, and how a wrong one is told."""

from __future__ import annotations

import dataclasses
import os
import pwd
import shlex
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from actors.runtime.limits import RuntimeLimits
from config.settings import Settings, SettingsError, load_settings

EXAMPLES = Path(__file__).parents[2] / "config/examples"


def told(flags: dict[str, object], environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags, environ)
    return str(caught.value)


def test_without_anything_it_listens_on_this_machine_only() -> None:
    settings = load_settings({}, {})
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8080, None)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hive.toml"
    file.write_text('port = 1\nhost = "0.0.0.0"\nlog_format = "json"\n')
    environ = {"PANTHERAHIVE_CONFIG_FILE": str(file), "PANTHERAHIVE_PORT": "2", "PANTHERAHIVE_HOST": "::1"}
    settings = load_settings({"port": 3, "host": None}, environ)
    assert (settings.port, settings.host, settings.log_format) == (3, "::1", "json")


def test_a_flag_names_another_file_than_the_environment(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("port = 1\n")
    (tmp_path / "b.toml").write_text("port = 2\n")
    environ = {"PANTHERAHIVE_CONFIG_FILE": str(tmp_path / "a.toml")}
    assert load_settings({"config_file": str(tmp_path / "b.toml")}, environ).port == 2


def test_settings_do_not_change() -> None:
    settings = load_settings({}, {})
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("PORT", "99999", ["PANTHERAHIVE_PORT", "99999", "from 0 to 65535"]),
        ("PORT", "http", ["PANTHERAHIVE_PORT", "http", "whole number"]),
        ("PORT", "80.0", ["PANTHERAHIVE_PORT = '80.0' is wrong", "whole number"]),
        ("LOG_FORMAT", "xml", ["xml", "console, json"]),
        ("UNSAFE_DURABILITY", "perhaps", ["true or false"]),
        ("ALLOWED_ORIGINS", "example.org", ["a list, separated by commas", "https://app.example.org"]),
        ("HEADS_INTERVAL_S", "nan", ["a number from 0.1 to 300"]),
        ("HOST", "a b", ["PANTHERAHIVE_HOST"]),
        ("PAGE_SIZE_DEFAULT", "9999", ["page_size_max"]),
        ("BEAT_INTERVAL_S", "4", ["lease_s"]),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, parts: list[str]) -> None:
    text = told({}, {f"PANTHERAHIVE_{name}": value})
    assert all(part.lower() in text.lower() for part in parts), text


def test_settings_that_do_not_fit_together_are_named_as_they_were_written_with_their_values(tmp_path: Path) -> None:
    file = tmp_path / "hive.toml"
    file.write_text("lease_s = 2\n")
    cases: list[tuple[dict[str, Any], dict[str, str], str]] = [
        (
            {},
            {"LEASE_S": "1.5"},
            "PANTHERAHIVE_LEASE_S = '1.5' must be at least three times beat_interval_s (not given,",
        ),
        ({"lease_s": "1"}, {}, "--lease-s = '1' must be at least three times beat_interval_s (not given, so 1)."),
        (
            {"config_file": str(file)},
            {"BEAT_INTERVAL_S": "1"},
            f"lease_s in {file} = 2 must be at least three times PANTHERAHIVE_BEAT_INTERVAL_S = '1'.",
        ),
        (
            {},
            {"PAGE_SIZE_DEFAULT": "9999"},
            "PANTHERAHIVE_PAGE_SIZE_DEFAULT = '9999' must not be larger than page_size_max (not given, so 1000).",
        ),
    ]
    for flags, environ, words in cases:
        assert told(flags, {f"PANTHERAHIVE_{name}": value for name, value in environ.items()}).startswith(words)


def test_all_wrong_values_are_told_at_once() -> None:
    text = told({"port": -1}, {"PANTHERAHIVE_LANES": "0"})
    assert "--port" in text
    assert "PANTHERAHIVE_LANES" in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port = true", "port in {file} = true is wrong. Allowed is a whole number from 0 to 65535"),
        ("port = 80.0", "port in {file} = 80.0 is wrong. Allowed is a whole number"),
        ('port = "80"', 'port in {file} = "80" is wrong. Allowed is a whole number'),
        ("heads_interval_s = true", "heads_interval_s in {file} = true is wrong. Allowed is a number from"),
        ('heads_interval_s = "1"', 'heads_interval_s in {file} = "1" is wrong. Allowed is a number from'),
        ("unsafe_durability = 1", "unsafe_durability in {file} = 1 is wrong. Allowed is true or false"),
        ("unsafe_durability = 0.0", "unsafe_durability in {file} = 0.0 is wrong. Allowed is true or false"),
        ('unsafe_durability = "yes"', 'unsafe_durability in {file} = "yes" is wrong. Allowed is true or false'),
        ("host = 1", "host in {file} = 1 is wrong. Allowed is text"),
        ("data_dir = 1", "data_dir in {file} = 1 is wrong. Allowed is a path"),
        ("log_format = false", "log_format in {file} = false is wrong. Allowed is one of console, json"),
        ('allowed_origins = "https://a.example"', "is wrong. Allowed is a list of texts"),
        ("allowed_origins = [1]", "allowed_origins in {file} = [1] is wrong. Allowed is a list of texts"),
        ("port = 2026-01-01", 'port in {file} = "2026-01-01" is wrong. Allowed is a whole number'),
        ("[port]", "port in {file} = {{}} is wrong. Allowed is a whole number"),
        ("database_url = 5", "database_url in {file} is wrong. Allowed is text"),
    ],
)
def test_a_value_of_another_type_in_the_file_is_refused(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "hive.toml"
    file.write_text(f"{line}\n")
    assert words.format(file=file) in told({"config_file": str(file)}, {})


def test_a_whole_number_in_the_file_is_a_number(tmp_path: Path) -> None:
    file = tmp_path / "hive.toml"
    file.write_text("heads_interval_s = 1\nunsafe_durability = true\n")
    settings = load_settings({"config_file": str(file)}, {})
    assert (settings.heads_interval_s, settings.unsafe_durability) == (1.0, True)


def test_text_is_read_as_the_type_of_its_setting() -> None:
    settings = load_settings({"port": "80"}, {"PANTHERAHIVE_UNSAFE_DURABILITY": "true", "PANTHERAHIVE_LANES": "3"})
    assert (settings.port, settings.unsafe_durability, settings.lanes) == (80, True, 3)
    assert "PANTHERAHIVE_PORT" in told({}, {"PANTHERAHIVE_PORT": "true"})
    assert "PANTHERAHIVE_UNSAFE_DURABILITY" in told({}, {"PANTHERAHIVE_UNSAFE_DURABILITY": "2"})
    assert "--port" in told({"port": True}, {})


def test_a_secret_is_not_shown() -> None:
    text = told({}, {"PANTHERAHIVE_DATABASE_URL": "mysql://me:hunter2@host/db"})
    assert "PANTHERAHIVE_DATABASE_URL" in text
    assert "hunter2" not in text
    settings = load_settings({}, {"PANTHERAHIVE_DATABASE_URL": "postgresql://me:hunter2@host/db"})
    assert "hunter2" not in repr(settings)


def test_unknown_names_are_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    assert "PANTHERAHIVE_PORT" in told({}, {"PANTHERAHIVE_PROT": "1"})
    assert "--log-level" in told({"log_levl": "info"}, {})
    file = tmp_path / "hive.toml"
    file.write_text("data_dri = '/x'\n")
    text = told({"config_file": str(file)}, {})
    assert "data_dri in" in text
    assert "data_dir in" in text


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("PORT = 1", "There is no setting PORT in {file}. It is written port in {file}."),
        ("PANTHERAHIVE_PORT = 1", "There is no setting PANTHERAHIVE_PORT in {file}. It is written port in {file}."),
        ("data-dir = '/x'", "There is no setting data-dir in {file}. It is written data_dir in {file}."),
        ("LOG_LEVLE = 'info'", "There is no setting LOG_LEVLE in {file}. The nearest is log_level in {file}."),
        ("[server]\nport = 1", "There is no setting server in {file}. The file has no tables: every setting stands on"),
        ("xyzzy = 1", "There is no setting xyzzy in {file}. docs/configuration.md names all settings."),
    ],
)
def test_an_unknown_name_in_the_file_gets_a_hint_that_helps(tmp_path: Path, line: str, hint: str) -> None:
    file = tmp_path / "hive.toml"
    file.write_text(f"{line}\n")
    assert told({"config_file": str(file)}, {}).startswith(hint.format(file=file))


def test_a_value_of_another_type_is_told_in_our_words_only(tmp_path: Path) -> None:
    file = tmp_path / "hive.toml"
    file.write_text("data_dir = 5\nport = true\n")
    assert told({"config_file": str(file)}, {}).splitlines() == [
        f"port in {file} = true is wrong. Allowed is a whole number from 0 to 65535.",
        f"data_dir in {file} = 5 is wrong. Allowed is a path.",
    ]


@pytest.mark.parametrize("content", [b"port = ", b"\xff", b"config_file = '/x'", b"[server]\nport = 1\n"])
def test_a_file_that_is_no_settings_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "hive.toml"
    file.write_bytes(content)
    assert str(file) in told({"config_file": str(file)}, {})


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("config_file", "--config"),
        ("data_dir", "--data-dir"),
        ("postgres_binaries_dir", "--postgres-binaries-dir"),
    ],
)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_path_is_refused_by_name_wherever_it_stands(tmp_path: Path, name: str, flag: str, value: str) -> None:
    variable = f"PANTHERAHIVE_{name.upper()}"
    words = f"= '{value}' is wrong. Allowed is a path (it is empty; without it the default holds)."
    assert told({}, {variable: value}) == f"{variable} {words}"
    assert told({name: value}, {}) == f"{flag} {words}"
    if name != "config_file":
        file = tmp_path / "hive.toml"
        file.write_text(f'{name} = "{value}"\n')
        assert told({"config_file": str(file)}, {}) == f"{name} in {file} {words}".replace("'", '"')


def test_every_setting_that_is_a_path_refuses_an_empty_one() -> None:
    for name, schema in Settings.model_json_schema()["properties"].items():
        if any(one.get("format") == "path" for one in schema.get("anyOf", [schema])):
            assert "it is empty" in told({}, {f"PANTHERAHIVE_{name.upper()}": ""}), name


def test_the_current_folder_can_be_written() -> None:
    assert load_settings({"data_dir": "."}, {}).data_dir == Path.cwd()


def test_the_home_of_a_user_who_is_not_there_is_told() -> None:
    assert "PANTHERAHIVE_DATA_DIR = '~nobody-of-that-name/x' is wrong. Allowed is a path (there is no home" in told(
        {}, {"PANTHERAHIVE_DATA_DIR": "~nobody-of-that-name/x"}
    )
    assert "The settings file ~nobody-of-that-name/x cannot be read: there is no home folder" in told(
        {"config_file": "~nobody-of-that-name/x"}, {}
    )


def test_a_missing_file_is_named() -> None:
    assert "/does/not/exist.toml" in told({}, {"PANTHERAHIVE_CONFIG_FILE": "/does/not/exist.toml"})


def test_other_variables_are_nobodys_business() -> None:
    assert load_settings({}, {"PORT": "1", "PANTHERA": "x"}).port == 8080


def test_lists_come_as_text_or_as_lists(tmp_path: Path) -> None:
    file = tmp_path / "hive.toml"
    file.write_text('allowed_origins = ["https://a.example"]\n')
    assert load_settings({"config_file": str(file)}, {}).allowed_origins == ("https://a.example",)
    environ = {"PANTHERAHIVE_ALLOWED_ORIGINS": "https://a.example, http://localhost:5173"}
    assert load_settings({}, environ).allowed_origins == ("https://a.example", "http://localhost:5173")


def test_the_data_folder_follows_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert load_settings({}, {}).data_dir == Path("/var/lib/pantherahive")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert load_settings({}, {"HOME": "/home/ada"}).data_dir == Path("/home/ada/.local/share/pantherahive")
    assert load_settings({}, {"XDG_DATA_HOME": "/data"}).data_dir == Path("/data/pantherahive")


@pytest.mark.parametrize("home", ["", "here"])
def test_a_home_that_is_no_absolute_path_is_looked_up(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    account = pwd.getpwuid(os.getuid())
    monkeypatch.setattr("pwd.getpwuid", lambda _: account)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert load_settings({}, {"HOME": home}).data_dir == Path(account.pw_dir) / ".local/share/pantherahive"


def test_without_any_home_the_data_folder_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 2**31)
    assert "set PANTHERAHIVE_DATA_DIR" in told({}, {})
    assert load_settings({}, {"PANTHERAHIVE_DATA_DIR": "/data"}).data_dir == Path("/data")


def test_every_field_is_described_and_every_number_is_bounded() -> None:
    for name, schema in Settings.model_json_schema()["properties"].items():
        assert Settings.model_fields[name].description, name
        if schema.get("type") in {"integer", "number"}:
            assert {"minimum", "maximum"} <= schema.keys(), name


def test_every_limit_of_the_runtime_is_a_setting_with_the_same_default() -> None:
    settings = load_settings({}, {})
    for field in dataclasses.fields(RuntimeLimits):
        assert getattr(settings, field.name) == field.default, field.name


def test_the_examples_are_settings() -> None:
    for file in EXAMPLES.glob("*.toml"):
        load_settings({"config_file": str(file)}, {})
    for file in EXAMPLES.glob("*.env"):
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        load_settings({}, dict(shlex.split(line)[0].split("=", 1) for line in lines))
