"""The protocol's messages and records as plain JSON objects.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypeAlias, TypedDict

Uuid: TypeAlias = str
"""Lower-case text with hyphens (RFC 9562)."""

Instant: TypeAlias = str
"""RFC 3339; what the server sends is UTC with milliseconds and `Z`, so that text order is time order."""

Day: TypeAlias = str
"""`YYYY-MM-DD`."""

PROTOCOL_VERSION: Final = 1

ERROR_RETRYABLE: Final[Mapping[str, bool]] = {
    "invalid": False,
    "unauthenticated": False,
    "token_expired": False,
    "forbidden": False,
    "not_found": False,
    "method_not_allowed": False,
    "conflict": False,
    "already_exists": False,
    "op_id_reused": False,
    "precondition_failed": False,
    "too_large": False,
    "unsupported_media_type": False,
    "rule_broken": False,
    "rate_limited": True,
    "overloaded": True,
    "unavailable": True,
    "timeout": True,
    "stream_halted": False,
    "internal": True,
}

EVENT_VERSIONS: Final[Mapping[str, int]] = {
    "ProjectCreated": 2,
    "ProjectEdited": 1,
    "ProjectDeleted": 1,
    "ProjectRestored": 1,
    "ProjectPurged": 1,
    "Erased": 1,
    "MemberAdded": 1,
    "MemberRoleChanged": 1,
    "MemberRemoved": 1,
    "MemberInvited": 1,
    "InvitationAccepted": 1,
    "InvitationDeclined": 1,
    "InvitationRevoked": 1,
    "InvitationExpired": 1,
    "RoleDefined": 1,
    "RoleEdited": 1,
    "RoleRemoved": 1,
    "TaskCreated": 2,
    "TaskEdited": 2,
    "TaskEditsJudged": 1,
    "TasksReranked": 1,
    "TaskDeleted": 1,
    "TaskRestored": 1,
    "LinkAdded": 1,
    "LinkRemoved": 1,
    "TaskRecurred": 1,
    "WatchersChanged": 1,
    "MilestoneCreated": 1,
    "MilestoneEdited": 1,
    "MilestoneDeleted": 1,
    "FieldDefined": 1,
    "FieldEdited": 1,
    "FieldRemoved": 1,
    "FieldValuesSet": 1,
    "CommentAdded": 2,
    "CommentEdited": 2,
    "CommentDeleted": 1,
    "CommentRestored": 1,
    "ReactionAdded": 1,
    "ReactionRemoved": 1,
    "CommandUndone": 1,
    "CommandRedone": 1,
    "TaskRestoredTo": 1,
    "ProjectRestoredTo": 1,
    "DueDateNeared": 1,
    "ProfileCreated": 1,
    "ProfileEdited": 1,
    "Notified": 1,
    "NotificationWithheld": 1,
    "NotificationsRead": 1,
    "PreferencesSet": 1,
    "ProjectMuted": 1,
    "ProjectUnmuted": 1,
}

ErrorCode: TypeAlias = Literal[
    "invalid",
    "unauthenticated",
    "token_expired",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "conflict",
    "already_exists",
    "op_id_reused",
    "precondition_failed",
    "too_large",
    "unsupported_media_type",
    "rule_broken",
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "stream_halted",
    "internal",
]
"""What went wrong. Codes are never renamed; new ones may be added."""


class AcceptInvitation(TypedDict):
    """Makes the invited user or bot a member, and ends what else invites them by name.

    An invitation by e-mail asks for its token, which works once, and not for bots.
    """

    invitationId: Uuid
    token: NotRequired[str]


class ActivityItem(TypedDict):
    """One entry, or a run of edits of one object by one author: `entries` of them, from `firstSeq` to `seq`.

    The values of a task's fields and its watchers count as the task's. `at` is when the newest happened,
    `beganAt` the oldest. Events and opIds stand in the order of the log; an opId is what `UndoCommand`
    takes. Where a command was undone or redone, the first event says so.
    """

    seq: int
    firstSeq: int
    author: str
    at: Instant
    beganAt: Instant
    entries: int
    opIds: list[Uuid]
    events: list[WireEvent]


class AddComment(TypedDict):
    """Says something about a task. The id may come from the client.

    `replyTo` names the comment of the same task that is answered; the answer joins that comment's thread.
    `@username` in the text mentions a member.
    """

    commentId: NotRequired[Uuid]
    taskId: Uuid
    body: str
    replyTo: NotRequired[Uuid]


class AddLink(TypedDict):
    """Links two tasks of the project. The id may come from the client.

    Two tasks have at most one link of each type and direction; `relates` has none. `already_exists` names
    the one that is there (`linkId`). Blocking, preceding and subtasks together never close a cycle: the
    refusal has the reason `cycle` and names the tasks on it.
    """

    linkId: NotRequired[Uuid]
    taskId: Uuid
    type: Literal["blocks", "precedes", "relates", "duplicates"]
    otherId: Uuid


class AddMember(TypedDict):
    """Makes an existing user a member; what invited them ends. Nobody gives a role that allows more than
    their own.
    """

    userId: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class AddReaction(TypedDict):
    """Reacts to a comment. Needs the permission to; an emoji that one has given already changes nothing."""

    commentId: Uuid
    emoji: str


class ArchiveProject(TypedDict):
    """Sets the status to Archived: everything stays readable, and its content cannot be changed."""


class AuthAnswer(TypedDict):
    """The ack of `auth`, which takes a `ConnectAuth`: the connection lives with the new token until
    `expiresAt`.

    The token has to be the same user's, with the same rights. One that is refused changes nothing: the
    connection goes on with the token that it has. Null: it has no end of its own.
    """

    expiresAt: Instant | None


class AwareState(TypedDict):
    """The state of one connection of a user; null when there is none any more. `connection` tells several
    apart.
    """

    connection: str
    userId: str
    state: dict[str, Any] | None


class AwarenessAnswer(TypedDict):
    """The ack of `awareness`: the others are told."""


class AwarenessMessage(TypedDict):
    """What others let be seen; ephemeral, never in the log. Only the newest state of a connection counts.

    `complete`: these are all states that there are; whoever is not among them has none. It comes when the
    stream was joined and somebody has a state, and when updates were left out because the client did not
    read.
    """

    stream: str
    states: list[AwareState]
    complete: NotRequired[bool]


class AwarenessRequest(TypedDict):
    """Lets the other followers of a joined stream see where one looks: any small object, null for nothing
    any more.

    It replaces the connection's state in that stream and is kept nowhere else. It ends with leaving,
    joining anew, losing the connection or the right to follow, and for all when the project becomes
    public; nobody is asked to show it anew. Updates beyond the rate are refused with `rate_limited`.
    """

    stream: str
    state: dict[str, Any] | None


class ChangeMemberRole(TypedDict):
    """Gives a member another role, beyond which their bots may nothing either.

    A bot that is an owner acts as one until its person stops to be one. A project always keeps an owner.
    Invitations that their inviter could not make any more end.
    """

    userId: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class Choice(TypedDict):
    """One of the values that a field of type `choice` can have."""

    id: str
    name: str


class ChoiceView(TypedDict):
    """A choice of a field. Tasks keep a retired one that they have; none is set to it any more."""

    id: str
    name: str
    retired: bool


class ClosedMessage(TypedDict):
    """Nothing more comes from here. Without a stream it is the whole connection that ends.

    `removed`: the user may not follow the stream any more, for example because the project was deleted.
    `expired`: the token has come to its end. `ended`: its log-in was ended by a logout, a new password or
    a stolen refresh token. `shutdown`: the server stops, and Socket.IO's clients come back by themselves;
    after `expired` and `ended` they do not, as a DISCONNECT packet follows. Who does not read is told
    nothing, and cut off.
    """

    stream: NotRequired[str | None]
    reason: Literal["removed", "expired", "ended", "shutdown"]


class CommandAnswer(TypedDict):
    """The ack of an accepted command. `result` names what was made (`taskId`, `key` …), the same for every
    retry.
    """

    cursor: str
    at: Instant
    result: NotRequired[dict[str, Any]]


class CommandRedone(TypedDict):
    """The other events of this entry do again what the entry `seq` did, which had this `opId`."""

    opId: Uuid
    seq: int


class CommandRequest(TypedDict):
    """A command. `opId` is made once per wish: every retry sends the same.

    It should be a UUIDv7, whose time spares the server a look into its log. Any other UUID is taken too:
    ids that are derived from a wish (version 5 or 8) say when they are the same wish, but not when it was
    made.

    `afterOpId` is that of an earlier command to the same stream whose ack is not there yet: this one is
    refused for now (`unavailable`) where that one has not been decided, so whoever sends several at a
    time keeps their order also when one of them fails and the next would not. It does not count when two
    commands with one opId are compared.
    """

    stream: str
    opId: Uuid
    type: str
    data: dict[str, Any]
    base: NotRequired[int | None]
    origin: NotRequired[Origin | None]
    afterOpId: NotRequired[Uuid | None]


class CommandUndone(TypedDict):
    """The other events of this entry take back what the entry `seq` did, which had this `opId`."""

    opId: Uuid
    seq: int


class CommentAdded(TypedDict):
    """Its author is the entry's author. Version 1 knew neither threads nor mentions."""

    commentId: Uuid
    taskId: Uuid
    threadId: Uuid | None
    replyTo: Uuid | None
    body: str
    mentions: list[Uuid]


class CommentDeleted(TypedDict):
    """Text, history, mentions and reactions are gone from the record. The log keeps them."""

    commentId: Uuid


class CommentEdit(TypedDict):
    """A text that a comment had before, and until when."""

    body: str
    replacedAt: Instant
    replacedBy: str


class CommentEdited(TypedDict):
    """`was` is the text before, `mentionsWere` whom it mentioned. Version 1 knew no mentions."""

    commentId: Uuid
    body: str
    was: str
    mentions: list[Uuid]
    mentionsWere: list[Uuid]


class CommentRestored(TypedDict):
    """What the comment holds again."""

    commentId: Uuid
    body: str
    mentions: list[Uuid]
    reactions: list[Reaction]
    edits: list[CommentEdit]


class CommentView(TypedDict):
    """A comment with its edit history, oldest first.

    `threadId` is the comment that began the thread, null for that one itself; `replyTo` is the comment
    that it answers. `deletedAt` marks a tombstone: text, history, mentions and reactions are empty,
    replies stay. `updatedAt` moves with the text, with deletion and restoration, and not with reactions.
    """

    id: Uuid
    taskId: Uuid
    threadId: Uuid | None
    replyTo: Uuid | None
    authorId: str
    body: str
    mentions: list[Uuid]
    reactions: list[Reaction]
    createdAt: Instant
    updatedAt: Instant
    edits: list[CommentEdit]
    deletedAt: Instant | None
    deletedBy: str | None


class ConnectAnswer(TypedDict):
    """CONNECT was accepted. `sid` is Socket.IO's own name of the connection, and good for nothing here."""

    sid: str


class ConnectAuth(TypedDict):
    """The payload of CONNECT and of `auth`. A token stands nowhere else: not in the URL, not in a cookie."""

    token: str


class ConnectRefusal(TypedDict):
    """CONNECT_ERROR: the connection was not accepted, and ends. `data` is the error as in any other refusal."""

    message: str
    data: ErrorBody


class CreateMilestone(TypedDict):
    """Adds an open milestone; the id may come from the client.

    No other milestone of the project may have the name, however it is capitalised. `dueDate` must not lie
    before `startDate`.
    """

    milestoneId: NotRequired[Uuid]
    name: str
    description: NotRequired[str]
    startDate: NotRequired[Day | None]
    dueDate: NotRequired[Day | None]


class CreateProfile(TypedDict, total=False):
    """Opens the profile of the user whom the stream names; sent once, by registration."""

    firstName: str | None
    lastName: str | None


class CreateProject(TypedDict):
    """Creates the project whose id the stream names. The author becomes its owner; the operator names one.

    `templateId` is a project that the author may look at, of at most 1,000 tasks, 5,000 links and 500,000
    characters in all texts that are copied. Its description and states, where none are given, its roles,
    fields, milestones, tasks and links are: not its people, dates, comments and history. Closed tasks
    begin again in the first open state.
    """

    name: str
    key: NotRequired[str]
    description: NotRequired[str]
    visibility: NotRequired[Literal["private", "public"]]
    states: NotRequired[list[WorkflowState]]
    ownerId: NotRequired[Uuid]
    templateId: NotRequired[Uuid]


class CreateTask(TypedDict):
    """Adds a task. Without `stateId` it starts in the project's first state; the id may come from the
    client.

    `externalId` must be free in the project: `already_exists` names the task that has it (`taskId`).
    `dueDate` must not lie before `startDate`, unless the command carries an origin: history is taken as
    it was. `parentId` makes it a subtask of a task that is not deleted.
    """

    taskId: NotRequired[Uuid]
    title: str
    description: NotRequired[str]
    stateId: NotRequired[str]
    priority: NotRequired[Literal["urgent", "high", "medium", "low", "none"]]
    labels: NotRequired[list[str]]
    assigneeIds: NotRequired[list[str]]
    startDate: NotRequired[Day | None]
    dueDate: NotRequired[Day | None]
    estimate: NotRequired[float | None]
    externalId: NotRequired[str | None]
    parentId: NotRequired[Uuid | None]
    milestoneId: NotRequired[Uuid | None]
    fields: NotRequired[dict[str, str | float | None]]
    recurrence: NotRequired[Recurrence | None]


class DeclineInvitation(TypedDict):
    """Says no; as with AcceptInvitation, by who is invited or with the token."""

    invitationId: Uuid
    token: NotRequired[str]


class DeepLink(TypedDict):
    """What a link leads to. `path` is its canonical form; `threadId` is set where the comment is a reply."""

    path: str
    projectId: Uuid
    taskId: Uuid | None
    commentId: Uuid | None
    threadId: Uuid | None


class DefineField(TypedDict):
    """Gives all tasks of the project a field; the id may come from the client. Only `choice` fields have
    choices.

    No other field of the project may have the name, however it is capitalised.
    """

    fieldId: NotRequired[Uuid]
    name: str
    type: Literal["text", "number", "date", "choice"]
    choices: NotRequired[list[Choice]]


class DefineRole(TypedDict):
    """Names a set of permissions, which members can then be given by the role's id. Nobody gives more than
    they have.

    Looking at the project belongs to every role and need not be named. The id may come from the client.
    """

    roleId: NotRequired[Uuid]
    name: str
    permissions: list[str]


class DeleteComment(TypedDict):
    """Leaves a tombstone in the comment's place; replies stay. Authors delete their own, admins and owners
    any.
    """

    commentId: Uuid


class DeleteMilestone(TypedDict):
    """Removes the milestone. Its tasks go on without one."""

    milestoneId: Uuid


class DeleteProject(TypedDict):
    """Hides the project. Its owners find it with `deleted=true`, and can restore it until it is purged."""


class DeleteTask(TypedDict):
    """Leaves a tombstone. Its key, its external id and its place stay taken; its links and comments are
    hidden.

    Subtasks stay, and keep their parent: boards show them at the top level until it is restored.
    """

    taskId: Uuid


class Difference(TypedDict):
    """What became of one record: `record` of one that was added or removed, `fields` of one that was
    changed.
    """

    collection: str
    id: str
    change: Literal["added", "removed", "changed"]
    record: NotRequired[dict[str, Any]]
    fields: NotRequired[dict[str, FieldDifference]]


class DueDateNeared(TypedDict):
    """The task is open and due the next day, or sooner where the date was set late or the task came back
    late. Said once per task and date. It changes nothing.
    """

    taskId: Uuid
    dueDate: Day


class EditComment(TypedDict):
    """Replaces the text; the old one stays readable. Authors edit their own, admins and owners any."""

    commentId: Uuid
    body: str


class EditField(TypedDict):
    """Renames the field; adds, renames and retires choices. The type stays. To add a retired choice brings
    it back.
    """

    fieldId: Uuid
    name: NotRequired[str]
    addChoices: NotRequired[list[Choice]]
    renameChoices: NotRequired[list[Choice]]
    retireChoices: NotRequired[list[str]]


class EditMilestone(TypedDict):
    """Sets the fields that are present; `status` closes it and opens it again. A closed one still takes
    tasks.
    """

    milestoneId: Uuid
    name: NotRequired[str]
    description: NotRequired[str]
    status: NotRequired[Literal["Open", "Closed"]]
    startDate: NotRequired[Day | None]
    dueDate: NotRequired[Day | None]


class EditProfile(TypedDict, total=False):
    """Sets the fields that are present."""

    firstName: str | None
    lastName: str | None
    bio: str | None
    avatarId: Uuid | None


class EditProject(TypedDict, total=False):
    """Sets the fields that are present. What was public and becomes private is cut off from all but its
    members.
    """

    name: str
    description: str
    status: Literal["Active", "Completed", "OnHold", "Archived"]
    visibility: Literal["private", "public"]
    states: list[WorkflowState]


class EditRefusal(TypedDict):
    """Why one of several edits was refused, as the ack of a single one would say it."""

    code: ErrorCode
    message: str
    retryable: bool
    details: dict[str, Any]


class EditRole(TypedDict):
    """Sets the fields that are present; members who have the role may at once what it says then.

    Invitations that their inviter could not make any more end.
    """

    roleId: Uuid
    name: NotRequired[str]
    permissions: NotRequired[list[str]]


class EditTask(TypedDict):
    """Sets the fields that are present; labels and assignees are added and removed one by one.

    In another state the task stands behind all others. An edit that moves a day is refused when `dueDate`
    would then lie before `startDate`. `parentId` is refused when it would close a cycle of blocking,
    preceding and subtasks: the reason `cycle` comes with the tasks on it. To complete a task that has a
    `recurrence` creates the next one in the same entry, and the recurrence moves to it.
    """

    taskId: Uuid
    title: NotRequired[str]
    description: NotRequired[str]
    stateId: NotRequired[str]
    priority: NotRequired[Literal["urgent", "high", "medium", "low", "none"]]
    startDate: NotRequired[Day | None]
    dueDate: NotRequired[Day | None]
    estimate: NotRequired[float | None]
    parentId: NotRequired[Uuid | None]
    milestoneId: NotRequired[Uuid | None]
    fields: NotRequired[dict[str, str | float | None]]
    recurrence: NotRequired[Recurrence | None]
    addLabels: NotRequired[list[str]]
    removeLabels: NotRequired[list[str]]
    addAssignees: NotRequired[list[str]]
    removeAssignees: NotRequired[list[str]]
    addWatchers: NotRequired[list[Uuid]]
    removeWatchers: NotRequired[list[Uuid]]


class EditTasks(TypedDict):
    """Edits many tasks, each as `EditTask` would, in one entry.

    The ack has a result per item in their order: `items: [{taskId, ok: true} | {taskId, error}]`. A
    refused item stops no other. A `base` is judged for each by itself. One that cannot be read refuses
    the command, which says what is wrong with the first of them. All items together have at most 2,000
    labels, people and values of fields.
    """

    edits: list[EditTask]


class EntriesMessage(TypedDict):
    """Entries in commit order, without a gap."""

    stream: str
    entries: list[WireEntry]


class Erased(TypedDict):
    """Stands where a purged project's event stood, with whatever else its entry held."""


class ErrorAnswer(TypedDict):
    """The ack of anything refused."""

    error: ErrorBody


class ErrorBody(TypedDict):
    """The `error` of an ack on the socket."""

    code: ErrorCode
    message: str
    retryable: bool
    details: NotRequired[dict[str, Any]]


class ErrorResponse(TypedDict):
    """The problem document (RFC 9457) of every REST error, `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    retryable: bool
    details: NotRequired[dict[str, Any]]


class Explanation(TypedDict):
    """`why` is stable; `message` says it in words. `reasons` are those for which the person was, or was to
    be, told.

    An entry that concerns the person in several tasks tells them of each, or of the project as such,
    which stands for all tasks that they are not told of singly: it is answered for all at once, unless
    `taskId` asks about one. `told` where anything was told; `reasons` and `channels` are then those of
    all that was told, `number` is that of the newest notification and `quietUntil` the latest.
    """

    source: Source
    why: Literal[
        "told",
        "projectMuted",
        "reasonOff",
        "ownAction",
        "history",
        "quietKind",
        "notConcerned",
        "notYet",
    ]
    message: str
    reasons: list[Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]]
    number: NotRequired[int]
    channels: NotRequired[list[Literal["inbox", "email", "push"]]]
    quietUntil: NotRequired[Instant | None]


class FieldChanges(TypedDict, total=False):
    """What an edit can set. `choices` is the whole list."""

    name: str
    choices: list[ChoiceView]


class FieldDefined(TypedDict):
    """The whole field as it was defined."""

    field: FieldView


class FieldDifference(TypedDict):
    """A field's two values."""

    was: Any
    now: Any


class FieldEdited(TypedDict):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    fieldId: Uuid
    changes: FieldChanges
    was: FieldChanges


class FieldRemoved(TypedDict):
    """The field is gone from the project, and its value from every task. `was` is the field as it was."""

    fieldId: Uuid
    was: FieldView


class FieldValuesSet(TypedDict):
    """A task has other values: by the fields' ids the new ones and, in `was`, those before. `null` is no
    value.
    """

    taskId: Uuid
    values: dict[str, str | float | None]
    was: dict[str, str | float | None]


class FieldView(TypedDict):
    """A field of the project's own. Values are text, a number, a day `YYYY-MM-DD`, or the id of a choice."""

    id: Uuid
    name: str
    type: Literal["text", "number", "date", "choice"]
    choices: list[ChoiceView]
    createdAt: Instant
    updatedAt: Instant


class HeadsMessage(TypedDict):
    """The newest cursor of each stream of which the socket was sent everything; makes a lost last entry
    visible.

    Streams that it is still catching up with are left out until then.
    """

    heads: dict[str, str]


class Inbox(TypedDict):
    """A page of groups; `cursor` is where the person's stream stands."""

    unread: int
    readUpTo: int
    items: list[NotificationGroup]
    cursor: str


class InboxCounters(TypedDict):
    """How many notifications there ever were, and the number up to which they are read: the difference is
    unread.
    """

    count: int
    readUpTo: int


class InvitationAccepted(TypedDict):
    """The membership itself is the event after it."""

    invitationId: Uuid
    userId: Uuid


class InvitationDeclined(TypedDict):
    """Its entry's author said no."""

    invitationId: Uuid


class InvitationExpired(TypedDict):
    """It was too late for it, and its place was needed."""

    invitationId: Uuid


class InvitationRevoked(TypedDict):
    """It can be accepted no more."""

    invitationId: Uuid


class InvitationView(TypedDict):
    """An invitation that nobody has answered. `userId` is null where it went to an address."""

    id: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid
    userId: Uuid | None
    invitedBy: str
    createdAt: Instant
    expiresAt: Instant


class InviteMember(TypedDict):
    """Invites a user (`userId`), or whoever gets the mail (`email` with a `token` that the inviter makes).

    Everybody who may look at the project sees whom, but not the address. Nobody gives a role that allows
    more than their own. The id may come from the client.
    """

    invitationId: NotRequired[Uuid]
    userId: NotRequired[Uuid]
    email: NotRequired[str]
    token: NotRequired[str]
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class JoinAnswer(TypedDict):
    """`resume`: entries after `cursor` follow. `snapshot`, `reset`: the state as of it follows in `parts`
    messages.

    `reset` tells the client to drop what it has, and why. `present` is who follows the stream now; it
    stays empty in streams that everybody may follow (profiles). `halted`: the server cannot read its log
    to the end. What comes is incomplete, it ends at the last good entry, and commands are refused until
    the log is repaired; the entries that were missing then follow.
    """

    mode: Literal["resume", "snapshot", "reset"]
    cursor: str
    parts: NotRequired[int]
    reason: NotRequired[Literal["behind", "epoch", "ahead", "cursor"] | None]
    present: NotRequired[list[PresentUser]]
    halted: NotRequired[bool]


class JoinRequest(TypedDict):
    """Follow a stream. With a cursor the answer continues there; without one it starts with the state."""

    stream: str
    cursor: NotRequired[str | None]


class JudgedEdit(TypedDict):
    """What became of one of several edits; without `error` it is as wished."""

    taskId: Uuid
    error: NotRequired[EditRefusal]


class LeaveAnswer(TypedDict):
    """The ack of `leave`: nothing more comes of the stream, whether it was followed or not."""


class LeaveRequest(TypedDict):
    """Stop following a stream. To leave what is not followed counts as a request."""

    stream: str


class LinkAdded(TypedDict):
    """The whole link as it was made."""

    link: LinkView


class LinkRemoved(TypedDict):
    """`was` is the link that is gone."""

    linkId: Uuid
    was: LinkView


class LinkView(TypedDict):
    """A link. It is hidden while one of its tasks is deleted, and back with it."""

    id: Uuid
    type: Literal["blocks", "precedes", "relates", "duplicates"]
    taskId: Uuid
    otherId: Uuid
    createdBy: str
    createdAt: Instant


class ListedRole(TypedDict):
    """A role as lists show it: one of the project's own, or a built-in one, whose id is its name."""

    id: str
    name: str
    permissions: list[str]
    builtIn: bool
    createdAt: NotRequired[Instant]
    updatedAt: NotRequired[Instant]


class MarkRead(TypedDict, total=False):
    """Moves the read marker, on all of the person's devices. Without `upTo`: everything there is now.

    The marker only moves forward; a lower `upTo` changes nothing.
    """

    upTo: int


class MemberAdded(TypedDict):
    """A person may follow the project from here on."""

    userId: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class MemberInvited(TypedDict):
    """The whole invitation."""

    invitation: InvitationView


class MemberRemoved(TypedDict):
    """A person may no longer follow the project. `was` is the role they had."""

    userId: Uuid
    was: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class MemberRoleChanged(TypedDict):
    """`was` is the role before."""

    userId: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid
    was: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid


class MemberView(TypedDict):
    """One person's place in a project."""

    userId: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid
    addedAt: Instant


class MilestoneChanges(TypedDict, total=False):
    """The fields of a milestone that an edit can set."""

    name: str
    description: str
    status: Literal["Open", "Closed"]
    startDate: Day | None
    dueDate: Day | None


class MilestoneCreated(TypedDict):
    """The whole milestone as it was created."""

    milestone: MilestoneView


class MilestoneDeleted(TypedDict):
    """`was` is the milestone as it was. In the same entry, before it, every task of it is edited to have
    none.
    """

    milestoneId: Uuid
    was: MilestoneView


class MilestoneEdited(TypedDict):
    """`changes` holds the new values, `was` the previous ones. `closedAt` is given whenever the status
    changed.
    """

    milestoneId: Uuid
    changes: MilestoneChanges
    was: MilestoneChanges
    closedAt: NotRequired[Instant | None]


class MilestoneView(TypedDict):
    """A milestone. `closedAt` is when it was last closed, null while it is open. Tasks name it in
    `milestoneId`.
    """

    id: Uuid
    name: str
    description: str
    status: Literal["Open", "Closed"]
    startDate: Day | None
    dueDate: Day | None
    createdBy: str
    createdAt: Instant
    updatedAt: Instant
    closedAt: Instant | None


class MoveTask(TypedDict):
    """Puts a task among the others of a state: of its own, or of `stateId`, which it then enters.

    `after` and `before` name tasks that the sender sees there. The task lands right after `after`, else
    right before `before`, whatever lies unseen between them; without both it lands at the state's end. A
    neighbour that stands in another state by now, or a pair that stands the other way round, is a
    `conflict` with the reason `neighbours_moved`.
    """

    taskId: Uuid
    stateId: NotRequired[str]
    after: NotRequired[Uuid]
    before: NotRequired[Uuid]


class MuteProject(TypedDict):
    """From now on the person is told of mentions alone in this project."""

    projectId: Uuid


class NotificationGroup(TypedDict):
    """The notifications about one task (or one project as such), newest first by their newest."""

    subject: Subject
    newest: NotificationView
    count: int
    unread: int
    reasons: list[Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]]
    actorIds: list[str]


class NotificationView(TypedDict):
    """One line of the inbox. `number` counts a person's notifications without gaps: those above the read
    marker are unread. `channels` are where it goes; `quietUntil` is when those that make a noise may,
    null for at once.
    """

    number: int
    source: Source
    subject: Subject
    reasons: list[Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]]
    actorId: str
    at: Instant
    channels: list[Literal["inbox", "email", "push"]]
    quietUntil: Instant | None


class NotificationWithheld(TypedDict):
    """The person was to be told and did not want to be; kept so that it can be explained."""

    source: Source
    subject: Subject
    reasons: list[Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]]
    why: Literal["projectMuted", "reasonOff"]


class NotificationsRead(TypedDict):
    """The read marker stands at `upTo` now; it stood at `was`."""

    upTo: int
    was: int


class Notified(TypedDict):
    """The person has one notification more."""

    notification: NotificationView


class Notify(TypedDict):
    """Tells the person of an entry, once per task that concerns them there, or once for many. Only the
    server sends it.

    Its `opId` derives from source and person, and from the task beyond the person's first one in the
    entry.
    """

    source: Source
    subject: Subject
    reasons: list[Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]]
    actorId: str


class Origin(TypedDict):
    """Author and time of an imported command: history enters as history (needs the permission
    `project.import`).
    """

    author: str
    at: Instant


class OwnInvitation(TypedDict):
    """An invitation as the invited user's list shows it."""

    id: Uuid
    role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid
    userId: Uuid | None
    invitedBy: str
    createdAt: Instant
    expiresAt: Instant
    projectId: Uuid
    projectName: str


class OwnTask(TypedDict):
    """A task with the project that it lies in, for lists across projects."""

    id: Uuid
    key: str
    number: int
    title: str
    description: str
    stateId: str
    priority: Literal["urgent", "high", "medium", "low", "none"]
    labels: list[str]
    assigneeIds: list[str]
    startDate: Day | None
    dueDate: Day | None
    estimate: float | None
    externalId: str | None
    parentId: Uuid | None
    milestoneId: Uuid | None
    watcherIds: list[Uuid]
    fields: dict[str, str | float]
    recurrence: Recurrence | None
    rank: str
    createdBy: str
    createdAt: Instant
    updatedAt: Instant
    closedAt: Instant | None
    deletedAt: Instant | None
    projectId: Uuid


class PersonActivityItem(TypedDict):
    """The same of a person, with the project that it happened in."""

    seq: int
    firstSeq: int
    author: str
    at: Instant
    beganAt: Instant
    entries: int
    opIds: list[Uuid]
    events: list[WireEvent]
    projectId: Uuid


class PreferenceChanges(TypedDict, total=False):
    """The parts of the preferences that a command can set."""

    channels: dict[str, list[Literal["inbox", "email", "push"]]]
    quietHours: QuietHours | None


class PreferencesSet(TypedDict):
    """`changes` holds the new values, `was` the previous ones of the same reasons and fields."""

    changes: PreferenceChanges
    was: PreferenceChanges


class PreferencesView(TypedDict):
    """Reason → the channels that tell of it; none at all means never. In a muted project only mentions are
    told.
    """

    channels: dict[str, list[Literal["inbox", "email", "push"]]]
    quietHours: QuietHours | None
    mutedProjectIds: list[Uuid]


class PresenceMessage(TypedDict):
    """Who follows the stream now; ephemeral, never in the log. Nobody is told of the visitors of a profile."""

    stream: str
    present: list[PresentUser]


class PresentUser(TypedDict):
    """A user who follows the stream now, with the number of their connections."""

    userId: str
    connections: int


class ProfileChanges(TypedDict, total=False):
    """The fields of a profile that an edit can set."""

    firstName: str | None
    lastName: str | None
    bio: str | None
    avatarId: Uuid | None


class ProfileCreated(TypedDict):
    """The first event of a profile stream."""

    profile: ProfileView


class ProfileEdited(TypedDict):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    changes: ProfileChanges
    was: ProfileChanges


class ProfileView(TypedDict):
    """What everybody who is signed in may know of a person."""

    userId: Uuid
    firstName: str | None
    lastName: str | None
    bio: str | None
    avatarId: Uuid | None
    createdAt: Instant
    updatedAt: Instant


class ProjectChanges(TypedDict, total=False):
    """The fields of a project that an edit can set."""

    name: str
    description: str
    status: Literal["Active", "Completed", "OnHold", "Archived"]
    visibility: Literal["private", "public"]
    states: list[WorkflowState]


class ProjectCounters(TypedDict):
    """A project's next task number, the time of its newest content, and whether people have worked in it."""

    nextTaskNumber: int
    contentAt: str
    live: bool


class ProjectCreated(TypedDict):
    """The first event of a project stream. Version 1 knew no visibility."""

    project: ProjectView


class ProjectDeleted(TypedDict):
    """The project is hidden; its entry says by whom and when."""


class ProjectEdited(TypedDict):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    changes: ProjectChanges
    was: ProjectChanges


class ProjectMuted(TypedDict):
    """The project's notifications are withheld, but for mentions."""

    projectId: Uuid


class ProjectPurged(TypedDict):
    """Nothing of the project is left; everything before this entry is on its way out of the log."""


class ProjectRestored(TypedDict):
    """The project is back."""


class ProjectRestoredTo(TypedDict):
    """The other events of this entry brought the project towards what it was as of `seq`.

    `remaining` is how many pieces are still to come at most: 0 says that it is there, but for what `left`
    names, and anything else that the same command would change something more.
    """

    seq: int
    remaining: int
    left: NotRequired[list[str]]


class ProjectUnmuted(TypedDict):
    """They are told again."""

    projectId: Uuid


class ProjectView(TypedDict):
    """A project's own fields. `deletedAt` is set while it can still be restored."""

    id: Uuid
    key: str
    name: str
    description: str
    status: Literal["Active", "Completed", "OnHold", "Archived"]
    visibility: Literal["private", "public"]
    states: list[WorkflowState]
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None


class PurgeProject(TypedDict):
    """Ends a deleted project for good. A timer sends it some time after the deletion; an owner may be
    faster.

    Its key stays taken. Its entries stay in the log, without what was in them.
    """


class QuietHours(TypedDict):
    """From `start` (included) to `end` (excluded) by the clock of `timezone`; over midnight when `end` is
    earlier.
    """

    start: str
    end: str
    timezone: str


class Reaction(TypedDict):
    """Who reacted with this emoji, in the order in which they did."""

    emoji: str
    userIds: list[str]


class ReactionAdded(TypedDict):
    """Its person is the entry's author. `emoji` is spelled as it stands in the record."""

    commentId: Uuid
    emoji: str


class ReactionRemoved(TypedDict):
    """Its person is the entry's author."""

    commentId: Uuid
    emoji: str


class ReadMarker(TypedDict):
    """How many notifications are unread, and up to which number all are read."""

    unread: int
    readUpTo: int


class Recurrence(TypedDict):
    """How often a task comes again after it was completed.

    `startDay` and `dueDay` are the days of the month that its dates go back to after a month that was too
    short; they go with their date.
    """

    every: int
    unit: Literal["day", "week", "month", "year"]
    startDay: NotRequired[int]
    dueDay: NotRequired[int]


class RedoCommand(TypedDict):
    """Does again what `UndoCommand` took back; `opId` is that of the first command. Refused as an undo is."""

    opId: Uuid


class RemindOfDueDate(TypedDict):
    """The day before `dueDate` has begun (UTC). Refused, as `not_due`, where the task is closed or has
    another date.

    It is refused in a deleted or archived project, too. When the task comes back in time it is sent
    again.
    """

    taskId: Uuid
    dueDate: Day


class RemoveField(TypedDict):
    """Takes the field and its values from all tasks. What they were stays in the log, and comes back with an
    undo.

    Refused as `field_values_limit` where the tasks have more of it than one entry can bring back: at most
    3,000,000 characters of values, of which each counts 50 beside its text.
    """

    fieldId: Uuid


class RemoveLink(TypedDict):
    """Takes a link away, also one that is hidden because a task of it is deleted."""

    linkId: Uuid


class RemoveMember(TypedDict):
    """Ends a membership, those of the person's bots, and the invitations of and by them; whoever names
    themself leaves.

    It takes effect on every open socket.
    """

    userId: Uuid


class RemoveReaction(TypedDict):
    """Takes one's own reaction back; nothing changes where there is none."""

    commentId: Uuid
    emoji: str


class RemoveRole(TypedDict):
    """Refused (`role_in_use`) while anybody has the role."""

    roleId: Uuid


class ResetMessage(TypedDict):
    """The client has fallen too far behind a stream that it follows: instead of the entries that it missed
    it gets the state as of `cursor`, in `parts` snapshot messages, and then the entries after it.
    """

    stream: str
    cursor: str
    parts: int
    reason: str


class RestoreComment(TypedDict):
    """Brings a deleted comment back as it was. Authors restore what they deleted themselves, admins and
    owners any.
    """

    commentId: Uuid


class RestoreProject(TypedDict):
    """Takes a deletion back."""


class RestoreProjectTo(TypedDict):
    """Makes the content of the project what it was at `asOf`, by edits like any others, which can be undone
    together.

    What was made since is deleted, what was deleted since comes back, what was changed is changed back:
    the project's name, description, states and status, its milestones and fields, tasks with their order,
    links, and comments. Members, roles, invitations and visibility stay as they are, and so do reactions
    and watchers. One entry holds a limited amount: where `remaining` in the ack is not 0, the same
    command goes on under a new `opId`, and each of the entries is undone by itself. `left` names what
    cannot be as it was: `states`, where one opened or closed tasks then that are in it now as they were,
    so that they would be closed or opened behind their backs; `status`, where the project was archived
    then: who wants that archives it, which would refuse the undo; `assigneeIds`, where people have left
    the project since; a comment's id, where it was edited as often as may be.
    """

    asOf: int | Instant | Day


class RestoreTask(TypedDict):
    """Brings a deleted task back, with links, comments and place; into another state, where its own is gone.

    Its recurrence stays with another task of the series where that one has it by now.
    """

    taskId: Uuid


class RestoreTaskTo(TypedDict):
    """Makes a task what it was at `asOf`, by edits like any others, which can be undone together.

    Its fields, labels and assignees, the values of the project's own fields, its links and its place on
    the board are as they were then, and it is deleted or not as then. What was said about it stays, and
    so do its watchers. What cannot be had any more stays as it is: `left` in the ack names it
    (`milestoneId`, a link's id …; `assigneeIds` where people have left the project since, `recurrence`
    where the task came again and a later one has it).
    """

    taskId: Uuid
    asOf: int | Instant | Day


class RevokeInvitation(TypedDict):
    """Takes an invitation back."""

    invitationId: Uuid


class RoleChanges(TypedDict, total=False):
    """The fields of a role that an edit can set."""

    name: str
    permissions: list[str]


class RoleDefined(TypedDict):
    """The whole role."""

    role: RoleView


class RoleEdited(TypedDict):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    roleId: Uuid
    changes: RoleChanges
    was: RoleChanges


class RoleRemoved(TypedDict):
    """`was` is the role that nobody had any more."""

    roleId: Uuid
    was: RoleView


class RoleView(TypedDict):
    """A role that a project has defined. Its permissions are sorted and include those to look at everything."""

    id: Uuid
    name: str
    permissions: list[str]
    createdAt: Instant
    updatedAt: Instant


class SetPreferences(TypedDict, total=False):
    """Sets the reasons that are named, and the quiet hours; `null` takes the quiet hours off."""

    channels: dict[str, list[Literal["inbox", "email", "push"]]]
    quietHours: QuietHours | None


class SnapshotPart(TypedDict):
    """One part of a state. Parts come in order; `state` maps collections (`tasks` …) to records, to be
    merged.
    """

    stream: str
    cursor: str
    part: int
    parts: int
    state: dict[str, Any]


class Source(TypedDict):
    """The entry that somebody is told of. Whoever may not read its stream any more finds nothing there."""

    stream: str
    seq: int


class Subject(TypedDict):
    """What it is about: ids only, so that names are read where they are still allowed and right."""

    projectId: Uuid
    taskId: Uuid | None
    commentId: Uuid | None


class TaskChanges(TypedDict, total=False):
    """The single-valued fields of a task that an edit can set. Labels and assignees merge as sets instead.

    `rank` comes from the server: with every other state, and when the task was moved.
    """

    title: str
    description: str
    stateId: str
    priority: Literal["urgent", "high", "medium", "low", "none"]
    startDate: Day | None
    dueDate: Day | None
    estimate: float | None
    rank: str
    parentId: Uuid | None
    milestoneId: Uuid | None
    recurrence: Recurrence | None


class TaskCreated(TypedDict):
    """The whole task as it was created. Version 1 knew no parents, milestones, watchers, fields or ranks."""

    task: TaskView


class TaskDeleted(TypedDict):
    """The task is a tombstone since the entry's time."""

    taskId: Uuid


class TaskEdited(TypedDict):
    """Only what really changed. `was` holds the previous values of the fields in `changes`.

    `closedAt` is the value after the edit, given whenever the edit moved the task into or out of a closed
    state. Version 1 knew no parents, milestones, recurrence or ranks in `changes`: a task kept its own
    rank in every state.
    """

    taskId: Uuid
    changes: TaskChanges
    was: TaskChanges
    labelsAdded: NotRequired[list[str]]
    labelsRemoved: NotRequired[list[str]]
    assigneesAdded: NotRequired[list[str]]
    assigneesRemoved: NotRequired[list[str]]
    closedAt: NotRequired[Instant | None]


class TaskEditsJudged(TypedDict):
    """What became of each edit of an `EditTasks`, so that a retry gets the same answer.

    The accepted ones have their own events in the same entry.
    """

    items: list[JudgedEdit]


class TaskRecurred(TypedDict):
    """The task was completed and comes again as `nextTaskId`, which takes the recurrence over. `was` is the
    rule.

    The next task is created by an event of the same entry.
    """

    taskId: Uuid
    nextTaskId: Uuid
    was: Recurrence


class TaskRestored(TypedDict):
    """The task is back. Where the state that it had is gone, or closes tasks otherwise, a `TaskEdited`
    follows.
    """

    taskId: Uuid


class TaskRestoredTo(TypedDict):
    """The other events of this entry made the task what it was as of `seq`. `left` names what is not as it
    was then.
    """

    taskId: Uuid
    seq: int
    left: NotRequired[list[str]]


class TaskView(TypedDict):
    """A task. `closedAt` is when it last entered a completed or cancelled state, null while it is open.

    `rank` orders the tasks of one state as text, byte by byte. `fields` holds the values of the project's
    own fields by their ids. `deletedAt` marks a tombstone.
    """

    id: Uuid
    key: str
    number: int
    title: str
    description: str
    stateId: str
    priority: Literal["urgent", "high", "medium", "low", "none"]
    labels: list[str]
    assigneeIds: list[str]
    startDate: Day | None
    dueDate: Day | None
    estimate: float | None
    externalId: str | None
    parentId: Uuid | None
    milestoneId: Uuid | None
    watcherIds: list[Uuid]
    fields: dict[str, str | float]
    recurrence: Recurrence | None
    rank: str
    createdBy: str
    createdAt: Instant
    updatedAt: Instant
    closedAt: Instant | None
    deletedAt: Instant | None


class TasksReranked(TypedDict):
    """Neighbours in one state got other ranks because no short one was left between two of them.

    Their order stays as it was, and so do their `updatedAt`. `was` holds the ranks before.
    """

    stateId: str
    ranks: dict[str, str]
    was: dict[str, str]


class ThreadView(TypedDict):
    """A comment that began a thread, with the number of its replies (tombstones count: they are listed too)."""

    id: Uuid
    taskId: Uuid
    threadId: Uuid | None
    replyTo: Uuid | None
    authorId: str
    body: str
    mentions: list[Uuid]
    reactions: list[Reaction]
    createdAt: Instant
    updatedAt: Instant
    edits: list[CommentEdit]
    deletedAt: Instant | None
    deletedBy: str | None
    replyCount: int


class TransferOwnership(TypedDict):
    """Makes another member an owner; the owner who gives becomes an admin, and so do their bots that are
    owners.
    """

    userId: Uuid


class UnarchiveProject(TypedDict, total=False):
    """Sets the status of an archived project back."""

    status: Literal["Active", "Completed", "OnHold"]


class UndoCommand(TypedDict):
    """Takes back what the sender did with the command `opId`, whatever its age, from whichever device.

    Content can be taken back: changes of the project, tasks, links, milestones, fields, comments and
    reactions; not members, roles, invitations or the deletion of the project (`not_undoable`). What was
    set goes back to what it was before the command; labels, assignees and watchers that it added are
    removed, and the other way round. What it made is deleted, what it deleted comes back. Refused, as a
    `conflict` with the reason `changed_by_others`, where others have since changed the same fields or
    built on what was made: `fields` has both values with author and time, `dependents` what hangs on it.
    Permission is judged as for the command itself, by the sender's role now.
    """

    opId: Uuid


class UnmuteProject(TypedDict):
    """Takes it back."""

    projectId: Uuid


class UnwatchTask(TypedDict):
    """The author watches the task no longer."""

    taskId: Uuid


class UserProfileResponse(TypedDict):
    """A profile. `email`, `locale` and `timezone` are there only for the user themself."""

    userId: Uuid
    username: str
    firstName: str | None
    lastName: str | None
    bio: str | None
    avatarUrl: str | None
    createdAt: Instant
    updatedAt: Instant
    email: NotRequired[str | None]
    locale: NotRequired[str | None]
    timezone: NotRequired[str | None]


class UserReference(TypedDict):
    """A user by id and name, as far as anybody who is signed in may know them."""

    userId: Uuid
    username: str


class WatchTask(TypedDict):
    """The author watches the task. Every member may who may see it; others who look at a public project may
    not (`watcher_not_member`).

    Nobody watches by taking part alone. Who may edit the task can add other members (`EditTask`), and
    each may stop.

    Watchers are told when the task is edited, commented, deleted or restored, and when it is nearly due;
    not of links, nor of changes to comments.
    """

    taskId: Uuid


class WatchersChanged(TypedDict):
    """Who began and who stopped watching a task. The task itself does not count as changed."""

    taskId: Uuid
    added: NotRequired[list[Uuid]]
    removed: NotRequired[list[Uuid]]


class WireEntry(TypedDict):
    """One accepted command: its events take effect together. `at` is the content's time, `recordedAt` the
    log's.

    `recordedBy` is there when an import recorded what somebody else did.
    """

    seq: int
    epoch: int
    opId: Uuid
    author: str
    at: Instant
    recordedAt: Instant
    recordedBy: NotRequired[str]
    events: list[WireEvent]


class WireEvent(TypedDict):
    """An event as it travels."""

    kind: str
    version: int
    data: dict[str, Any]


class WorkflowState(TypedDict):
    """A named state of tasks. The group is what reports and filters understand; `waiting` marks time nobody
    works.
    """

    id: str
    name: str
    group: Literal["backlog", "unstarted", "started", "completed", "cancelled"]
    waiting: bool
