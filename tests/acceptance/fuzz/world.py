"""What a fuzzer finds on a running server: people, a project full of things, and new ones as it uses them up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests

from protocol import examples

PASSWORD: Final = examples.PASSWORD
TIMEOUT_S: Final = 30


class NoRoom(Exception):
    """A limit of the server is reached."""


class FuzzWorld:
    """Ids by the names that parameters have. `ada` owns everything; `operator` stands above it."""

    def __init__(self, url: str, admin_token: str) -> None:
        self._url = url
        self._http = requests.Session()
        self.tokens = {"operator": admin_token}
        self.people = {name: self._register(name) for name in ("ada", "ben", "cat")}
        # What stays: name of a parameter → id.
        self.ids: dict[str, str] = {"userId": self.people["ada"]}
        self.ids["projectId"] = self._project(key="FUZZED")
        self.send("AddMember", userId=self.people["ben"], role="member")
        for name, make in self._makers().items():
            self.ids[name] = make()
        self.ids["otherTaskId"] = self._makers()["taskId"]()
        self.ids["key"] = "FUZZED-1"

    def fresh(self, name: str) -> str:
        """A new one, to be deleted for example; an id that nobody has once there is no room for another one."""
        try:
            return self._makers()[name]() if name != "projectId" else self._project()
        except NoRoom:
            return str(uuid.uuid4())

    def deleted(self, name: str) -> str:
        """A new one that is deleted already, to be restored for example."""
        made = self.fresh(name)
        if name == "projectId":
            self.send("DeleteProject", made)
        else:
            self.send("DeleteTask" if name == "taskId" else "DeleteComment", **{name: made})
        return made

    def done(self, *then: str) -> str:
        """The `opId` of a command of Ada's that was undone (`undo`), and done again (`redo`), if that is named."""
        op_id = str(uuid.uuid4())
        path = f"/v1/projects/{self.ids['projectId']}"
        data = {"taskId": self.ids["otherTaskId"], "title": f"Task {op_id}"}
        self._ask("POST", f"{path}/commands", {"type": "EditTask", "data": data, "opId": op_id})
        for step in then:
            self._ask("POST", f"{path}/{step}", {"opId": op_id})
        return op_id

    def commands(self) -> Mapping[str, Any]:
        """The published examples of commands to a project, by type, but for those that would end the world."""
        return {name: examples.EXAMPLES[name][0] for name in examples.EXAMPLES if name in _HARMLESS}

    def send(self, kind: str, project_id: str | None = None, **data: Any) -> Any:
        """A command of Ada's, which is accepted."""
        body = {"type": kind, "data": data}
        return self._ask("POST", f"/v1/projects/{project_id or self.ids['projectId']}/commands", body)["result"]

    def _makers(self) -> Mapping[str, Callable[[], str]]:
        send = self.send
        return {
            "taskId": lambda: str(send("CreateTask", title="Task")["taskId"]),
            "commentId": lambda: str(send("AddComment", taskId=self.ids["taskId"], body="Hm")["commentId"]),
            "linkId": lambda: str(
                send("AddLink", type="relates", taskId=self.ids["taskId"], otherId=self._makers()["taskId"]())["linkId"]
            ),
            "milestoneId": lambda: str(send("CreateMilestone", name=f"M {uuid.uuid4()}")["milestoneId"]),
            "fieldId": lambda: str(send("DefineField", name=f"F {uuid.uuid4()}", type="text")["fieldId"]),
            "roleId": lambda: str(send("DefineRole", name=f"R {uuid.uuid4()}", permissions=["comment.add"])["roleId"]),
            "botId": lambda: str(self._ask("POST", "/v1/bots", {"username": f"b{uuid.uuid4().hex[:20]}"})["userId"]),
            "tokenId": lambda: str(
                self._ask("POST", f"/v1/bots/{self.ids['botId']}/tokens", {"name": "t", "scopes": ["read"]})["tokenId"]
            ),
        }

    def _register(self, name: str) -> str:
        body = {"username": name, "password": PASSWORD}
        answer = self._ask("POST", "/v1/users/register", body, "")
        self.tokens[name] = answer["accessToken"]
        return str(answer["userId"])

    def _project(self, **fields: Any) -> str:
        return str(self._ask("POST", "/v1/projects", {"name": "Fuzzed", **fields})["id"])

    def _ask(self, method: str, path: str, body: Any, who: str = "ada") -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        answer = self._http.request(method, self._url + path, json=body, headers=headers, timeout=TIMEOUT_S)
        if answer.status_code == requests.codes.unprocessable:
            raise NoRoom(answer.text)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json()


_HARMLESS: Final = {
    "EditProject",
    "CreateTask",
    "EditTask",
    "EditTasks",
    "MoveTask",
    "AddLink",
    "WatchTask",
    "UnwatchTask",
    "AddComment",
    "EditComment",
    "AddReaction",
    "RemoveReaction",
    "CreateMilestone",
    "DefineRole",
    "DefineField",
}
"""Commands after which everything is still there."""
