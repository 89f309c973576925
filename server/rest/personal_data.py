"""What is kept of a person, record by record: the part of their export that no single stream holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from actors.project.projects import view_project
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal, PrincipalKind
from server.auth.bots import BotService
from server.rest.bots import bot_view, token_view
from server.rest.derived import (
    BEHIND,
    DerivedReads,
    Listed,
    Listing,
    P,
    ProjectLists,
    T,
    TaskLists,
    TaskPlace,
    tasks_across,
)
from server.rest.min_seq import Asked
from server.rest.projects import by_change
from server.streams import Streams, granted
from storage.ports import Account

_PAGE: Final = 100
_COMMENTS_PAGE: Final = 20
"""A comment whose text was edited often may be a megabyte: what is in memory at a time is bounded by these."""
FRESH_S: Final = 1.0
"""Until when what a list said of a person's projects is taken to be so; a page may be written for minutes."""
_UNSEEN: Final = (ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN)
_IDENTITY: Final = ("id", "key", "number", "createdBy", "createdAt")
_WORDS: Final = ("title", "description")
_COMMENT: Final = ("id", "taskId", "threadId", "replyTo", "authorId", "createdAt", "updatedAt")

Kind: TypeAlias = str
"""account, project, task, comment or bot."""


class WrittenLists(Protocol):
    """What a person wrote, in all projects of which something is left, the oldest first.

    `after` is (createdAt, project, id), which never change: what is there when the first page is read is not missed.
    """

    async def tasks_of(self, user_id: str, after: TaskPlace | None, limit: int) -> Sequence[tuple[str, Listed, bool]]:
        """(Project id, task, whether its creator may look at it now) of the tasks they created, deleted ones too."""
        ...

    async def comments_of(self, user_id: str, after: TaskPlace | None, limit: int) -> Sequence[tuple[str, Listed]]:
        """(Project id, comment) of their comments that are not deleted."""
        ...


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Reads it page by page, each with a statement of its own."""

    projects: ProjectLists
    tasks: TaskLists
    written: WrittenLists
    bots: BotService
    derived: DerivedReads
    streams: Streams

    async def records(self, account: Account, reader: Principal) -> AsyncIterator[tuple[Kind, dict[str, Any]]]:
        """The account, its projects (those that an owner can still restore too), tasks, comments and bots.

        Raises Rejected when a list is behind, or would leave something out.
        """
        yield "account", _account(account)
        user_id, asked = account.user_id, Asked(reader)
        kind: PrincipalKind = "user" if account.owner_id is None else "bot"
        person = Principal(user_id, kind, owner_id=account.owner_id)
        living = by_change(lambda after, *most: self.projects.of_user(user_id, after, *most))
        deleted = by_change(lambda after, *most: self.projects.deleted(user_id, after, *most))
        for projects in (living, deleted):
            async for project, read_s in self._all(projects, asked):
                if await self._may_see(person, str(project.record["id"]), read_s):
                    yield "project", project.record
        async for task in self._tasks(person, asked):
            yield "task", task
        comments = Listing(
            lambda after, limit, _: self.written.comments_of(user_id, after, limit),
            lambda own: own[0],
            _place,
            lambda own: own[1].record,
        )
        async for (project_id, comment), _ in self._all(comments, asked, _COMMENTS_PAGE):
            yield "comment", {"projectId": project_id, **own_words(comment.record)}
        async for bot in self._bots(account, reader):
            yield "bot", bot

    async def _tasks(self, person: Principal, asked: Asked) -> AsyncIterator[dict[str, Any]]:
        """What they created, then what others gave them to do."""
        created = Listing(
            lambda after, limit, _: self.written.tasks_of(person.id, after, limit),
            lambda own: own[0],
            lambda own: _place((own[0], own[1])),
            lambda own: own[1].record,
        )
        async for (project_id, task, was_visible), read_s in self._all(created, asked):
            is_visible = was_visible and await self._may_see(person, project_id, read_s)
            yield {"projectId": project_id, **(task.record if is_visible else left_behind(task.record))}
        given = tasks_across(lambda after, *most: self.tasks.of_assignee(person.id, "all", after, *most))
        async for (project_id, task), read_s in self._all(given, asked):
            if task.record["createdBy"] != person.id and await self._may_see(person, project_id, read_s):
                yield {"projectId": project_id, **task.record}

    async def _may_see(self, person: Principal, project_id: str, read_s: float) -> bool:
        """Whether they may still look at what was read of a project then. Raises Rejected when nobody can tell."""
        if self.derived.clock.monotonic_s() - read_s <= FRESH_S:
            return True
        seen = await self.streams.read(f"project/{project_id}", view_project, person)
        if isinstance(seen, Rejection) and seen.code not in _UNSEEN:
            raise Rejected(seen)
        return not isinstance(seen, Rejection)

    async def _bots(self, account: Account, reader: Principal) -> AsyncIterator[dict[str, Any]]:
        if account.owner_id is not None:
            return  # a bot has none
        for bot in granted(await self.bots.bots_of(reader, account.user_id)):
            tokens = granted(await self.bots.tokens_of(reader, bot.user_id))
            yield {**bot_view(bot), "tokens": [token_view(token).as_json() for token in tokens]}

    async def _all(self, listing: Listing[T, P], asked: Asked, size: int = _PAGE) -> AsyncIterator[tuple[T, float]]:
        """Its rows, each with when it was read."""
        after: P | None = None
        while True:
            read_s = self.derived.clock.monotonic_s()
            page = await self.derived.page(listing, after, size, asked)
            if page.derivation.standing:
                raise Rejected(BEHIND)
            for row in page.rows:
                yield row, read_s
            if page.end is None:
                return
            after = page.end


def own_words(comment: dict[str, Any]) -> dict[str, Any]:
    """A comment as its author wrote it: `formerBodies` are the author's own, the oldest first.

    What others edited into it, and their reactions, are not the author's data; a project may be left by now.
    """
    author, edits = comment["authorId"], comment["edits"]
    writers = [author, *(edit["replacedBy"] for edit in edits)]
    bodies = [*(edit["body"] for edit in edits), comment["body"]]
    own = [body for body, writer in zip(bodies, writers, strict=True) if writer == author]
    return {**{name: comment[name] for name in _COMMENT}, "body": own[-1], "formerBodies": own[:-1]}


def left_behind(task: dict[str, Any]) -> dict[str, Any]:
    """A task in a project that its creator may not look at now: which it was, and its words while nobody changed it."""
    names = (*_IDENTITY, *_WORDS) if task["updatedAt"] == task["createdAt"] else _IDENTITY
    return {name: task[name] for name in names}


def _place(own: tuple[str, Listed]) -> TaskPlace:
    return own[1].record["createdAt"], own[0], own[1].record["id"]


def _account(account: Account) -> dict[str, Any]:
    """Everything but the secret."""
    return {
        "userId": account.user_id,
        "username": account.username,
        "email": account.email,
        "locale": account.locale,
        "timezone": account.timezone,
        "createdAt": account.created_at,
        "updatedAt": account.updated_at,
    }
