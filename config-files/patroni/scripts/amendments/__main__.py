"""Fails if the installed Patroni differs from what the amendments were written for, with a line for each difference."""

import sys

import amendments
from patroni.version import __version__

if found := amendments.differences():
    sys.exit(f"Patroni {__version__} differs from what the amendments were written for (see {amendments.__file__}):\n" + "\n".join(found))
print(f"Patroni {__version__}: {len(amendments.SOURCES)} functions are unchanged since the amendments were written")
