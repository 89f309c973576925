"""What the sessions of a node share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from actors.ports import Clock
from actors.runtime.feeds import Feeds
from actors.runtime.router import Router
from server.auth.principal import Authenticator
from server.enrich import Facts
from server.farewells import Farewells
from server.gateway.crowd import Crowd
from server.gateway.doors import Doors
from server.gateway.limits import GatewayLimits
from server.gateway.meters import GatewayMeters
from server.gateway.snapshots import SnapshotFrames
from server.rate_limits import Rates

if TYPE_CHECKING:
    from server.gateway.session import Session


class Hall(Protocol):
    """What sessions share: the gateway's rooms and clocks."""

    router: Router
    feeds: Feeds
    facts: Facts
    authenticator: Authenticator
    clock: Clock
    limits: GatewayLimits
    rates: Rates
    meters: GatewayMeters
    snapshots: SnapshotFrames
    crowd: Crowd
    users: Doors
    farewells: Farewells

    @property
    def stopping(self) -> bool: ...

    def entered(self, session: Session) -> None: ...

    def hangs_on(self, session: Session, grant_id: str | None, was: str | None) -> None:
        """The session's token hangs on another grant than before; None: on none."""
        ...

    def left(self, session: Session) -> None: ...
