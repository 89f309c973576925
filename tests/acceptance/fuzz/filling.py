"""Puts real ids into made-up requests, so that they get beyond "no such thing"; what has to be wrong stays wrong."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from tests.acceptance.fuzz.world import PASSWORD, FuzzWorld

FILLED_SHARE: Final = 0.85
OPERATOR_SHARE: Final = 0.1
"""The rest of the requests is Ada's."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LEARNT_CHARACTERS: Final = 100_000
_WHOLE_SEQ: Final = 11
"""From here on the project has one of everything."""

PROTECTED: Final = ("POST /v1/users/logout", "PUT /v1/users/{userId}/password")
"""They would end the log-in that everything else needs; `tests/acceptance/test_every_route.py` calls them."""

_USED_UP: Final[Mapping[str, str]] = {
    "DELETE /v1/bots/{botId}/tokens/{tokenId}": "tokenId",
    "DELETE /v1/projects/{projectId}": "projectId",
    "PUT /v1/projects/{projectId}": "projectId",
    "DELETE /v1/projects/{projectId}/comments/{commentId}": "commentId",
    "DELETE /v1/projects/{projectId}/links/{linkId}": "linkId",
    "DELETE /v1/projects/{projectId}/tasks/{taskId}": "taskId",
}
"""Operations after which something is not what it was: it gets one of its own."""

_DELETED: Final[Mapping[str, str]] = {
    "POST /v1/projects/{projectId}/restore": "projectId",
    "POST /v1/projects/{projectId}/purge": "projectId",
    "POST /v1/projects/{projectId}/tasks/{taskId}/restore": "taskId",
    "POST /v1/projects/{projectId}/comments/{commentId}/restore": "commentId",
}
"""Operations about what is deleted."""

_NEW: Final = {"taskId", "commentId", "linkId", "milestoneId", "fieldId", "roleId", "invitationId"}
"""Ids in bodies that a client gives to what it makes."""


class Filling:
    """Changes a request right before it is sent."""

    def __init__(self, world: FuzzWorld) -> None:
        self._world = world
        self._random = random.Random(20260731)
        # Ids that the server has given: a request that goes on with one of them keeps it.
        self._seen: set[str] = set()

    def learn(self, text: str) -> None:
        """An answer that came."""
        self._seen.update(_UUID.findall(text[:_LEARNT_CHARACTERS]))

    def fill(self, case: Case[Any]) -> None:
        """Signs the request and fills in what is not wrong on purpose."""
        who = "operator" if self._random.random() < OPERATOR_SHARE else "ada"
        case.headers["Authorization"] = f"Bearer {self._world.tokens[who]}"
        self._spare(case)
        is_example = case.meta is not None and case.meta.phase.name is TestPhase.EXAMPLES
        if not is_example and self._random.random() >= FILLED_SHARE:
            return
        label = case.operation.label
        if case.path_parameters and not _is_wrong(case, ParameterLocation.PATH):
            case.path_parameters = {**case.path_parameters, **self._path(label, case.path_parameters)}
        if case.query and not _is_wrong(case, ParameterLocation.QUERY):
            case.query = self._query(case.query)
        if isinstance(case.body, dict) and not _is_wrong(case, ParameterLocation.BODY):
            case.body = self._body(label, case.body)

    def _spare(self, case: Case[Any]) -> None:
        """What everything else needs is neither deleted nor archived, wherever its id came from."""
        name = _USED_UP.get(case.operation.label, "")
        if case.path_parameters and case.path_parameters.get(name) in self._world.ids.values():
            case.path_parameters = {**case.path_parameters, name: self._world.fresh(name)}

    def _path(self, label: str, given: Mapping[str, Any]) -> dict[str, Any]:
        made_up = {name for name, value in given.items() if value not in self._seen}
        found = {name: self._world.ids[name] for name in made_up if name in self._world.ids}
        if _USED_UP.get(label) in made_up:
            found[_USED_UP[label]] = self._world.fresh(_USED_UP[label])
        if _DELETED.get(label) in made_up:
            found[_DELETED[label]] = self._world.deleted(_DELETED[label])
        return found

    def _query(self, given: Mapping[str, Any]) -> dict[str, Any]:
        known = {
            "stream": f"project/{self._world.ids['projectId']}",
            "seq": self._random.randint(1, 5),
            "from": str(self._random.randint(1, 5)),
            "to": "5",
            "asOf": str(self._random.randint(_WHOLE_SEQ, _WHOLE_SEQ + 3)),
            "username": "ada",
            "parent": "none",
            "comment": self._world.ids["commentId"],
            "minSeq": f"project/{self._world.ids['projectId']}:{_WHOLE_SEQ}",
            "limit": self._random.randint(1, 1000),
        }
        return {name: known.get(name, value) for name, value in given.items() if name not in ("after", "before")}

    def _body(self, label: str, body: dict[str, Any]) -> dict[str, Any]:
        if label.endswith("/commands"):
            return self._command(label)
        if label.endswith("/undo"):
            return {"opId": self._world.done()}
        if label.endswith("/redo"):
            return {"opId": self._world.done("undo")}
        if label.endswith("/login"):
            return {"username": "ben", "password": PASSWORD}
        filled: dict[str, Any] = {name: self._value(label, name, value) for name, value in body.items()}
        return {name: value for name, value in filled.items() if value is not _LEFT_OUT}

    def _command(self, label: str) -> dict[str, Any]:
        if label == "POST /v1/users/{userId}/commands":
            return {"type": "MarkRead", "data": {}}
        if label == "POST /v1/users/{userId}/profile/commands":
            return {"type": "EditProfile", "data": {"bio": "Fuzzed"}}
        kind, data = self._random.choice(list(self._world.commands().items()))
        makes = kind.startswith(("Create", "Add", "Define")) and kind != "AddReaction"
        real = {name: self._value("POST" if makes else "", name, value) for name, value in data.items()}
        return {"type": kind, "data": {name: value for name, value in real.items() if value is not _LEFT_OUT}}

    def _value(self, label: str, name: str, value: Any) -> Any:
        """What belongs under this name, or the value as it is."""
        ids, people = self._world.ids, self._world.people
        if name in ("after", "before", "ownerId", "opId", "base", "origin", "externalId", "states", "fields"):
            return _LEFT_OUT
        if name in ("parentId", "milestoneId", "recurrence", "replyTo") and value is not None:
            return _LEFT_OUT if name in ("parentId", "replyTo", "recurrence") else ids["milestoneId"]
        if name == "edits":
            return [{"taskId": ids["taskId"], "priority": "low"}]
        if name in _NEW and label.startswith("POST") and not (name == "taskId" and "links" in label):
            return _LEFT_OUT
        if name in ("key", "username"):
            return f"X{uuid.uuid4().hex[:9].upper()}"
        if name == "email":
            return f"x{uuid.uuid4().hex}@example.org"
        if name in ("name", "title"):
            return f"{name} {uuid.uuid4().hex}"
        if name.lower().endswith("assignees") or name.lower().endswith("watchers") or name == "assigneeIds":
            return [people["ben"]]
        known: dict[str, Any] = {
            "otherId": ids["otherTaskId"],
            "userId": people["cat"],
            "stateId": "todo",
            "role": "viewer",
        }
        known |= {"projectIds": [ids["projectId"]], "permissions": ["comment.add"], "expiresAt": "2999-01-01T00:00:00Z"}
        return known.get(name, ids.get(name, value))


_LEFT_OUT: Final = object()


def _is_wrong(case: Case[Any], location: ParameterLocation) -> bool:
    """Whether this part of the request has to be refused."""
    return case.meta is not None and case.meta.is_negative_at(location)
