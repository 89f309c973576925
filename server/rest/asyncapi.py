"""The AsyncAPI 3.0 document of the live protocol, made from the models that the socket decodes with."""

from __future__ import annotations

from typing import Any, Final

from protocol.examples import EXAMPLES
from protocol.schema import SOCKET_EVENTS, published_schema

ASYNCAPI_VERSION: Final = "3.0.0"
_CHANNEL: Final = {"$ref": "#/channels/live"}
_ABOUT: Final = (
    "The live protocol of PantheraHive: Socket.IO v5 over WebSocket (`/socket.io/`, `transports: ['websocket']`), or "
    "the same with the msgpack parser under `/socket.io-msgpack/`. Each message is a Socket.IO event of the same name "
    "with one argument, its payload. An answer is the event's ack; whatever is refused is answered with `error`. "
    "`connect` is Socket.IO's CONNECT with its auth payload, and what comes of it. `command` takes a type and its "
    "data: they are listed under components, as `<kind of stream>.<type>`."
)


def asyncapi_document(version: str) -> dict[str, Any]:
    """The whole document, in a stable order."""
    schema = published_schema()
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, roles in SOCKET_EVENTS.items():
        for role, model in roles.items():
            messages[_message_name(name, role)] = {
                "name": name,
                "title": f"{name}: {role}",
                "summary": (model.__doc__ or "").strip().partition("\n")[0],
                "contentType": "application/json",
                "payload": _schema(model.__name__),
                **_examples(model.__name__),
            }
        operations |= _operations(name, set(roles))
    messages["refused"] = {
        "name": "refused",
        "title": "An ack of anything refused",
        "contentType": "application/json",
        "payload": _schema("ErrorAnswer"),
        **_examples("ErrorAnswer"),
    }
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "PantheraHive, live",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/socket.io/",
                "title": "One connection",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"bindingVersion": "0.1.0"}},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": _schemas(schema)},
    }


def _message_name(name: str, role: str) -> str:
    return name if role == "message" else f"{name}{role.capitalize()}"


def _operations(name: str, roles: set[str]) -> dict[str, Any]:
    """`receive` is what the server takes, `send` what it says by itself."""
    found: dict[str, Any] = {}
    if "request" in roles:
        taken: dict[str, Any] = {"action": "receive", "channel": _CHANNEL, "messages": [_told(name, "request")]}
        answers = [_told(name, "answer")] if "answer" in roles else []
        refused = _told(name, "refused") if "refused" in roles else {"$ref": "#/channels/live/messages/refused"}
        taken["reply"] = {"channel": _CHANNEL, "messages": [*answers, refused]}
        found[name] = taken
    if "message" in roles:
        found[f"{name}Told"] = {"action": "send", "channel": _CHANNEL, "messages": [_told(name, "message")]}
    return found


def _told(name: str, role: str) -> dict[str, str]:
    return {"$ref": f"#/channels/live/messages/{_message_name(name, role)}"}


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _examples(name: str) -> dict[str, Any]:
    return {"examples": [{"payload": one} for one in EXAMPLES[name]]} if name in EXAMPLES else {}


def _schemas(published: dict[str, Any]) -> dict[str, Any]:
    """All definitions, and the commands and events once more by the names that they have on the wire."""
    schemas = {name: moved(schema) for name, schema in published["$defs"].items()}
    for kind, commands in published["commands"].items():
        for name, command in commands.items():
            shown = {"examples": EXAMPLES[name]} if name in EXAMPLES else {}
            schemas[f"{kind}.{name}"] = {**moved(command), **shown}
    for kind, event in published["events"].items():
        schemas[f"event.{kind}.{event['version']}"] = moved(event["data"])
    return schemas


def moved(schema: Any) -> Any:
    """The schema with its references into the components of this document."""
    if isinstance(schema, dict):
        return {key: _moved_reference(part) if key == "$ref" else moved(part) for key, part in schema.items()}
    if isinstance(schema, list):
        return [moved(part) for part in schema]
    return schema


def _moved_reference(reference: Any) -> Any:
    return reference.replace("#/$defs/", "#/components/schemas/") if isinstance(reference, str) else moved(reference)
