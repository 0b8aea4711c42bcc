"""Messages of the protos as dataclasses, and back, by the names of their fields.

A dataclass has the fields of its message under the same names. Times become datetime (UTC), durations timedelta, enums
IntEnum, repeated fields tuples. A oneof is a field under the oneof's name, whose type is a union of dataclasses that are called
like the messages. What is absent is None.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def seconds_of(timestamp: Any) -> float:
    """Of a Timestamp or a Duration."""
    return float(timestamp.seconds + timestamp.nanos / 1e9)


def from_proto(kind: type[T], message: Any) -> T:
    """The dataclass `kind` with what is in the message."""
    return kind(**{name: value_of(annotation, name, message) for name, annotation in hints(kind).items()})


def to_proto(value: Any, message: Any) -> None:
    """Sets the fields of the message to those of the dataclass `value`."""
    for name, annotation in hints(type(value)).items():
        field = getattr(value, name)
        if field is None:
            continue
        if isinstance(field, datetime.timedelta):
            getattr(message, name).FromTimedelta(field)
        elif dataclasses.is_dataclass(field):
            getattr(message, name).SetInParent()
            to_proto(field, getattr(message, name))
        else:
            setattr(message, name, field)


_hints: dict[type[Any], dict[str, Any]] = {}


def hints(kind: type[Any]) -> dict[str, Any]:
    """The types of a dataclass's fields, by name."""
    if kind not in _hints:
        _hints[kind] = typing.get_type_hints(kind)
    return _hints[kind]


def choices(annotation: Any) -> tuple[Any, ...]:
    """The members of a union but None; the type itself where it is no union."""
    if not isinstance(annotation, types.UnionType):
        return (annotation,)
    return tuple(each for each in typing.get_args(annotation) if each is not type(None))


def value_of(annotation: Any, name: str, message: Any) -> Any:
    """What a dataclass's field of this type and name is for the message."""
    kinds = choices(annotation)
    if name in message.DESCRIPTOR.oneofs_by_name and name not in message.DESCRIPTOR.fields_by_name:
        return _of_oneof(kinds, message, message.WhichOneof(name))
    field = getattr(message, name)
    if typing.get_origin(kinds[0]) is tuple:
        item = typing.get_args(kinds[0])[0]
        return tuple(from_proto(item, each) if dataclasses.is_dataclass(item) else each for each in field)
    if typing.get_origin(kinds[0]) is dict:
        return dict(field)
    if isinstance(annotation, types.UnionType) and not message.HasField(name):
        return None
    return _scalar(kinds[0], field)


def _of_oneof(kinds: tuple[Any, ...], message: Any, which: str | None) -> Any:
    if which is None:
        return None
    chosen = getattr(message, which)
    return next((from_proto(kind, chosen) for kind in kinds if kind.__name__ == chosen.DESCRIPTOR.name), None)


def _scalar(kind: Any, field: Any) -> Any:
    if kind is datetime.datetime:
        return _EPOCH + datetime.timedelta(seconds=field.seconds, microseconds=field.nanos // 1000)
    if kind is datetime.timedelta:
        return datetime.timedelta(seconds=field.seconds, microseconds=field.nanos / 1000)
    if dataclasses.is_dataclass(kind):
        return from_proto(typing.cast("type[Any]", kind), field)
    if issubclass(kind, enum.IntEnum):
        # A value of a later version is as good as none.
        return kind(field) if field in set(kind) else kind(0)
    return field
