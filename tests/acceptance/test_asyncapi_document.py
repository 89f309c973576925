"""The published AsyncAPI document is one by AsyncAPI's own schema, which comes from npm."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema_rs
import orjson
import pytest

from server.rest.asyncapi import asyncapi_document
from tests.acceptance.javascript import installed, node

pytestmark = pytest.mark.only_if(node() is not None)


def judge() -> jsonschema_rs.Validator:
    """By the schema of version 3.0.0."""
    schema = orjson.loads((installed() / "node_modules/@asyncapi/specs/schemas/3.0.0.json").read_bytes())
    return jsonschema_rs.validator_for(schema)


def test_the_document_is_valid_and_a_broken_one_would_not_be() -> None:
    document, judging = asyncapi_document("1"), judge()
    assert [f"{list(error.instance_path)}: {error.message}" for error in judging.iter_errors(document)] == []
    for break_it in (_without_action, _with_an_unknown_field, _with_another_version):
        broken = copy.deepcopy(document)
        break_it(broken)
        assert not judging.is_valid(broken), break_it.__name__


def _without_action(document: dict[str, Any]) -> None:
    del document["operations"]["join"]["action"]


def _with_an_unknown_field(document: dict[str, Any]) -> None:
    document["components"]["messages"]["entries"]["payLoad"] = {}


def _with_another_version(document: dict[str, Any]) -> None:
    document["asyncapi"] = "3"
