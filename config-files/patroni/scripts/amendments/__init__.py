"""What is amended in Patroni: one file an amendment, with its reason and what there is of it upstream.

An amendment says which functions of Patroni it takes the place of (`@amends`) and on which others it relies (`relies_on`): those whose
frames it looks into, that call it in a certain order, or whose fields it uses. Each with a digest of its source as the amendment was written
for. `python -m amendments` compares them with the Patroni that is installed; the image's build runs it, so that another Patroni fails
there and not in a failover. Then read what has changed, change the amendment or see that it need not change, and enter the new digest.

What Patroni has an extension point for (callbacks, scripts, `before_stop`) is no amendment.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

# First: its parts import each other in a circle.
importlib.import_module("patroni.postgresql")

Replacement = TypeVar("Replacement", bound=Callable[..., Any])


@dataclass(frozen=True)
class Source:
    """A function or class of Patroni, and what its source was."""

    place: str
    """`module:name` or `module:Class.name`."""
    digest: str
    amendment: str


SOURCES: list[Source] = []
"""All that the amendments were written for."""
REPLACEMENTS: list[tuple[str, Callable[..., Any]]] = []
"""What takes the place of what, in the order in which they were declared."""


def at(place: str) -> tuple[Any, str]:
    """The module or class that holds it, and its name there. Raises ImportError or AttributeError if there is none."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    getattr(owner, name)
    return owner, name


def source(place: str) -> str:
    """Of a function or class as it stands in its file. Raises LookupError if its name is not written there."""
    # Here and not above: a member's start waits for what it imports, and only the image's build needs these.
    import ast
    import inspect
    import textwrap

    owner, name = at(place)
    found = inspect.getattr_static(owner, name)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    if found.__qualname__ == place.partition(":")[2]:
        return inspect.getsource(found)
    # Hidden by a decorator, whose own source says nothing of it.
    lines = textwrap.dedent(inspect.getsource(owner)).splitlines(keepends=True)
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return "".join(lines[min(each.lineno for each in (node, *node.decorator_list)) - 1 : node.end_lineno])
    raise LookupError(f"it is {found.__qualname__}")


def digest(place: str) -> str:
    import hashlib

    return hashlib.sha256(source(place).encode()).hexdigest()[:16]


def relies_on(places: dict[str, str], amendment: str = "") -> None:
    """Declares digests by place. `amendment` is the module that does, if it is not the caller."""
    amendment = amendment or sys._getframe(1).f_globals["__name__"]
    SOURCES.extend(Source(place, digest, amendment) for place, digest in places.items())


def amends(place: str, digest: str) -> Callable[[Replacement], Replacement]:
    """The function takes the place of one of Patroni, which it gets as its first argument."""

    def declare(replacement: Replacement) -> Replacement:
        relies_on({place: digest}, replacement.__module__)
        REPLACEMENTS.append((place, replacement))
        return replacement

    return declare


def all_of_them() -> list[Any]:
    """The modules beside this one, in the order of their names. To import one changes nothing of Patroni."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def differences() -> list[str]:
    """What of Patroni is not as the amendments were written for: the function, its file, and whose digest is to be looked at."""
    import inspect

    found: list[str] = []
    all_of_them()
    for source in SOURCES:
        try:
            owner, _ = at(source.place)
            now = digest(source.place)
        except (ImportError, AttributeError, LookupError, OSError, TypeError) as error:
            found.append(f"{source.place} is gone ({error}): {source.amendment} was written for {source.digest}")
            continue
        if now != source.digest:
            file = inspect.getsourcefile(owner)
            found.append(f"{source.place} in {file} is {now}, {source.amendment} was written for {source.digest}")
    return found


def apply() -> None:
    """Amends the Patroni of this process, once. An amendment may also set what is no function, in a function `apply` of its own."""
    modules = all_of_them()
    for place, replacement in REPLACEMENTS:
        owner, name = at(place)
        setattr(owner, name, bound(replacement, getattr(owner, name)))
    for module in modules:
        if hasattr(module, "apply"):
            module.apply()


def bound(replacement: Callable[..., Any], upstream: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function: as an attribute of a class it becomes a method, which a `partial` would not."""

    def amended(*arguments: Any, **options: Any) -> Any:
        return replacement(upstream, *arguments, **options)

    return amended
