"""The documents as one page for people: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1e21; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; border-bottom: 2px solid #d8dbe0; }
details { border: 1px solid #d8dbe0; border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow: auto; background: #f4f5f7; padding: .6rem; border-radius: 6px; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; color: #0b5cad; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem; }
tr + tr { border-top: 1px solid #e6e8eb; }
@media (prefers-color-scheme: dark) {
  body { background: #16181b; color: #e4e6e9; } pre { background: #1f2226; }
  details, h2, tr + tr { border-color: #383c42; } .method { color: #6cb2f2; } a { color: #8cc4f8; }
}
"""


def docs_page(openapi: Mapping[str, Any], asyncapi: Mapping[str, Any]) -> str:
    """The whole page."""
    return "".join(_page(openapi, asyncapi))


def _page(openapi: Mapping[str, Any], asyncapi: Mapping[str, Any]) -> Iterator[str]:
    info = openapi["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>PantheraHive API</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
    yield f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
    yield f"<p>{escape(info['description'])}</p>"
    yield '<p><a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a></p><h2>REST</h2>'
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield from _operation(method.upper(), path, operation)
    yield f"<h2>Live</h2><p>{escape(asyncapi['info']['description'])}</p>"
    for name, message in asyncapi["components"]["messages"].items():
        summary = escape(message.get("summary", message["title"]))
        title = f"<summary><code>{escape(name)}</code> {summary}</summary>"
        yield f"<details>{title}{_schema(message['payload'])}</details>"
    yield "<h2>Schemas</h2>"
    schemas = {**openapi["components"]["schemas"], **asyncapi["components"]["schemas"]}
    for name in sorted(schemas):
        yield _definition(name, schemas[name])
    yield "</body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    title = f'<span class="method">{method}</span> <code>{escape(path)}</code> {escape(operation["summary"])}'
    yield f'<details id="{escape(operation["operationId"])}"><summary>{title}</summary>'
    if text := operation.get("description"):
        yield "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>parameter<th>in<th>what it is</tr>"
        for one in parameters:
            about = escape(one.get("description", "")) or _schema(one["schema"])
            yield f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}<td>{about}</tr>"
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>Body: {_content(body['content'])}</p>"
    for status, response in operation["responses"].items():
        about = "a problem document" if status == "default" else _content(response.get("content", {}))
        yield f"<p>{escape(status)}: {about or escape(response.get('description', ''))}</p>"
    yield "</details>"


def _content(content: Mapping[str, Any]) -> str:
    return ", ".join(f"<code>{escape(media)}</code> {_schema(one['schema'])}" for media, one in content.items())


def _schema(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to those that have names."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_schema(form) for form in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_schema(schema.get('items', {}))}"
    words = [str(schema.get("type", "anything")), *([str(schema["format"])] if "format" in schema else [])]
    return escape(" ".join(words))


def _definition(name: str, schema: Mapping[str, Any]) -> str:
    about = "".join(f"<p>{escape(part)}</p>" for part in schema.get("description", "").split("\n\n") if part)
    needed = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in needed else ' (optional)'}<td>{_schema(one)}</tr>"
        for field, one in schema.get("properties", {}).items()
    )
    inside = f"<table>{rows}</table>" if rows else f"<p>{_schema(schema)}</p>"
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>{about}{inside}</details>'
    )
