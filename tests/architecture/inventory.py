"""What the code consists of, read from files and syntax trees rather than by running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from protocol.messages import COMMANDS, EVENTS

OF_THE_SERVER = frozenset({"due_dates"})
"""Features whose commands no client sends."""

ROOT = Path(__file__).parent.parent.parent


def features() -> Mapping[str, str]:
    """Feature → kind of its stream. A feature is a file of `protocol/` that has commands."""
    return {model.__module__.rpartition(".")[2]: kind for kind, models in COMMANDS.items() for model in models.values()}


def slice_of(feature: str, kind: str) -> Sequence[str]:
    """The files that a feature has, one in every layer. What is private to a user has no read table.

    What the server alone asks for has no routes, no methods of the SDK and no rows.
    """
    if feature in OF_THE_SERVER:
        return [f"protocol/{feature}.py", f"actors/{kind}/{feature}.py", f"tests/features/test_{feature}.py"]
    return [
        f"protocol/{feature}.py",
        f"actors/{kind}/{feature}.py",
        *([f"storage/projections/{feature}.py"] if kind != "user" else []),
        f"server/rest/{feature}.py",
        f"client-sdk/python/pantherahive_client/builders/{feature}.py",
        f"tests/features/test_{feature}.py",
    ]


def missing_files(root: Path, wanted: Mapping[str, str]) -> Sequence[str]:
    """The files that these features (feature → kind) lack."""
    return [path for feature, kind in wanted.items() for path in slice_of(feature, kind) if not (root / path).is_file()]


def matched_names(source: str, function: str) -> set[str]:
    """What the `case` patterns of a function (or method) name: classes, or kinds as text."""
    return {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
        for pattern in ast.walk(node)
        if (name := _name_in(pattern)) is not None
    }


def _name_in(pattern: ast.AST) -> str | None:
    match pattern:
        case ast.MatchClass(cls=ast.Name(id=name)):
            return name
        case ast.MatchValue(value=ast.Constant(value=str(kind))):
            return kind
        case _:
            return None


def unhandled(source: str, function: str, names: Iterable[str]) -> Sequence[str]:
    """The messages that a router does not name."""
    return sorted(set(names) - matched_names(source, function))


def commands_of(kind: str) -> Iterable[str]:
    """The commands of a kind of stream."""
    return COMMANDS[kind].keys()


def events_of(kind: str) -> Iterable[str]:
    """The events of a kind of stream: those that stand beside its commands."""
    modules = {model.__module__ for model in COMMANDS[kind].values()}
    return [name for name, model in EVENTS.items() if model.__module__ in modules]


def classes_with(source: str, method: str) -> set[str]:
    """The classes of a module that have a method of this name."""
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(item, ast.FunctionDef) and item.name == method for item in node.body)
    }


def called_names(source: str, function: str) -> set[str]:
    """The plain names that a function calls."""
    return {
        call.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == function
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
