"""A wrong address of Postgres is told before anything connects, and nothing of it is shown."""

from __future__ import annotations

import pytest

from config.database_address import HINT, postgres_address
from config.settings import SettingsError, load_settings

PASSWORD = "Sup3rS3cret"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:p@host/name",
        "postgres://u:p@host:5433/name?sslmode=verify-full&application_name=mine",
        "postgresql://u:a:b%23c%2Fd%40e@host/name",
        "postgresql://u:blank and % as they are@host/name",
        "postgresql://u@[::1]:5432/name",
        "postgresql://u@[fe80::1%25eth0]/name",
        "postgresql://u@h1,h2:5433,[::1]/name?target_session_attrs=read-write",
        "postgresql://u@/name?host=%2Frun%2Fpg&port=5432",
        "postgresql://u@%2Frun%2Fpg/name",
        "postgresql:///name",
        "postgresql://",
        "postgresql://host/name?user=me@cloud&sslmode=verify_ca",
    ],
)
def test_an_address_that_the_driver_reads_is_taken_as_it_is(address: str) -> None:
    assert postgres_address(address) == address


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mysql://u:{}@host/x", "starts with postgresql://"),
        ("postgresql:/u:{}@host/x", "starts with postgresql://"),
        ("postgresql://u:{}@localhost:port/x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@localhost:99999/x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@localhost:0/x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@localhost:5²/x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@h1:5432,h2:x/x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@/x?host=/tmp&port=x", "its port is not a whole number from 1 to 65535"),
        ("postgresql://u:{}@[::1/x", "its host cannot be read"),
        ("postgresql://u:{}@[::1]x/x", "its host cannot be read"),
        ("postgresql://u:{}@::1/x", "its host cannot be read"),
        ("postgresql://u:{}@h1,,h2/x", "its host cannot be read"),
        ("postgresql://u:{}#w@localhost/x", "there is a # in it"),
        ("postgresql://u:{}/w@localhost/x", "its port is not"),
        ("postgresql://u:12/{}@localhost/x", "there is an @ behind the host"),
        ("postgresql://u:{}?w@localhost/x", "its port is not"),
        ("postgresql://u:{}@w@localhost/x", "there is more than one @ in it"),
        ("postgresql://u:{}@localhost/x?sslmode", "what follows the ? is not parameter=value"),
        ("postgresql://u:{}@localhost/x?sslmode=bogus", "sslmode is one of disable, allow, prefer, require, verify-ca"),
        ("postgresql://u:{}@localhost/x?target_session_attrs=x", "target_session_attrs is one of any, primary"),
        ("postgresql://u:{}@localhost/x?sslnegotiation=x", "sslnegotiation is one of postgres, direct"),
        ("postgresql://u:{}%00@localhost/x", "there is a control character in it"),
        ("postgresql://u:{}\n@localhost/x", "there is a control character in it"),
    ],
)
def test_a_wrong_address_is_one_line_that_says_why_and_how_a_password_is_written(address: str, why: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_settings({}, {"PANTHERAHIVE_DATABASE_URL": address.format(PASSWORD)})
    said = str(told.value)
    assert said.startswith("PANTHERAHIVE_DATABASE_URL is wrong. Allowed is text (")
    assert why in said
    assert HINT in said
    assert "\n" not in said
    assert PASSWORD not in said
