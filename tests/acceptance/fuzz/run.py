"""One run of schemathesis over all operations of a running server, by its published document."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from tests.acceptance.fuzz.filling import PROTECTED, Filling
from tests.acceptance.fuzz.world import FuzzWorld

UNLIMITED: Final = {
    "rate_requests_max": 1_000_000_000,
    "rate_commands_max": 1_000_000_000,
    "rate_logins_per_address_max": 1_000_000_000,
    "rate_logins_per_name_max": 1_000_000_000,
    "bots_per_user_max": 10_000,
    "api_tokens_per_bot_max": 10_000,
}
"""Settings of the server: how often somebody may ask, and how much they may have, is tried elsewhere."""

CHECKS: Final[Mapping[str, Any]] = {
    "not_a_server_error": {"enabled": True},
    "status_code_conformance": {"enabled": True},
    "content_type_conformance": {"enabled": True},
    "response_headers_conformance": {"enabled": True},
    "response_schema_conformance": {"enabled": True},
    "negative_data_rejection": {"enabled": True, "expected-statuses": [*range(400, 500)]},
    "missing_required_header": {"enabled": False},
    "ignored_auth": {"enabled": False},
    "use_after_free": {"enabled": False},
    "ensure_resource_availability": {"enabled": False},
    "positive_data_acceptance": {"enabled": False},
    "unsupported_method": {"enabled": False},
    "allow_header_conformance": {"enabled": False},
    "object_level_authorization": {"enabled": False},
}
"""What is asked of every answer. Off: what the document cannot say (rules of the domain refuse what fits the schema),
that what was deleted is gone (tasks and comments leave tombstones, which are read by their address),
that words such as `login` beside `{userId}` answer other methods as an id would that is none, and what happens without
a token, which every request here has (`tests/acceptance/test_every_route.py` asks each operation without one)."""


@dataclass
class Figures:
    """What came of a run."""

    # Operation → status → how many.
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    # Phase of the run → cases.
    phases: Counter[str] = field(default_factory=Counter)
    # What is wrong, once for each operation and check, with a request that shows it.
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    # What kept schemathesis from trying something.
    errors: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return sum(counter.total() for counter in self.answers.values())

    def share(self, first: int, last: int) -> float:
        """The share of answers with these statuses."""
        return sum(
            count for counter in self.answers.values() for status, count in counter.items() if first <= status <= last
        ) / max(1, self.cases)

    @property
    def without_success(self) -> list[str]:
        """Operations that never answered with 2xx."""
        return sorted(name for name, counter in self.answers.items() if not any(200 <= one < 300 for one in counter))

    def lines(self) -> list[str]:
        """A table for people."""
        rows = ["| operation | cases | 2xx | 401 | other 4xx | 5xx |", "|---|---|---|---|---|---|"]
        for name, counter in sorted(self.answers.items()):
            total = counter.total()
            good = sum(count for status, count in counter.items() if 200 <= status < 300)
            bad = sum(count for status, count in counter.items() if status >= 500)
            rest = total - good - bad - counter[401]
            rows.append(f"| `{name}` | {total} | {good / total:.0%} | {counter[401]} | {rest} | {bad} |")
        return rows


ALL: Final = ("examples", "coverage", "fuzzing", "stateful")
"""The parts of a run: what the document shows, the edges of each field, made-up requests, and chains of requests."""


def fuzz(
    url: str,
    admin_token: str,
    seconds: int,
    cases_per_operation: int,
    phases: Sequence[str] = ALL,
    cases_enough: int | None = None,
) -> Figures:
    """Runs until there are enough cases, the time is over, or everything was tried. Blocks."""
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    world = FuzzWorld(url, admin_token)
    filling = Filling(world)

    @schemathesis.hook
    def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        filling.fill(case)

    @schemathesis.hook
    def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
        filling.learn(response.text)

    try:
        config = _config(url, seconds, cases_per_operation, phases)
        schema = schemathesis.openapi.from_dict(document, config=config).exclude(name=[*PROTECTED])
        figures = Figures()
        running = from_schema(schema).execute()
        for event in running:
            _take(event, figures)
            if cases_enough is not None and figures.cases >= cases_enough:
                running.stop()
        return figures
    finally:
        schemathesis.hooks.unregister_all()


def _config(url: str, seconds: int, cases_per_operation: int, phases: Sequence[str]) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "max-time": seconds,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "generation": {
                "max-examples": cases_per_operation,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "checks": dict(CHECKS),
            "phases": {name: {"enabled": name in phases} for name in ALL},
        }
    )


def _take(event: events.EngineEvent, figures: Figures) -> None:
    if isinstance(event, events.ScenarioFinished) and isinstance(event.recorder, ScenarioRecorder):
        _count(event.phase.value, event.recorder, figures)
    elif isinstance(event, events.NonFatalError):
        figures.errors.append(f"{event.label}: {event.info.format()}")
    elif isinstance(event, events.FatalError):
        raise event.exception


def _count(phase: str, recorder: ScenarioRecorder, figures: Figures) -> None:
    for case_id, node in recorder.cases.items():
        name = node.value.operation.label
        interaction = recorder.interactions.get(case_id)
        response = interaction.response if interaction is not None else None
        figures.phases[phase] += 1
        figures.answers[name][response.status_code if response is not None else 0] += 1
        for check in recorder.checks.get(case_id, []):
            if check.failure_info is not None:
                shown = f"{check.failure_info.failure.message}\n{check.failure_info.code_sample}"
                figures.failures.setdefault((name, check.name), shown)
