"""Reading a GitHub issue archive (the `archive.json` of IETF working groups) and laying it out as dated steps.

`{repo, issues: [{number, title, state, author, assignees, labels, body, createdAt, closedAt, comments: [{author, body,
createdAt, updatedAt}]}], pulls: […]}`. Pure: nothing is sent here. Ids and opIds come from what a step is about, so
that the same archive read again gives the same steps, and a later one the same ids for what both have. An issue and its
closing are told by the issue's number; a comment by its issue, its time and its text, and its number among those of
the issue that are equal in both. Authors are no part of it: people rename and delete their accounts. A comment whose
text was edited at the source since has another id; `matching` finds the one that was imported, which keeps its text.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid5

from server.importing.texts import Findings, instant_or_none, label, markdown, title

NAMESPACE = UUID("0f0c1a55-6d0b-5d4e-9a43-6f1d4a3c7b21")
"""Of all ids made by imports. It never changes: repeated imports would double everything."""

SOURCE = "github"
OPEN_STATE = "todo"
CLOSED_STATE = "done"
ARCHIVE_BYTES_MAX = 1024 * 1024 * 1024
PERSON_CHARACTERS_MAX = 100
LABELS_MAX = 100
ASSIGNEES_MAX = 100

StepKind = Literal["issue", "comment", "closing"]


WANTED = (
    'what is wanted is the archive.json of a GitHub repository: {"repo": "owner/name", "issues": [{"number": 1, '
    '"title": …, "createdAt": …}, …]}'
)


class ArchiveUnreadable(Exception):
    """The file is not such an archive. The text is meant for a person."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, as the command that records it."""

    kind: StepKind
    where: str
    """For people: `#12`, `#12, comment 3`."""
    at: str
    author: str
    id: str
    """The same at every import: the opId comes from it."""
    command: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """All steps in the order of their time, and what is to be said about the reading."""

    repo: str
    steps: list[Step] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    # External people: whoever wrote or closed something, or was assigned.
    people: set[str] = field(default_factory=set)
    # What the source does not date, by what it is.
    undated: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> Counter[str]:
        """Steps by kind."""
        return Counter[str](step.kind for step in self.steps)


def read_archive(path: Path) -> Mapping[str, Any]:
    """The archive's JSON. Raises ArchiveUnreadable."""
    try:
        if path.stat().st_size > ARCHIVE_BYTES_MAX:
            raise ArchiveUnreadable(f"{path} is larger than {ARCHIVE_BYTES_MAX} bytes")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ArchiveUnreadable(f"{path} cannot be read: {error.strerror}; look at the path") from error
    except (ValueError, RecursionError) as error:
        raise ArchiveUnreadable(f"{path} is not JSON ({error}); {WANTED}") from error
    if not isinstance(content, dict) or not isinstance(content.get("issues"), list):
        raise ArchiveUnreadable(f"{path} is no issue archive: it has no list of issues; {WANTED}")
    if not isinstance(content.get("repo"), str) or not content["repo"].strip():
        raise ArchiveUnreadable(f"{path} does not say which repository it is of; {WANTED}")
    return content


def project_id_of(repo: str, whose: str) -> str:
    """The project that a repository is imported into when none is named. `whose` sets the owners' projects apart."""
    return _id(repo, f"project/{whose}")


def step_id_of(repo: str, what: str) -> str:
    """The id of a step, the same at every import."""
    return _id(repo, f"{what}/op")


def _id(repo: str, what: str) -> str:
    return str(uuid5(NAMESPACE, f"{SOURCE}/{repo.lower()}/{what}"))


def plan(archive: Mapping[str, Any]) -> Plan:
    """The steps of the whole archive, by time; what happened at the same time stays in the archive's order.

    Raises ArchiveUnreadable when there are issues and none of them has this form.
    """
    made = Plan(repo=archive["repo"].strip())
    seen: set[int] = set()
    for issue in sorted(filter(_is_numbered, archive["issues"]), key=lambda issue: issue["number"]):
        if issue["number"] in seen:
            made.findings.skipped("issue that is there twice", f"#{issue['number']}")
            continue
        seen.add(issue["number"])
        _plan_issue(made, issue)
    for issue in archive["issues"]:
        if not _is_numbered(issue):
            made.findings.skipped("issue without a number", "an entry of the list")
    if archive["issues"] and not made.steps:
        raise ArchiveUnreadable(f"none of the {len(archive['issues'])} issues has a number and a createdAt; {WANTED}")
    for _ in _listed(made, archive.get("pulls"), "pulls"):
        made.findings.skipped("pull request (not an issue)", "")
    made.steps.sort(key=lambda step: step.at)
    return made


def _listed(made: Plan, value: Any, where: str) -> Sequence[Any]:
    """The list, empty where there is none."""
    if value is not None and not isinstance(value, list):
        made.findings.skipped("list that is none", where)
    return value if isinstance(value, list) else ()


def _is_numbered(issue: Any) -> bool:
    return isinstance(issue, dict) and type(issue.get("number")) is int and issue["number"] > 0


def _plan_issue(made: Plan, issue: Mapping[str, Any]) -> None:
    where = f"#{issue['number']}"
    created_at = instant_or_none(issue.get("createdAt"))
    if created_at is None:
        made.findings.skipped("issue without a readable time of creation", where)
        return
    task_id = _id(made.repo, f"issue/{issue['number']}")
    made.steps.append(_creation(made, issue, task_id, created_at, where))
    _plan_comments(made, issue, task_id, created_at)
    _plan_closing(made, issue, task_id, created_at, where)


def _creation(made: Plan, issue: Mapping[str, Any], task_id: str, at: str, where: str) -> Step:
    labels, assignees = _labels(made, issue, where), _assignees(made, issue, where)
    if labels:
        made.undated["labels of issues take the issue's time of creation"] += 1
    if assignees:
        made.undated["assignees of issues take the issue's time of creation"] += 1
    data = {
        "taskId": task_id,
        "title": title(made.findings, issue.get("title"), where),
        "description": markdown(made.findings, issue.get("body"), where),
        "stateId": OPEN_STATE,
        "labels": labels,
        "assigneeIds": assignees,
        "externalId": f"{SOURCE}:{made.repo}#{issue['number']}",
    }
    step_id = step_id_of(made.repo, f"issue/{issue['number']}")
    return Step("issue", where, at, _author(made, issue, where), step_id, "CreateTask", data)


def _labels(made: Plan, issue: Mapping[str, Any], where: str) -> list[str]:
    labels = [label(made.findings, text, where) for text in _listed(made, issue.get("labels"), where)]
    return _limited(made, [text for text in labels if text], LABELS_MAX, "label", where)


def _assignees(made: Plan, issue: Mapping[str, Any], where: str) -> list[str]:
    people = []
    for login in _listed(made, issue.get("assignees"), where):
        person = _person(login)
        if person is None:
            made.findings.skipped("assignee without a name", where)
            continue
        made.people.add(person)
        people.append(person)
    return _limited(made, people, ASSIGNEES_MAX, "assignee", where)


def _limited(made: Plan, values: Iterable[str], limit: int, what: str, where: str) -> list[str]:
    distinct = list(dict.fromkeys(values))
    for _ in distinct[limit:]:
        made.findings.skipped(f"{what} beyond the first {limit}", where)
    return distinct[:limit]


def _author(made: Plan, item: Mapping[str, Any], where: str) -> str:
    person = _person(item.get("author"))
    if person is None:
        made.findings.changed("author is not known to the source: recorded as unknown", where)
        return "unknown"
    made.people.add(person)
    return person


def _person(login: Any) -> str | None:
    """`external:github:<login>`, or None where nobody is named."""
    if not isinstance(login, str) or not 0 < len(login) <= PERSON_CHARACTERS_MAX:
        return None
    fits = login.isprintable() and not any(char.isspace() or char == ":" for char in login)
    return f"external:{SOURCE}:{login}" if fits else None


def _plan_comments(made: Plan, issue: Mapping[str, Any], task_id: str, created_at: str) -> None:
    same: Counter[tuple[str, str]] = Counter()
    for number, comment in enumerate(_listed(made, issue.get("comments"), f"#{issue['number']}"), 1):
        where = f"#{issue['number']}, comment {number}"
        if not isinstance(comment, dict):
            made.findings.skipped("comment that cannot be read", where)
            continue
        body = markdown(made.findings, comment.get("body"), where)
        if not body.strip():
            made.findings.skipped("comment without text", where)
            continue
        at = _time_of(made, comment.get("createdAt"), created_at, where, "comment")
        author = _author(made, comment, where)
        # By time and text rather than by place: an archive made later may lack an earlier comment.
        digest = hashlib.sha256(body.encode()).hexdigest()
        same[at, digest] += 1
        what = f"issue/{issue['number']}/comment/{at}/{digest}/{same[at, digest]}"
        edited_at = instant_or_none(comment.get("updatedAt"))
        if edited_at is not None and edited_at != at:
            made.undated["comments were edited later: they appear from the start with their last text"] += 1
        data = {"commentId": _id(made.repo, what), "taskId": task_id, "body": body}
        made.steps.append(Step("comment", where, at, author, step_id_of(made.repo, what), "AddComment", data))


def _plan_closing(made: Plan, issue: Mapping[str, Any], task_id: str, created_at: str, where: str) -> None:
    is_closed = str(issue.get("state", "")).upper() == "CLOSED"
    if not is_closed:
        if issue.get("closedAt") is not None:
            made.findings.skipped("closing of an issue that is open again", where)
        return
    at = _time_of(made, issue.get("closedAt"), created_at, f"{where}, closing", "closing")
    made.undated["closings have no author in the source: recorded as unknown"] += 1
    step_id = step_id_of(made.repo, f"issue/{issue['number']}/closing")
    data = {"taskId": task_id, "stateId": CLOSED_STATE}
    made.steps.append(Step("closing", f"{where}, closing", at, "unknown", step_id, "EditTask", data))


def _time_of(made: Plan, text: Any, created_at: str, where: str, what: str) -> str:
    """The item's own time, or the issue's creation where there is none or an earlier one."""
    at = instant_or_none(text)
    if at is None:
        made.undated[f"{what}s without a time take the issue's time of creation"] += 1
        made.findings.changed(f"{what} has no readable time: takes the issue's creation", where)
        return created_at
    if at < created_at:
        made.findings.changed(f"{what} is older than its issue: takes the issue's creation", where)
        return created_at
    return at


def open_at(steps: Sequence[Step], at: str) -> int:
    """How many issues were open at the end of this instant, by the steps alone."""
    moment = instant_or_none(at)
    if moment is None:
        raise ValueError(f"not an instant: {at}")
    happened = Counter(step.kind for step in steps if step.at <= moment)
    return happened["issue"] - happened["closing"]
