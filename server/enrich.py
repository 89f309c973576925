"""Facts from elsewhere that a decision needs: fetched before the command, recorded in its events.

REST and the live gateway both come through here.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from actors.project.invitations import view_inviter
from actors.project.templates import Template, view_template
from protocol.comments import AddComment, EditComment
from protocol.derived_ids import refusal_of_derived
from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, Command, Origin, Principal
from protocol.invitations import AcceptInvitation, DeclineInvitation, InviteMember
from protocol.members import AddMember, ChangeMemberRole, RemoveMember, TransferOwnership
from protocol.mentions import MENTIONS_MAX, mentioned_names, spellings
from protocol.projects import CreateProject
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from server.auth.scopes import stream_refusal
from server.invitation_facts import InvitationFacts
from server.past_facts import PastFacts
from server.streams import Streams
from storage.ports import Accounts, ProjectKeys

KEY_CHARACTERS_MAX: Final = 10
_STEM_CHARACTERS_MAX: Final = 6
_RANDOM_TRIES: Final = 20
_NOTHING: Mapping[str, Any] = {}

_ALWAYS_NEED_FACTS: Final = (
    CreateProject,
    AddMember,
    ChangeMemberRole,
    RemoveMember,
    TransferOwnership,
    InviteMember,
    AcceptInvitation,
    DeclineInvitation,
    UndoCommand,
    RedoCommand,
    RestoreTaskTo,
    RestoreProjectTo,
)


def needs_facts(command: Command, origin: Origin | None) -> bool:
    """Whether `facts_for` may have something to look up; all other commands may go straight to their actor."""
    if isinstance(command, AddComment | EditComment):
        # A name in imported text is one of the source's people, and nobody here is called for what is long past.
        return origin is None and "@" in command.body
    return isinstance(command, _ALWAYS_NEED_FACTS)


class Facts:
    """Looks up what commands need from accounts, project keys and the log."""

    def __init__(
        self, accounts: Accounts, keys: ProjectKeys, invitations: InvitationFacts, past: PastFacts, streams: Streams
    ) -> None:
        self._invitations = invitations
        self._past = past
        self._streams = streams
        self._accounts = accounts
        self._keys = keys

    async def facts_for(
        self, command: Command, stream: str, principal: Principal, origin: Origin | None = None
    ) -> Mapping[str, Any] | Rejection:
        """The facts of a command, empty for most. Raises NotApplied and OutcomeUnknown (claims may be repeated)."""
        if not needs_facts(command, origin):
            return _NOTHING
        match command:
            case CreateProject():
                project_id = stream.partition("/")[2]
                if (refusal := refusal_of_derived(project_id, principal.id, "stream")) is not None:
                    return refusal
                return await self._of_creation(command, project_id, principal, origin)
            case RemoveMember() | ChangeMemberRole():
                return await self._bots_of(command.user_id)
            case TransferOwnership():
                return await self._bots_of(principal.id)
            case AddMember():
                return {"userExists": await self._accounts.by_user_id(command.user_id) is not None}
            case AddComment() | EditComment():
                return await self._of_text(command.body)
            case InviteMember():
                if "user_id" not in command.model_fields_set:
                    return await self._invitations.of_invitation(command, stream, principal)
                return {"userExists": await self._accounts.by_user_id(command.user_id) is not None}
            case AcceptInvitation():
                fits = await self._invitations.of_answer(command, stream)
                return {**fits, **await self._inviter_owner(command, stream, principal)}
            case DeclineInvitation():
                return await self._invitations.of_answer(command, stream)
            case UndoCommand() | RedoCommand():
                return await self._past.of_undo(command, stream, principal)
            case RestoreTaskTo() | RestoreProjectTo():
                return await self._past.points.of_restoration(command, stream, principal)
            case _:
                return _NOTHING

    async def project_with_key(self, key: str) -> str | None:
        """The id of the project that has claimed the key, if any; whether it took it, its actor knows."""
        return await self._keys.holder_of(key)

    async def _bots_of(self, user_id: str) -> Mapping[str, Any]:
        return {"botIds": [bot.user_id for bot in await self._accounts.bots_of(user_id)]}

    async def _inviter_owner(self, command: AcceptInvitation, stream: str, principal: Principal) -> Mapping[str, Any]:
        """`inviterOwnerId` of an invitation by a bot. A stream that cannot be read refuses the command itself."""
        reading = await self._streams.read(stream, view_inviter, principal, command.invitation_id)
        if isinstance(reading, Rejection) or reading.value in (None, OPERATOR.id):
            return _NOTHING
        inviter = await self._accounts.by_user_id(reading.value)
        return _NOTHING if inviter is None else {"inviterOwnerId": inviter.owner_id}

    async def _of_text(self, text: str) -> Mapping[str, Any]:
        """Whose names stand in a text: `mentionedIds`, or `tooManyMentions` and nobody is looked up.

        For each name those who may be meant, the likeliest first: the actor knows who of them is there.
        """
        names = mentioned_names(text)
        if len(names) > MENTIONS_MAX:
            return {"tooManyMentions": True}
        if not names:
            return _NOTHING
        ids = await self._accounts.ids_of({spelling for name in names for spelling in spellings(name)})
        found = ([ids[spelling] for spelling in spellings(name) if spelling in ids] for name in names)
        return {"mentionedIds": [user_ids for user_ids in found if user_ids]}

    async def _of_creation(
        self, command: CreateProject, project_id: str, principal: Principal, origin: Origin | None
    ) -> Mapping[str, Any] | Rejection:
        facts: dict[str, Any] = {}
        if "owner_id" in command.model_fields_set:
            facts["userExists"] = await self._accounts.by_user_id(command.owner_id) is not None
        if "template_id" in command.model_fields_set:
            facts["template"] = template = await self._template(command.template_id, principal)
            if isinstance(template, Rejection) and template.retryable:
                return template
        is_refused = isinstance(facts.get("template"), Rejection) or not _may_own(command, principal, facts)
        if origin is not None or is_refused:
            # The actor refuses it and says why, if it does not know it already; no key is spent on that.
            return facts
        key = await self._claimed_key(command, project_id)
        if isinstance(key, Rejection):
            return key
        return {**facts, "projectKey": key}

    async def _template(self, template_id: str, principal: Principal) -> Template | Rejection:
        stream = f"project/{template_id}"
        refused = stream_refusal(principal, stream, "read")
        if refused is not None:
            return refused
        reading = await self._streams.read(stream, view_template, principal)
        return reading if isinstance(reading, Rejection) else reading.value

    async def _claimed_key(self, command: CreateProject, project_id: str) -> str | Rejection:
        """The key that is asked for, or that the project has; for a project that exists, the actor knows the retry."""
        claimed = await self._keys.key_of(project_id)
        explicit = "key" in command.model_fields_set
        if claimed is not None and (not explicit or claimed == command.key):
            return claimed
        for key in (command.key,) if explicit else key_candidates(command.name):
            if await self._keys.claim(key, project_id):
                return key
        if explicit and await self._keys.holder_of(command.key) is not None:
            return Rejection(
                ErrorCode.ALREADY_EXISTS, "another project has this key", {"what": "projectKey", "field": "key"}
            )
        # The project exists (then its actor refuses), or a twin of this request was faster.
        claimed = await self._keys.key_of(project_id)
        if claimed is not None:
            return claimed
        return Rejection(ErrorCode.OVERLOADED, "no free project key was found; try again", {"retryAfterS": 1})


def _may_own(command: CreateProject, principal: Principal, facts: Mapping[str, Any]) -> bool:
    """Whether the actor would accept the owner; the same questions as `actors.project.projects` asks."""
    if "owner_id" not in command.model_fields_set:
        return not principal.is_operator
    return command.owner_id == principal.id or (principal.is_operator and bool(facts["userExists"]))


def key_candidates(name: str) -> Iterator[str]:
    """Keys for a project of that name: initials of several words or the start of one, then with numbers."""
    stem = key_stem(name)
    yield stem
    for number in range(2, 10):
        yield f"{stem}{number}"
    for _ in range(_RANDOM_TRIES):
        yield f"{stem[:4]}{secrets.randbelow(900_000) + 100_000}"


def key_stem(name: str) -> str:
    """Two to six capital letters and digits, a letter first: `Apollo` → APOLLO, `My new project` → MNP."""
    plain = unicodedata.normalize("NFKD", name).upper()
    ascii_only = plain.encode("ascii", errors="ignore").decode()
    words = re.findall(r"[A-Z0-9]+", re.sub(r"[^A-Z0-9\s_\-./:]", "", ascii_only))
    initials = "".join(word[0] for word in words)
    stem = (initials if len(words) > 1 else "".join(words)).lstrip("0123456789")[:_STEM_CHARACTERS_MAX]
    return stem if len(stem) > 1 else f"{stem}PROJ"
