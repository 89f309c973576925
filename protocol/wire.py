"""The live protocol on Socket.IO v5: event names, requests and answers."""

from __future__ import annotations

from typing import Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from protocol.base import Instant, Integer, Message, PersonId, Seq, StreamName, Uuid
from protocol.errors import ErrorBody
from protocol.event import Origin

JOIN: Final = "join"
LEAVE: Final = "leave"
COMMAND: Final = "command"
ENTRIES: Final = "entries"
SNAPSHOT: Final = "snapshot"
RESET: Final = "reset"
HEADS: Final = "heads"
PRESENCE: Final = "presence"
AWARENESS: Final = "awareness"
CLOSED: Final = "closed"
AUTH: Final = "auth"

CursorText = str


class ConnectAuth(Message):
    """The payload of CONNECT and of `auth`. A token stands nowhere else: not in the URL, not in a cookie."""

    token: str = Field(min_length=1, max_length=4096)


class ConnectAnswer(Message):
    """CONNECT was accepted. `sid` is Socket.IO's own name of the connection, and good for nothing here."""

    sid: str


class ConnectRefusal(Message):
    """CONNECT_ERROR: the connection was not accepted, and ends. `data` is the error as in any other refusal."""

    message: str
    data: ErrorBody


class AuthAnswer(Message):
    """The ack of `auth`, which takes a `ConnectAuth`: the connection lives with the new token until `expiresAt`.

    The token has to be the same user's, with the same rights. One that is refused changes nothing: the connection goes
    on with the token that it has. Null: it has no end of its own.
    """

    expires_at: Instant | None


class JoinRequest(Message):
    """Follow a stream. With a cursor the answer continues there; without one it starts with the state."""

    stream: StreamName
    cursor: CursorText | None = Field(default=None, max_length=40)


class LeaveRequest(Message):
    """Stop following a stream. To leave what is not followed counts as a request."""

    stream: StreamName


class LeaveAnswer(Message):
    """The ack of `leave`: nothing more comes of the stream, whether it was followed or not."""


class CommandRequest(Message):
    """A command. `opId` is made once per wish: every retry sends the same.

    It should be a UUIDv7, whose time spares the server a look into its log. Any other UUID is taken too: ids that are
    derived from a wish (version 5 or 8) say when they are the same wish, but not when it was made.

    `afterOpId` is that of an earlier command to the same stream whose ack is not there yet: this one is refused for now
    (`unavailable`) where that one has not been decided, so whoever sends several at a time keeps their order also when
    one of them fails and the next would not. It does not count when two commands with one opId are compared.
    """

    stream: StreamName
    op_id: Uuid
    type: str = Field(min_length=1, max_length=60)
    data: dict[str, Any]
    base: Seq | None = None
    origin: Origin | None = None
    after_op_id: Uuid | None = None


class AwarenessRequest(Message):
    """Lets the other followers of a joined stream see where one looks: any small object, null for nothing any more.

    It replaces the connection's state in that stream and is kept nowhere else. It ends with leaving, joining anew,
    losing the connection or the right to follow, and for all when the project becomes public; nobody is asked to show
    it anew. Updates beyond the rate are refused with `rate_limited`.
    """

    stream: StreamName
    state: dict[str, Any] | None


class AwarenessAnswer(Message):
    """The ack of `awareness`: the others are told."""


class AwareState(TypedDict):
    """The state of one connection of a user; null when there is none any more. `connection` tells several apart."""

    connection: str
    userId: str
    state: dict[str, Any] | None


class WireEvent(TypedDict):
    """An event as it travels."""

    kind: str
    version: int
    data: dict[str, Any]


class WireEntry(TypedDict):
    """One accepted command: its events take effect together. `at` is the content's time, `recordedAt` the log's.

    `recordedBy` is there when an import recorded what somebody else did.
    """

    seq: int
    epoch: int
    opId: Uuid
    author: PersonId
    at: Instant
    recordedAt: Instant
    recordedBy: NotRequired[PersonId]
    events: list[WireEvent]


class PresentUser(TypedDict):
    """A user who follows the stream now, with the number of their connections."""

    userId: str
    connections: int


class JoinAnswer(Message):
    """`resume`: entries after `cursor` follow. `snapshot`, `reset`: the state as of it follows in `parts` messages.

    `reset` tells the client to drop what it has, and why. `present` is who follows the stream now; it stays empty in
    streams that everybody may follow (profiles). `halted`: the server cannot read its log to the end. What comes is
    incomplete, it ends at the last good entry, and commands are refused until the log is repaired; the entries that
    were missing then follow.
    """

    mode: Literal["resume", "snapshot", "reset"]
    cursor: CursorText
    parts: Integer = 0
    reason: Literal["behind", "epoch", "ahead", "cursor"] | None = None
    present: list[PresentUser] = Field(default_factory=list)
    halted: bool = False


class SnapshotPart(Message):
    """One part of a state. Parts come in order; `state` maps collections (`tasks` …) to records, to be merged."""

    stream: StreamName
    cursor: CursorText
    part: Integer
    parts: Integer
    state: dict[str, Any]


class ResetMessage(Message):
    """The client has fallen too far behind a stream that it follows: instead of the entries that it missed it gets the
    state as of `cursor`, in `parts` snapshot messages, and then the entries after it.
    """

    stream: StreamName
    cursor: CursorText
    parts: Integer
    reason: Literal["behind"]


class EntriesMessage(Message):
    """Entries in commit order, without a gap."""

    stream: StreamName
    entries: list[WireEntry]


class HeadsMessage(Message):
    """The newest cursor of each stream of which the socket was sent everything; makes a lost last entry visible.

    Streams that it is still catching up with are left out until then.
    """

    heads: dict[StreamName, CursorText]


class PresenceMessage(Message):
    """Who follows the stream now; ephemeral, never in the log. Nobody is told of the visitors of a profile."""

    stream: StreamName
    present: list[PresentUser]


class AwarenessMessage(Message):
    """What others let be seen; ephemeral, never in the log. Only the newest state of a connection counts.

    `complete`: these are all states that there are; whoever is not among them has none. It comes when the stream was
    joined and somebody has a state, and when updates were left out because the client did not read.
    """

    stream: StreamName
    states: list[AwareState]
    complete: bool = False


class ClosedMessage(Message):
    """Nothing more comes from here. Without a stream it is the whole connection that ends.

    `removed`: the user may not follow the stream any more, for example because the project was deleted. `expired`: the
    token has come to its end. `ended`: its log-in was ended by a logout, a new password or a stolen refresh token.
    `shutdown`: the server stops, and Socket.IO's clients come back by themselves; after `expired` and `ended` they do
    not, as a DISCONNECT packet follows. Who does not read is told nothing, and cut off.
    """

    stream: StreamName | None = None
    reason: Literal["removed", "expired", "ended", "shutdown"]


class CommandAnswer(Message):
    """The ack of an accepted command. `result` names what was made (`taskId`, `key` …), the same for every retry."""

    cursor: CursorText
    at: Instant
    result: dict[str, Any] = Field(default_factory=dict)


class ErrorAnswer(Message):
    """The ack of anything refused."""

    error: ErrorBody
