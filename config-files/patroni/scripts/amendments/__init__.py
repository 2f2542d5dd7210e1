"""The patches to Patroni: one file per amendment, with its reason and the state of the matter upstream.

An amendment declares which functions of Patroni it replaces (`@amends`) and on which others it relies (`relies_on`): those whose frames it
inspects, that call it in a certain order, or whose fields it uses. Each comes with a digest of the source that the amendment was written for.
`python -m amendments` compares the digests with the installed Patroni; the image build runs it, so that another version of Patroni fails there
and not in a failover. When it fails: read what has changed, update the amendment if necessary, and enter the new digest.

Do not amend what Patroni has an extension point for (callbacks, scripts, `before_stop`).
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

# Import it first: its modules import each other.
importlib.import_module("patroni.postgresql")

Replacement = TypeVar("Replacement", bound=Callable[..., Any])


@dataclass(frozen=True)
class Source:
    """A function or class of Patroni, and the digest of its source."""

    place: str
    """`module:name` or `module:Class.name`."""
    digest: str
    amendment: str


SOURCES: list[Source] = []
"""All functions and classes that the amendments were written for."""
REPLACEMENTS: list[tuple[str, Callable[..., Any]]] = []
"""Place and replacement, in the order of declaration."""


def at(place: str) -> tuple[Any, str]:
    """The module or class that holds the function, and its name there. Raises ImportError or AttributeError if there is none."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    getattr(owner, name)
    return owner, name


def source(place: str) -> str:
    """The source of a function or class. Raises LookupError if it is not defined under its name.

    The imports are local because only the image build needs them, and they would delay a member's start."""
    import ast
    import inspect
    import textwrap

    owner, name = at(place)
    found = inspect.getattr_static(owner, name)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    if found.__qualname__ == place.partition(":")[2]:
        return inspect.getsource(found)
    # Wrapped by a decorator: take the source of the function itself, including the decorator.
    lines = textwrap.dedent(inspect.getsource(owner)).splitlines(keepends=True)
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return "".join(lines[min(each.lineno for each in (node, *node.decorator_list)) - 1 : node.end_lineno])
    raise LookupError(f"it is {found.__qualname__}")


def digest(place: str) -> str:
    import hashlib

    return hashlib.sha256(source(place).encode()).hexdigest()[:16]


def relies_on(places: dict[str, str], amendment: str = "") -> None:
    """Declares digests by place. `amendment` is the module that relies on them; default: the caller."""
    amendment = amendment or sys._getframe(1).f_globals["__name__"]
    SOURCES.extend(Source(place, digest, amendment) for place, digest in places.items())


def amends(place: str, digest: str) -> Callable[[Replacement], Replacement]:
    """Declares that the function replaces one of Patroni's, which it gets as its first argument."""

    def declare(replacement: Replacement) -> Replacement:
        relies_on({place: digest}, replacement.__module__)
        REPLACEMENTS.append((place, replacement))
        return replacement

    return declare


def all_of_them() -> list[Any]:
    """The modules beside this one, in alphabetical order. Importing them does not change Patroni yet."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def differences() -> list[str]:
    """Where Patroni differs from what the amendments were written for: the function, its file, and the amendment to check."""
    import inspect

    found: list[str] = []
    all_of_them()
    for source in SOURCES:
        try:
            owner, _ = at(source.place)
            now = digest(source.place)
        except (ImportError, AttributeError, LookupError, OSError, TypeError) as error:
            found.append(f"{source.place} is missing ({error}): {source.amendment} was written for {source.digest}")
            continue
        if now != source.digest:
            file = inspect.getsourcefile(owner)
            found.append(f"{source.place} in {file} has digest {now}: {source.amendment} was written for {source.digest}")
    return found


def apply() -> None:
    """Applies the amendments to this process, once. To change something other than a function, an amendment defines a function `apply`."""
    modules = all_of_them()
    for place, replacement in REPLACEMENTS:
        owner, name = at(place)
        setattr(owner, name, bound(replacement, getattr(owner, name)))
    for module in modules:
        if hasattr(module, "apply"):
            module.apply()


def bound(replacement: Callable[..., Any], upstream: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function: as a class attribute it becomes a method, unlike a `partial`."""

    def amended(*arguments: Any, **options: Any) -> Any:
        return replacement(upstream, *arguments, **options)

    return amended
