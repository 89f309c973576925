"""A realistic story over REST that comes past every operation: people, a project, its content, what is told of it.

A route that is new has its place here: `walk.call("METHOD /path", who)` sends the published example of its body, with
the ids of the published examples (`protocol/examples.py`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from protocol import examples
from tests.acceptance.walk.walker import Person, Walker

PASSWORD = examples.PASSWORD


class Cast(NamedTuple):
    """Who takes part: the owner of the project, a member, one who is invited, and the operator."""

    ada: Person
    ben: Person
    cat: Person
    operator: Person


async def people(walk: Walker, admin_token: str) -> Cast:
    """Accounts, log-ins and profiles."""
    ada = await _registered(walk, examples.ADA)
    ben = await _registered(walk, examples.BEN, {"username": "ben", "password": PASSWORD})
    cat = await _registered(walk, examples.CAT, {"username": "cat", "password": PASSWORD})
    await walk.call("POST /v1/users/login")
    walk.names.know("ph_refresh_…", ada.refresh_token)
    renewed = (await walk.call("POST /v1/users/refresh", fresh={"accessToken"})).body
    ada = Person(ada.id, renewed["accessToken"], renewed["refreshToken"])
    assert [one["userId"] for one in (await walk.call("GET /v1/users", ada)).body] == [ada.id]
    profile = (await walk.call("PUT /v1/users/{userId}", ada)).body
    assert (profile["bio"], profile["timezone"]) == ("Writes *programs*.", "Europe/London")
    assert "email" not in (await walk.call("GET /v1/users/{userId}", ben)).body
    assert (await walk.call("GET /v1/users/me", ben)).body["userId"] == ben.id
    await walk.call("POST /v1/users/{userId}/profile/commands", ada)
    await walk.call("GET /v1/users/{userId}/profile/events", ben)
    await walk.live("GET /v1/users/{userId}/profile/events", ben, "entry")
    return Cast(ada, ben, cat, Person("system", admin_token))


async def log_ins_end(walk: Walker, cast: Cast) -> None:
    """Of somebody who is needed no more."""
    at = {"userId": cast.cat.id}
    await walk.call("PUT /v1/users/{userId}/password", cast.cat, at=at)
    await walk.call("POST /v1/users/logout", cast.cat)


async def bots(walk: Walker, cast: Cast) -> None:
    """A bot and its token."""
    bot = (await walk.call("POST /v1/bots", cast.ada)).body
    walk.names.know(examples.BOT, bot["userId"])
    assert (await walk.call("GET /v1/bots", cast.ada)).body == [bot]
    token = (await walk.call("POST /v1/bots/{botId}/tokens", cast.ada, again=False)).body
    walk.names.know(examples.TOKEN, token["tokenId"])
    (listed,) = (await walk.call("GET /v1/bots/{botId}/tokens", cast.ada)).body
    assert listed == {name: value for name, value in token.items() if name != "token"}
    await walk.call("DELETE /v1/bots/{botId}/tokens/{tokenId}", cast.ada)


async def project(walk: Walker, cast: Cast) -> None:
    """A project, its people and what it is made of."""
    made = (await walk.call("POST /v1/projects", cast.ada)).body
    walk.names.know(examples.PROJECT, made["id"])
    one = "/v1/projects/{projectId}"
    assert (await walk.call(f"PUT {one}", cast.ada)).body["description"] == "To the moon, and safely back."
    assert (await walk.call(f"GET {one}", cast.ada)).body["name"] == "Apollo"
    for kind in ("AddMember", "DefineRole", "CreateMilestone", "DefineField", "EditField", "InviteMember"):
        await command(walk, cast.ada, kind)
    assert [one["id"] for one in await walk.pages("GET /v1/projects", cast.ada)] == [made["id"]]
    assert (await walk.call("GET /v1/projects", cast.operator)).body
    members = await walk.pages(f"GET {one}/members", cast.ben)
    assert {one["role"] for one in members} == {"owner", "member"}
    assert len((await walk.call(f"GET {one}/roles", cast.ben)).body) == 6
    assert (await walk.call(f"GET {one}/fields", cast.ben)).body[0]["name"] == "Part"
    assert len(await walk.pages(f"GET {one}/milestones", cast.ben)) == 1
    assert (await walk.call(f"GET {one}/milestones/{{milestoneId}}", cast.ben)).body["status"] == "Open"
    assert len((await walk.call(f"GET {one}/invitations", cast.ada)).body) == 1
    assert [one["projectName"] for one in (await walk.call("GET /v1/invitations", cast.cat)).body] == ["Apollo"]


async def tasks(walk: Walker, cast: Cast) -> None:
    """Tasks, their order and their links."""
    every = "/v1/projects/{projectId}/tasks"
    one = f"{every}/{{taskId}}"
    first = (await walk.call(f"POST {every}", cast.ada)).body
    assert first["key"] == "APOLLO-1"
    second = walk.names.real(examples.EXAMPLES["CreateTask"][1])
    await walk.call(f"POST {every}", cast.ben, second)
    assert (await walk.call(f"GET {one}", cast.ben)).body == first
    assert (await walk.call(f"PUT {one}", cast.ben)).body["priority"] == "high"
    renamed = await walk.call(f"PUT {one}", cast.ben, {"title": "Land on Mars"})
    walk.names.know(examples.UNDONE, renamed.headers["Op-Id"])
    for again in ("undo", "redo", "undo"):
        await walk.call(f"POST /v1/projects/{{projectId}}/{again}", cast.ben)
    assert (await walk.call(f"GET {one}", cast.ben)).body["title"] == first["title"]
    at_once = int(renamed.headers["ETag"].strip('"').partition(".")[0])
    back = (await walk.call(f"POST {one}/restore-to", cast.ben, {"asOf": at_once})).body
    assert back["result"] == {"seq": at_once, "left": []}
    assert (await walk.call("POST /v1/projects/{projectId}/restore-to", cast.ada)).body["result"]["remaining"] == 0
    assert (await walk.call(f"POST {one}/restore-to", cast.ada)).body["result"]["seq"] == 12
    edited = (await walk.call(f"POST {every}/bulk", cast.ada)).body
    assert [item["ok"] for item in edited["result"]["items"]] == [True, True]
    at = {"taskId": second["taskId"]}
    assert (await walk.call(f"POST {one}/move", cast.ben)).body["stateId"] == "in-progress"
    await walk.call("POST /v1/projects/{projectId}/commands", cast.ben)
    await walk.call(f"DELETE {one}", cast.ben, at=at)
    assert (await walk.call(f"POST {one}/restore", cast.ada, at=at)).body["deletedAt"] is None
    assert len(await walk.pages(f"GET {every}", cast.ben)) == 2
    assert len(await walk.pages("GET /v1/tasks", cast.ben)) == 1
    assert len(await walk.pages("GET /v1/users/{userId}/watched", cast.operator)) == 0
    links = "/v1/projects/{projectId}/links"
    link = (await walk.call(f"POST {links}", cast.ada)).body
    assert (await walk.call(f"GET {links}/{{linkId}}", cast.ben)).body == link
    assert await walk.pages(f"GET {links}", cast.ben) == [link]
    await walk.call(f"DELETE {links}/{{linkId}}", cast.ada)
    assert (await walk.call("GET /v1/links/{key}", cast.ben)).body["taskId"] == first["id"]


async def conversation(walk: Walker, cast: Cast) -> None:
    """Comments, reactions, and what is told of them."""
    of_task = "/v1/projects/{projectId}/tasks/{taskId}/comments"
    one = "/v1/projects/{projectId}/comments/{commentId}"
    first = (await walk.call(f"POST {of_task}", cast.ada)).body
    assert cast.ben.id in str(first["mentions"])
    reply = walk.names.real(examples.EXAMPLES["AddComment"][1])
    await walk.call(f"POST {of_task}", cast.ben, {name: value for name, value in reply.items() if name != "taskId"})
    assert len((await walk.call(f"PUT {one}", cast.ada)).body["edits"]) == 1
    assert (await walk.call(f"PUT {one}/reactions/{{emoji}}", cast.ben)).body["reactions"][0]["userIds"] == [
        cast.ben.id
    ]
    assert (await walk.call(f"DELETE {one}/reactions/{{emoji}}", cast.ben)).body["reactions"] == []
    assert len(await walk.pages(f"GET {one}/replies", cast.ben)) == 1
    at = {"commentId": reply["commentId"]}
    assert (await walk.call(f"DELETE {one}", cast.ben, at=at)).body["deletedAt"]
    assert (await walk.call(f"POST {one}/restore", cast.ben, at=at)).body["body"] == "Sooner."
    assert (await walk.call(f"GET {one}", cast.ben)).body["id"] == first["id"]
    assert (await walk.pages(f"GET {of_task}", cast.ben))[0]["replyCount"] == 1


async def inbox(walk: Walker, cast: Cast) -> None:
    """What Ben was told of, and what he wants to be told of."""
    at = {"userId": cast.ben.id}
    mine = "/v1/users/{userId}"
    found = await _told(walk, cast.ben)
    source = found["items"][0]["newest"]["source"]
    explained = await walk.call(f"GET {mine}/notifications/explain", cast.ben, query=source, at=at)
    assert explained.body
    assert (await walk.call(f"POST {mine}/notifications/read", cast.ben, at=at)).body["readUpTo"] == 1
    await walk.call(f"PATCH {mine}/preferences", cast.ben, at=at)
    assert (await walk.call(f"PUT {mine}/preferences/muted/{{projectId}}", cast.ben, at=at)).body["mutedProjectIds"]
    await walk.call(f"DELETE {mine}/preferences/muted/{{projectId}}", cast.ben, at=at)
    assert (await walk.call(f"GET {mine}/preferences", cast.ben, at=at)).body["quietHours"]
    await walk.call(f"POST {mine}/commands", cast.ben, at=at)
    await walk.call(f"GET {mine}/events", cast.ben, at=at)
    await walk.live(f"GET {mine}/events", cast.ben, "entry", at=at)


async def log(walk: Walker, cast: Cast) -> None:
    """What happened, in every form in which it can be read."""
    one = "/v1/projects/{projectId}"
    page = (await walk.call(f"GET {one}/events", cast.ben)).body
    assert [entry["seq"] for entry in page["entries"]] == list(range(1, len(page["entries"]) + 1))
    await walk.live(f"GET {one}/events", cast.ben, "entry")
    assert (await walk.call(f"GET {one}/diff", cast.ben, query={"limit": 3})).body["changes"]
    assert (await walk.call(f"GET {one}/activity", cast.ben)).body
    assert (await walk.call(f"GET {one}/tasks/{{taskId}}/activity", cast.ben)).body
    assert (await walk.call("GET /v1/users/{userId}/activity", cast.ben)).body
    for name, who in ((f"GET {one}/export", cast.ada), ("GET /v1/users/{userId}/export", cast.ada)):
        lines = (await walk.call(name, who)).body.splitlines()
        assert '"end"' in lines[-1], lines[-1]


async def the_end(walk: Walker, cast: Cast) -> None:
    """Projects end, and so do log-ins."""
    answer = (await walk.call("DELETE /v1/projects/{projectId}", cast.ada)).body
    assert answer == {"message": "Project deleted successfully"}
    [deleted] = await walk.pages("GET /v1/projects", cast.ada, deleted=True)
    assert deleted["deletedAt"] is not None
    assert (await walk.call("POST /v1/projects/{projectId}/restore", cast.ada)).body["deletedAt"] is None
    await walk.call("DELETE /v1/projects/{projectId}", cast.ada)
    await walk.call("POST /v1/projects/{projectId}/purge", cast.ada)
    await log_ins_end(walk, cast)


CHAPTERS = (bots, project, tasks, conversation, inbox, log, the_end)
"""In their order; `people` comes before them all."""


async def command(walk: Walker, who: Person, kind: str, **data: Any) -> Any:
    """A command of the project by its example, over REST."""
    example = walk.names.real(examples.EXAMPLES[kind][0])
    body = {"type": kind, "data": {**example, **data}}
    return (await walk.call("POST /v1/projects/{projectId}/commands", who, body)).body


async def _registered(walk: Walker, name: str, body: Any = None) -> Person:
    tokens = {"accessToken", "refreshToken"}
    answer = (await walk.call("POST /v1/users/register", None, body, fresh=tokens)).body
    walk.names.know(name, answer["userId"])
    return Person(answer["userId"], answer["accessToken"], answer["refreshToken"])


async def _told(walk: Walker, who: Person) -> Any:
    """The inbox, as soon as there is something in it."""
    at = {"userId": who.id}
    while True:
        found = (await walk.call("GET /v1/users/{userId}/notifications", who, at=at)).body
        if found["items"]:
            return found
