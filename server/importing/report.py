"""What an import says at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pantherahive_client import ProjectState
from server.importing.github_archive import Plan
from server.importing.options import ImportOptions
from server.importing.sending import Sent, hopeless

PLACES_SHOWN_MAX = 10
REFUSALS_SHOWN_MAX = 20
KINDS = {"issue": "issues", "comment": "comments", "closing": "closings"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The project before and after."""

    project_id: str
    key: str
    owner_ids: Sequence[str]
    seq_before: int
    seq_after: int
    # Steps of the archive that are in the project now, by kind.
    found: Mapping[str, int]
    # Those of them that are there otherwise than the archive has them, by kind.
    differing: Mapping[str, int]


def reading(plan: Plan) -> Iterator[str]:
    """What the archive holds and how it was read."""
    counts = plan.counts
    yield f"Archive of github:{plan.repo}"
    for kind, name in KINDS.items():
        yield f"  {counts[kind]:>7} {name}"
    yield f"  {len(plan.people):>7} people, as external persons"
    if plan.steps:
        yield f"  from {plan.steps[0].at} to {plan.steps[-1].at}"
    yield from _counted("Not dated or not told by the source:", plan.undated)
    yield from _placed("Changed to fit:", plan.findings.changes)
    yield from _placed("Left out:", plan.findings.skips)


def result(plan: Plan, sent: Sent, outcome: Outcome | None) -> Iterator[str]:
    """What was sent, what was there already, what was refused, and what the project holds now."""
    counts, refused = plan.counts, Counter[str](step.kind for step, _ in sent.refused)
    yield f"  {'':9} {'archive':>8} {'new':>8} {'known':>8} {'refused':>8}" + (" in project" if outcome else "")
    for kind, name in KINDS.items():
        line = f"  {name:9} {counts[kind]:>8} {sent.new[kind]:>8} {sent.known[kind]:>8} {refused[kind]:>8}"
        yield line + (f" {outcome.found.get(kind, 0):>10}" if outcome else "")
    if outcome is not None:
        yield (
            f"  project {outcome.key} ({outcome.project_id}): entry {outcome.seq_before} before, "
            f"{outcome.seq_after} after"
        )
        yield f"  owned by {', '.join(outcome.owner_ids) or 'nobody'}"
        yield from _differences(outcome)
    yield from _refusals(sent, "Refused by the server")


def foretold(plan: Plan, sent: Sent) -> Iterator[str]:
    """The refusals that a rehearsal has found, in the words of the server."""
    yield from _refusals(sent, "Would be refused by the server")
    left = len(plan.steps) - sent.settled
    if sent.refused and (advice := hopeless(sent.refused[-1][1])) is not None:
        yield f"  … and so would be the {left} steps after it; {advice}." if left else f"  {advice}."


def rehearsal(plan: Plan, options: ImportOptions, seen: Outcome | None) -> Iterator[str]:
    """What an import would do, as far as it is known without writing."""
    yield "Dry run: nothing was sent."
    if seen is None:
        free = f"; whether the key {options.key} is free shows when it is made" if options.key is not None else ""
        yield f"  a new project would be made{free}"
        return
    yield f"  it would go into the project {seen.key} ({seen.project_id}), owned by {', '.join(seen.owner_ids)}"
    for kind, name in KINDS.items():
        yield f"  {name:9} {plan.counts[kind]:>8} in the archive, {seen.found.get(kind, 0)} of them are there already"
    yield from _differences(seen)


def unused_name(name: str, state: ProjectState) -> str:
    """The project was there before, so the name that was given for a new one has no use."""
    called = state.project["name"] if state.project is not None else "?"
    return (
        f"--name {name!r} is not used: the project is there already and is called {called!r}. An owner can rename it."
    )


def _differences(outcome: Outcome) -> Iterator[str]:
    counted = [f"{name} {outcome.differing[kind]}" for kind, name in KINDS.items() if outcome.differing.get(kind)]
    if counted:
        yield f"  differ from the archive: {', '.join(counted)}; the import does not change what is there"


def _refusals(sent: Sent, head: str) -> Iterator[str]:
    if not sent.refused:
        return
    yield f"{head} ({len(sent.refused)}):"
    for step, error in sent.refused[:REFUSALS_SHOWN_MAX]:
        yield f"  {step.where}: {error}"
    if len(sent.refused) > REFUSALS_SHOWN_MAX:
        yield f"  … and {len(sent.refused) - REFUSALS_SHOWN_MAX} more"
    if any(error.details.get("reason") == "import_out_of_order" for _, error in sent.refused):
        yield "  Later history was there first. Import into a new project (--project) with --in-flight 1."


def _counted(head: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield head
        yield from (f"  {count:>7} {what}" for what, count in sorted(counts.items()))


def _placed(head: str, places: Mapping[str, list[str]]) -> Iterator[str]:
    if places:
        yield head
        for why, where in sorted(places.items()):
            yield f"  {len(where):>7} {why}{_some(where)}"


def _some(places: Iterable[str]) -> str:
    named = [place for place in places if place]
    if not named:
        return ""
    more = f" and {len(named) - PLACES_SHOWN_MAX} more" if len(named) > PLACES_SHOWN_MAX else ""
    return f": {'; '.join(named[:PLACES_SHOWN_MAX])}{more}"
