"""The OpenAPI 3.1 document of the routes, made from what they declare (`server.rest.operations`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from protocol.errors import ErrorResponse
from protocol.examples import PARAMETER_EXAMPLES, example_of
from protocol.reactions import Emoji
from protocol.schema import PlainSchema
from server.idempotency import IDEMPOTENCY_KEY
from server.middleware import OP_ID_HEADER
from server.rest.access import STREAM_STATE
from server.rest.derived import DERIVED_AS_OF, DERIVED_SEQ, DERIVED_STATE
from server.rest.operations import JSON, Operation, operation_of

OPENAPI_VERSION: Final = "3.1.0"
REFERENCE: Final = "#/components/schemas/{model}"
PROBLEM: Final = "application/problem+json"

_MODE: Final[JsonSchemaMode] = "validation"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_CHANGING: Final = {hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE}
_UUID: Final = {"type": "string", "format": "uuid"}
_TEXT: Final = {"type": "string"}
_IN_PATH: Final[Mapping[str, dict[str, Any]]] = {
    "key": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]{1,9}(-[1-9][0-9]{0,8})?$"},
    "emoji": TypeAdapter(Emoji).json_schema(),
}
"""Names in paths that are no UUIDs."""
_STRONG_TAG: Final = r'"(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})(-[0-9a-f]{16})?"'
_IN_HEADER: Final[Mapping[str, dict[str, Any]]] = {
    IDEMPOTENCY_KEY: {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    str(hdrs.IF_MATCH): {
        "type": "string",
        "pattern": rf"^(\*|[ \t,]*{_STRONG_TAG}([ \t]*,[ \t,]*{_STRONG_TAG})*[ \t,]*)$",
    },
}
"""Forms of headers that are refused in any other."""
_OF_EVERY_ANSWER: Final = {"X-Request-Id": "The one that was sent, or a new one: the server's log names it"}
_OF_QUOTAS: Final = {
    "RateLimit": 'What is left of a quota, and in how many seconds it is whole again: `"requests";r=99;t=1`',
    "RateLimit-Policy": 'The quota: how many, in a window of how many seconds: `"requests";q=100;w=1`',
}
"""Not for the operator, whom no quota limits."""
_ABOUT: Final = (
    "REST of PantheraHive. Errors are problem documents (RFC 9457) with stable codes; pages are keyset pages, whose "
    "next one `Link` names (RFC 8288); ETags are cursors of the log, those of one record with its own tag beside it; "
    "where an answer belongs to no one stream they are weak. The live protocol is described in /asyncapi.json."
)


class UndeclaredRoute(Exception):
    """A route does not say what it takes and gives."""


def openapi_document(routes: Iterable[web.RouteDef], version: str) -> dict[str, Any]:
    """The whole document, in a stable order. Raises UndeclaredRoute."""
    declared = [(route, _declared(route)) for route in routes]
    schemas = _Schemas(declared)
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation, schemas)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "PantheraHive",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": schemas.definitions,
            "headers": {name: _header(text) for name, text in {**_OF_EVERY_ANSWER, **_OF_QUOTAS}.items()},
            "responses": {
                "Problem": {
                    "description": "Refused, or failed: `code` says why",
                    "headers": {
                        str(hdrs.RETRY_AFTER): _header("Seconds to wait before the request is sent again"),
                        **_shared(_OF_QUOTAS, _OF_EVERY_ANSWER),
                    },
                    "content": {PROBLEM: {"schema": schemas.of(ErrorResponse)}},
                }
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _declared(route: web.RouteDef) -> Operation:
    operation = operation_of(route.handler)
    if operation is None:
        raise UndeclaredRoute(f"{route.method} {route.path}: declare it with @operation(…) from server.rest.operations")
    return operation


class _Schemas:
    """The schemas of all models, each by a reference into the components where it has a name."""

    def __init__(self, declared: Sequence[tuple[web.RouteDef, Operation]]) -> None:
        self._types: dict[int, Any] = {}
        for model in (ErrorResponse, *(model for _, one in declared for model in (one.answer, one.body, one.query))):
            if model is not None:
                self._types[id(model)] = model
        inputs = [(key, _MODE, TypeAdapter(model)) for key, model in self._types.items()]
        found, definitions = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE, schema_generator=PlainSchema)
        self._found = {key: schema for (key, _), schema in found.items()}
        self._named: dict[str, Any] = definitions.get("$defs", {})
        queries = {operation.query.__name__ for _, operation in declared if operation.query is not None}
        # What bodies and answers consist of; queries become parameters.
        self.definitions = {name: self._named[name] for name in sorted(self._named) if name not in queries}

    def of(self, model: Any) -> dict[str, Any]:
        """The schema of a declared model."""
        return dict(self._found[id(model)])

    def whole(self, model: Any) -> Mapping[str, Any]:
        """The same, not by reference."""
        schema = self.of(model)
        name = schema.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._named[name] if name else schema
        return found


def _operation(route: web.RouteDef, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": _operation_id(route), "summary": operation.summary}
    if operation.description:
        described["description"] = operation.description
    described["tags"] = [_tag(route.path)]
    if operation.public:
        described["security"] = []
    if parameters := [*_path_parameters(route), *_query_parameters(operation, schemas), *_headers(route, operation)]:
        described["parameters"] = parameters
    if operation.body is not None:
        content = {"schema": schemas.of(operation.body), **_example(operation, schemas)}
        described["requestBody"] = {"required": operation.needs_body, "content": {JSON: content}}
    described["responses"] = _responses(route.method, operation, schemas)
    return described


def _operation_id(route: web.RouteDef) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9]+", route.path) if word and word != "v1"]
    return "_".join([route.method.lower(), *words])


def _tag(path: str) -> str:
    """The resource: the last plain word of the path."""
    return next(word for word in reversed(path.split("/")) if word and "{" not in word)


def _example(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    fields = set(schemas.whole(operation.body).get("properties", {}))
    found = example_of(operation.example or getattr(operation.body, "__name__", ""), fields)
    return {} if found is None else {"example": found}


def _path_parameters(route: web.RouteDef) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATH.get(name, _UUID), **_value(name)}
        for name in _PARAMETER.findall(route.path)
    ]


def _value(name: str) -> dict[str, Any]:
    return {"example": PARAMETER_EXAMPLES[name]} if name in PARAMETER_EXAMPLES else {}


def _query_parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = schemas.whole(operation.query)
    required = schema.get("required", [])
    found = []
    for name, one in schema.get("properties", {}).items():
        form = _without_null(one)
        said = {"description": form.pop("description")} if "description" in form else {}
        example = _value(name) if name in required else {}
        found.append({"name": name, "in": "query", "required": name in required, **said, "schema": form, **example})
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: what is not given is left out."""
    forms = [form for form in schema.get("anyOf", []) if form != {"type": "null"}]
    plain = {key: value for key, value in schema.items() if key not in ("anyOf", "default") or value is not None}
    if len(forms) != 1:
        return plain
    return {**{key: value for key, value in plain.items() if key != "anyOf"}, **forms[0]}


def _headers(route: web.RouteDef, operation: Operation) -> list[dict[str, Any]]:
    given = dict(operation.headers)
    if route.method in _CHANGING and operation.keyed and not operation.public:
        given[IDEMPOTENCY_KEY] = "the same in every retry: the request takes effect once (1 to 255 ASCII characters)"
    if operation.etag or _has_content_tag(route.method, operation):
        given[hdrs.IF_NONE_MATCH] = "the ETag that is known: 304 when it still is the newest"
    if operation.conditional:
        given[hdrs.IF_MATCH] = (
            "the ETag that the change is based on, or several: 412 when what it is about is none of these any more"
        )
    return [
        {
            "name": str(name),
            "in": "header",
            "required": False,
            "schema": _IN_HEADER.get(str(name), _TEXT),
            "description": text,
        }
        for name, text in given.items()
    ]


def _has_content_tag(method: str, operation: Operation) -> bool:
    """See `server.rest.content_tags`."""
    return method == hdrs.METH_GET and operation.media == (JSON,) and not operation.etag


def _responses(method: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done" if operation.status == 204 else operation.summary}
    if operation.status != 204 and operation.answer is not None:
        content: dict[str, Any] = {name: {"schema": _TEXT} for name in operation.media}
        if JSON in content:
            content[JSON] = {"schema": schemas.of(operation.answer)}
        success["content"] = content
    headers: dict[str, Any] = {}
    if operation.etag or operation.tagged:
        headers[str(hdrs.ETAG)] = _header(
            "`<cursor>` as of which this is true; of one record also its own tag, `<cursor>-<tag>`"
        )
    if operation.etag:
        headers[STREAM_STATE] = _header("`halted`: the log cannot be read to its end; this is its last good entry")
    if _has_content_tag(method, operation):
        headers[str(hdrs.ETAG)] = _header("Weak: made of what is sent")
    if operation.etag and operation.query is not None and "as_of" in operation.query.model_fields:
        headers[str(hdrs.CONTENT_LOCATION)] = _header("Of a past state: the path by its seq, where it stays for ever")
    if operation.located:
        headers[str(hdrs.LOCATION)] = _header("The path of what was made")
    if operation.conditional or operation.logged:
        headers[OP_ID_HEADER] = _header("What the log knows the change by: `…/undo` takes it")
    if operation.links:
        headers[str(hdrs.LINK)] = _header('The next page, `rel="next"`, if there is one')
    if operation.derived:
        headers[DERIVED_AS_OF] = _header("Until when everything that was committed is in it")
        headers[DERIVED_SEQ] = _header("What of `minSeq` is in it: all that the caller may see")
        headers[DERIVED_STATE] = _header("`incomplete`: projects are left out whose projection stands still")
    headers |= _shared(_OF_EVERY_ANSWER) if operation.public else _shared(_OF_QUOTAS, _OF_EVERY_ANSWER)
    success["headers"] = headers
    responses: dict[str, Any] = {str(operation.status): success}
    if operation.etag or _has_content_tag(method, operation):
        responses["304"] = {"description": "What `If-None-Match` names is still the newest", "headers": headers}
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return responses


def _shared(*described: Mapping[str, str]) -> dict[str, Any]:
    """The headers, each by a reference into the components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for names in described for name in names}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": _TEXT}
