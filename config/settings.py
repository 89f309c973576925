"""The settings: one frozen object, from flag > environment (`PANTHERAHIVE_*`) > TOML file > default.

`config.loading.load_settings` makes it; the composition root reads it and passes values down.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.access_limits import AccessLimits
from config.content_limits import ProjectLimits, UserLimits
from config.database_address import postgres_address
from config.limits import (
    KIB,
    MIB,
    ConsumerLimits,
    DatabaseLimits,
    ExportLimits,
    PastLimits,
    RestLimits,
    RuntimeLimits,
)
from config.live_limits import EventStreamLimits, LiveLimits
from config.loading import ENVIRONMENT_PREFIX, NO_SUCH_HOME, SettingsError, allowed, load

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


def _comma_separated(value: Any) -> Any:
    """The environment and flags give lists as text."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _origin(text: str) -> str:
    if _ORIGIN.fullmatch(text) is None:
        raise ValueError("an origin is scheme, host and port, such as https://app.example.org")
    return text


def _not_empty(value: Any) -> Any:
    """An empty path would be the current folder, which nobody who leaves a variable empty means."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("it is empty; without it the default holds")
    return value


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError(NO_SUCH_HOME) from None


Origin = Annotated[str, AfterValidator(_origin)]
Folder = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_absolute)]


class Settings(
    RuntimeLimits,
    LiveLimits,
    EventStreamLimits,
    ExportLimits,
    PastLimits,
    RestLimits,
    AccessLimits,
    ProjectLimits,
    UserLimits,
    DatabaseLimits,
    ConsumerLimits,
):
    """Everything that differs between installations. Every field has a default; secrets are not settings."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True, allow_inf_nan=False
    )

    config_file: Folder | None = Field(None, description="A TOML file with settings, keys as the names here.")

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z0-9.:\-]+$",
        description="The address to listen on. 0.0.0.0 serves every network that the machine is in.",
    )
    port: int = Field(8080, ge=0, le=65_535, description="The port to listen on; 0 takes a free one.")
    data_dir: Folder = Field(
        Path("/var/lib/pantherahive"),
        description="The folder for secrets and the embedded Postgres: /var/lib/pantherahive for root, else "
        "pantherahive in the user's data home (XDG_DATA_HOME).",
    )
    database_url: Annotated[str, AfterValidator(postgres_address)] | None = Field(
        None,
        repr=False,
        description="A Postgres of your own (15 or newer, the database in UTF8): postgresql://user:password@host/name, "
        "with # / @ : ? in the password as %23 %2F %40 %3A %3F. Without it the embedded one is started.",
        json_schema_extra={"secret": True},
    )
    postgres_binaries_dir: Folder | None = Field(
        None, description="The folder with initdb and postgres for the embedded Postgres; found by itself if absent."
    )
    postgres_start_timeout_s: float = Field(
        300,
        ge=1,
        le=86_400,
        description="Time for the embedded Postgres to take connections; after a crash it may need minutes to recover.",
    )
    postgres_stop_timeout_s: float = Field(
        10, ge=0.1, le=3600, description="Time for the embedded Postgres to end in order; after it, it is ended hard."
    )
    unsafe_durability: bool = Field(
        False, description="Start although Postgres may lose acknowledged commits (fsync=off and the like)."
    )

    log_format: Literal["console", "json"] = Field(
        "console",
        description="How log lines look. They go to stderr; the greeting of `serve` goes to stdout as plain text.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level to log.")

    allowed_origins: Annotated[tuple[Origin, ...], BeforeValidator(_comma_separated)] = Field(
        (),
        max_length=100,
        description="Origins of web pages that may call from a browser, separated by commas. Those of the server's "
        "own Host, https and http, are always allowed.",
    )

    argon2_memory_kib: int = Field(
        19_456, ge=8 * 1024, le=MIB, description="Memory of one password hash, in KiB (OWASP: at least 19456)."
    )
    argon2_time_cost: int = Field(2, ge=1, le=100, description="Passes of one password hash.")
    argon2_parallelism: int = Field(1, ge=1, le=16, description="Lanes of one password hash.")
    password_threads: int = Field(
        2, ge=1, le=64, description="Threads that hash passwords; each takes the memory of one hash."
    )
    password_queue_max: int = Field(
        64, ge=0, le=10_000, description="Log-ins and registrations that wait for a thread; beyond that: overloaded."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources are joined by `load_settings`, which knows where each value came from."""
        return (init_settings,)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for smaller, larger in _ORDERED:
            if getattr(self, smaller) > getattr(self, larger):
                raise ValueError(f"{smaller} must not be larger than {larger}")
        if 3 * self.beat_interval_s > self.lease_s:
            raise ValueError("lease_s must be at least three times beat_interval_s")
        return self


_ORDERED = (
    ("page_size_default", "page_size_max"),
    ("quarantine_min_s", "quarantine_max_s"),
    ("retry_backoff_min_s", "retry_backoff_max_s"),
    ("consumer_backoff_first_s", "consumer_backoff_max_s"),
    ("unsettled_bytes_max", "batch_bytes_max"),
    ("command_deadline_s", "rejection_memory_s"),
    ("access_token_lifetime_s", "refresh_token_lifetime_s"),
)
"""The first may not be larger than the second. (A rejection outlives every command that could be retried.)"""


def load_settings(flags: dict[str, Any], environ: dict[str, str]) -> Settings:
    """The settings from the command line's flags (None: not given), the environment and the file that they name.

    Raises SettingsError, whose text is meant for a person.
    """
    return load(Settings, flags, environ, ENVIRONMENT_PREFIX)


__all__ = ["ENVIRONMENT_PREFIX", "KIB", "MIB", "Settings", "SettingsError", "allowed", "load_settings"]
