"""Fails, with a line for each, where this Patroni is not what the amendments were written for."""

import sys

import amendments
from patroni.version import __version__

if found := amendments.differences():
    sys.exit(f"Patroni {__version__} is not what is amended (see {amendments.__file__}):\n" + "\n".join(found))
print(f"Patroni {__version__}: {len(amendments.SOURCES)} functions are as they were when the amendments were written")
