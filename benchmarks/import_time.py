"""What `from gan_course import ...` costs on top of `import torch`: the median of several fresh interpreters.

python benchmarks/import_time.py [--repeats 7]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

CODE = """
import time, torch
started = time.perf_counter()
from gan_course import data, losses, metrics, networks, training
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    seconds = [
        float(subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout)
        for _ in range(repeats)
    ]
    print(json.dumps({"median_seconds": round(statistics.median(seconds), 3), "most": round(max(seconds), 3)}))


if __name__ == "__main__":
    main()
