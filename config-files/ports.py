"""The cluster's ports by name, from port-numbers.json beside this file. Their meaning: ports.ts.

    python3 ports.py NAME   prints the port, for shell scripts
"""

import json
import sys
from pathlib import Path

PORTS: dict[str, int] = json.loads(Path(__file__).with_name("port-numbers.json").read_text(encoding="utf-8"))

if __name__ == "__main__":
    print(PORTS[sys.argv[1]])
