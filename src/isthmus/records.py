"""Data classes that cost next to nothing to define: what one needs is compiled when one is first made.

For a short command the standard library's decorator is half of its start: it compiles five functions for
each of some ninety classes, most of which the command never makes an instance of, and imports `inspect`.
To a type checker these are the standard library's names, and `dataclasses.replace`, `fields` and `asdict`
work on what is made here. Slots are always made; `InitVar`, `ClassVar` and `__post_init__` are not there.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

Kind = Any
"""A class made here. No type says that it has what is read of it."""
Record = Any
"""An instance of one."""


class _Unset:
    """Stands where a field has no default."""


class _Field:
    """How one field differs from an ordinary one."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(
        self,
        *,
        default: object = _Unset,
        default_factory: object = _Unset,
        compare: bool = True,
        repr: bool = True,
    ) -> None:
        self.default, self.factory = default, default_factory
        self.compare, self.repr = compare, repr


class _StandardFields:
    """The standard library's description of the fields, made for whoever asks for it."""

    def __get__(self, instance: object, owner: Kind) -> dict[str, object]:
        import dataclasses

        described: dict[str, object] = {}
        for name, each in owner.__record_fields__.items():
            given: dict[str, Any] = {"compare": each.compare, "repr": each.repr}
            if each.default is not _Unset:
                given["default"] = each.default
            if each.factory is not _Unset:
                given["default_factory"] = each.factory
            made: Any = dataclasses.field(**given)
            made.name, made.type = name, owner.__annotations__.get(name)
            made._field_type = vars(dataclasses)["_FIELD"]
            described[name] = made
        return described


def _dataclass(*, frozen: bool = False, slots: bool, order: bool = False) -> Callable[[Kind], Kind]:
    """Return the decorator; `slots` is there for the standard library's sake."""
    if not slots:
        raise TypeError("a record has slots")
    return lambda kind: _made(kind, frozen=frozen, order=order)


def _made(kind: Kind, *, frozen: bool, order: bool) -> Kind:
    namespace = {name: each for name, each in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    own: dict[str, _Field] = {}
    for name in namespace.get("__annotations__", {}):
        value = namespace.pop(name, _Unset)
        own[name] = value if isinstance(value, _Field) else _Field(default=value)
    fields = {**getattr(kind, "__record_fields__", {}), **own}
    compared = [name for name, each in fields.items() if each.compare]
    given: dict[str, object] = {
        "__slots__": tuple(own),
        "__match_args__": tuple(fields),
        "__record_fields__": fields,
        "__record_key__": attrgetter(*compared) if compared else None,
        "__dataclass_fields__": _StandardFields(),
        "__init__": _first_init,
        "__eq__": _equal,
        "__hash__": _hash if frozen else None,
        "__repr__": _shown,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }
    if frozen:
        given |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if order:
        given |= {"__lt__": _less, "__le__": _at_most}
    # What a class has written itself stays.
    return type(kind)(kind.__name__, kind.__bases__, {**given, **namespace})


def _first_init(self: Record, *given: object, **named: object) -> None:
    """Compile the constructor of a class as its first instance is made."""
    kind = next(each for each in type(self).__mro__ if vars(each).get("__init__") is _first_init)
    made = _constructor(kind)
    type.__setattr__(kind, "__init__", made)
    made(self, *given, **named)


def _constructor(kind: Kind) -> Callable[..., None]:
    known: dict[str, Any] = {"_Unset": _Unset}
    parameters, lines = ["self"], []
    for name, each in kind.__record_fields__.items():
        known[f"_set_{name}"] = getattr(kind, name).__set__
        value = name
        if each.factory is not _Unset:
            known[f"_make_{name}"] = each.factory
            parameters.append(f"{name}=_Unset")
            value = f"_make_{name}() if {name} is _Unset else {name}"
        elif each.default is not _Unset:
            known[f"_default_{name}"] = each.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    _set_{name}(self, {value})")
    # Nothing but the names of fields goes into it.
    source = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or "    pass")
    exec(source, known)
    made: Callable[..., None] = known["__init__"]
    return made


def _key(each: Record) -> object:
    key = type(each).__record_key__
    return () if key is None else key(each)


def _equal(self: Record, other: object) -> bool:
    return _key(self) == _key(other) if other.__class__ is self.__class__ else NotImplemented


def _less(self: Record, other: object) -> bool:
    return bool(_tuple(self) < _tuple(other)) if other.__class__ is self.__class__ else NotImplemented


def _at_most(self: Record, other: object) -> bool:
    return bool(_tuple(self) <= _tuple(other)) if other.__class__ is self.__class__ else NotImplemented


def _tuple(each: Record) -> tuple[Any, ...]:
    return tuple(getattr(each, name) for name, kept in each.__record_fields__.items() if kept.compare)


def _hash(self: Record) -> int:
    return hash(_key(self))


def _shown(self: Record) -> str:
    shown = (name for name, each in self.__record_fields__.items() if each.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({values})"


def _state(self: Record) -> list[object]:
    return [getattr(self, name) for name in self.__record_fields__]


def _set_state(self: Record, state: list[object]) -> None:
    for name, value in zip(self.__record_fields__, state, strict=True):
        object.__setattr__(self, name, value)


def _refuse_to_set(self: Record, name: str, value: object) -> None:
    raise AttributeError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Record, name: str) -> None:
    raise AttributeError(f"cannot delete field {name!r}")


def _replace(each: Record, /, **changes: object) -> Record:
    """Return a copy of a record with some fields changed."""
    for name in each.__record_fields__:
        if name not in changes:
            changes[name] = getattr(each, name)
    return each.__class__(**changes)


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    dataclass, field, replace = _dataclass, _Field, _replace

__all__ = ["dataclass", "field", "replace"]
