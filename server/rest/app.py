"""The HTTP application: routes and what every request passes. The composition root attaches the live gateway to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from protocol.poison import DEPTH_MAX
from server.arriving_bodies import BODIES, ArrivingBodies, BodyLimits
from server.middleware import HttpMeters, add_security_headers, http_middlewares
from server.rest.bodies import JSON_DEPTH_MAX, PUBLIC_BODY_BYTES_MAX
from server.rest.content_tags import content_tags
from server.unread_answers import ANSWERS, AnswerLimits, UnreadAnswers, refusing


def http_application(
    routes: Iterable[web.RouteDef],
    *,
    meters: HttpMeters,
    allowed_origins: Sequence[str],
    body_max_bytes: int,
    public_body_max_bytes: int = 8 << 10,
    json_depth_max: int = DEPTH_MAX,
    new_id: Callable[[], str],
    inner: Sequence[Middleware] = (),
    answers: UnreadAnswers | None = None,
    bodies: ArrivingBodies | None = None,
) -> web.Application:
    """Run it with `access_log=None`: the middleware writes the access log. `inner` ones come next to the routes."""
    answers = answers if answers is not None else UnreadAnswers(AnswerLimits())
    app = web.Application(
        middlewares=[*http_middlewares(meters, allowed_origins, new_id), *inner, refusing(answers), content_tags],
        client_max_size=body_max_bytes,
    )
    app[PUBLIC_BODY_BYTES_MAX] = min(public_body_max_bytes, body_max_bytes)
    app[JSON_DEPTH_MAX] = json_depth_max
    app[ANSWERS] = answers
    app[BODIES] = bodies if bodies is not None else ArrivingBodies(BodyLimits())
    app.add_routes(routes)
    app.on_response_prepare.append(add_security_headers)
    return app
