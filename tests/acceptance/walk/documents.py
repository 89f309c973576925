"""The published documents as judges: what they say of a request, an answer or a message, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs

PROBLEM = "application/problem+json"
_CERTAIN = frozenset({"etag", "location", "op-id"})
"""Headers that are there whenever they are published, and published wherever they are there."""


class NotAsPublished(AssertionError):
    """Something was said that the document does not know, or in another form."""


class Judge:
    """Values against the schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components = {"schemas": document["components"]["schemas"]}
        # By what they judge; made when first needed.
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def judge(self, schema: Mapping[str, Any], value: Any, what: str) -> None:
        """Raises NotAsPublished with every place where the value does not fit."""
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        errors = [f"{list(error.instance_path)}: {error.message}" for error in self._validators[key].iter_errors(value)]
        if errors:
            raise NotAsPublished(f"{what} is not as published: {'; '.join(errors)}\n{value!r}")


@dataclass(frozen=True)
class Operation:
    """One operation of the OpenAPI document, with references to shared responses resolved."""

    method: str
    path: str
    described: Mapping[str, Any]
    responses: Mapping[str, Any]
    judge: Judge

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_public(self) -> bool:
        return self.described.get("security") == []

    @cached_property
    def success(self) -> int:
        """The one status of success that is documented."""
        (status,) = [int(status) for status in self.responses if status.startswith("2")]
        return status

    @cached_property
    def media(self) -> frozenset[str]:
        """The forms of its answer; "" for one without a body."""
        return frozenset(self.responses[str(self.success)].get("content", {"": None}))

    def parameters(self, place: str) -> Mapping[str, Mapping[str, Any]]:
        """The parameters in `path`, `query` or `header`, by name."""
        return {one["name"]: one for one in self.described.get("parameters", []) if one["in"] == place}

    def examples(self, place: str) -> Mapping[str, Any]:
        """What the document gives as examples for those that are needed."""
        needed = {name: one for name, one in self.parameters(place).items() if one["required"]}
        if without := [name for name, one in needed.items() if "example" not in one]:
            raise NotAsPublished(f"{self.name} has no example for {without}: protocol/examples.py, PARAMETER_EXAMPLES")
        return {name: one["example"] for name, one in needed.items()}

    @property
    def example(self) -> Any:
        """The example of its body, None where it takes none."""
        if (published := self.described.get("requestBody")) is None:
            return None
        content = published["content"]["application/json"]
        if "example" not in content:
            raise NotAsPublished(f"{self.name} has no example of its body: protocol/examples.py, EXAMPLES")
        return content["example"]

    def judge_request(self, ids: Mapping[str, str], query: Mapping[str, Any], body: Any) -> None:
        """Whether the document allows it, so that a client made from it could have sent it."""
        for place, given in (("path", ids), ("query", query)):
            known = self.parameters(place)
            if unknown := set(given) - set(known):
                raise NotAsPublished(f"{self.name} publishes no {place} parameter {sorted(unknown)}")
            if missing := {name for name, one in known.items() if one["required"]} - set(given):
                raise NotAsPublished(f"{self.name} needs {sorted(missing)} in its {place}")
            for name, value in given.items():
                self.judge.judge(known[name]["schema"], value, f"{name} of {self.name}")
        published = self.described.get("requestBody")
        if body is not None and published is None:
            raise NotAsPublished(f"{self.name} publishes no body")
        if body is None and published is not None and published["required"]:
            raise NotAsPublished(f"{self.name} needs a body")
        if body is not None and published is not None:
            self.judge.judge(published["content"]["application/json"]["schema"], body, f"the body of {self.name}")

    def judge_answer(self, status: int, content_type: str, headers: Mapping[str, str], body: Any) -> None:
        """Whether an answer is one that the document announces. `body` is decoded JSON, text, or None."""
        published = self.responses.get(str(status)) or self.responses.get("default", {})
        content = published.get("content", {})
        if str(status) not in self.responses and content_type != PROBLEM:
            raise NotAsPublished(f"{self.name} answered {status}, which is not published: {body!r}")
        if content and content_type not in content:
            raise NotAsPublished(f"{self.name} answered {status} as {content_type}, not as one of {sorted(content)}")
        if not content and body not in (None, "", b""):
            raise NotAsPublished(f"{self.name} answered {status} with a body that is not published: {body!r}")
        if content:
            self.judge.judge(content[content_type]["schema"], body, f"the answer {status} of {self.name}")
        if status == self.success:
            told = _CERTAIN & {name.lower() for name in published.get("headers", {})}
            if (there := _CERTAIN & {name.lower() for name in headers}) != told:
                raise NotAsPublished(
                    f"{self.name} answered {status} with {sorted(there)}, published are {sorted(told)}"
                )


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """All operations of an OpenAPI document."""
    judge = Judge(document)
    shared = document["components"]["responses"]
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            responses = {
                status: shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                for status, one in described["responses"].items()
            }
            yield Operation(method.upper(), path, described, responses, judge)
