"""An event as the log holds it, which is what the folds read: plain JSON with a type, and no model around it."""

from __future__ import annotations

from typing import Generic, TypeVar

from typing_extensions import TypedDict

KindT = TypeVar("KindT")
DataT = TypeVar("DataT")


class Fact(TypedDict, Generic[KindT, DataT]):
    """An event in its newest form. What was validated when it was decided is not validated again.

    A feature writes the types of its data beside its fold; a test holds them to the models of `protocol`.
    """

    kind: KindT
    data: DataT


class NoData(TypedDict):
    """Of an event whose kind says everything."""
