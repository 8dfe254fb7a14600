"""How many pictures a second does the GAN stepper show, in JupyterLab in a headless Chromium?

    python benchmarks/stepper_frames.py --json gan_course/assets/results/stepper_frames.json

Everything runs on one machine: the browser, the server and the kernel, which trains the default networks of the stepper
(batch 256, five whole steps of the game between two pictures) with one thread. Counted in the page: changes of the
picture's `src`, and the screen's own frames in which no finished picture stood there (a flicker). Then a run is paused,
and it is counted how many pictures come after the click, with a kernel that needs 300 ms a picture, too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from jupyter_server import WidgetCell, browser_page, jupyter_lab, open_notebook, run_all, write_notebook
from widget_latency import processor

SECONDS = 10
TARGET = 10  # pictures a second

CASES = {
    "ring": 'GANStepper("ring")',
    "grid, relativistic, R1 + R2": 'GANStepper("grid", loss="relativistic", penalty="R1 + R2")',
    "swiss roll, Wasserstein, gradient penalty, 5 critic steps, 2 steps a picture": (
        'GANStepper("swiss roll", loss="wasserstein", penalty="gradient penalty", n_critic=5, steps=2)'
    ),
    "ring, up to 50 steps a picture": 'GANStepper("ring", steps=50)',
    "a kernel that needs 300 ms a picture": "slow",
}
SETUP = """
import time
from gan_course.widgets import GANStepper

slow = GANStepper("ring", steps=1)
advance = slow.game.advance
slow.game.advance = lambda *arguments: (time.sleep(0.3), advance(*arguments))
"""
WATCH = """area => {
    const image = () => area.querySelector('img[alt^="A GAN on the data"]');
    const watch = window.watch = {src: image().src, times: [], screens: 0, empty: 0};
    new MutationObserver(() => {
        const now = image();
        if (!now || now.src === watch.src) return;
        watch.src = now.src;
        watch.times.push(performance.now());
    }).observe(area, {childList: true, subtree: true, attributes: true});
    const look = () => {
        if (watch !== window.watch) return;
        const now = image();
        watch.screens += 1;
        watch.empty += !now || !now.complete || !now.naturalWidth;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def measure_case(page, cell_number: int) -> dict:
    """Run the stepper of a cell for some seconds, pause it, and wait for what still comes."""
    stepper = WidgetCell(page, cell_number, "A GAN on the data")
    stepper.cell.scroll_into_view_if_needed()
    stepper.click("Run")
    page.wait_for_timeout(1000)
    page.evaluate(WATCH, stepper.cell.locator(".jp-OutputArea").first.element_handle())
    page.wait_for_timeout(1000 * SECONDS)
    watch = page.evaluate("window.watch")
    clicked = page.evaluate("performance.now()")
    stepper.click("Pause")
    page.wait_for_timeout(1500)
    late = [when - clicked for when in page.evaluate("window.watch.times") if when > clicked]
    times = watch["times"]
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    return {
        "pictures": len(times),
        "pictures_per_second": round(1000 * (len(times) - 1) / (times[-1] - times[0]), 1),
        "median_gap_ms": round(statistics.median(gaps), 1),
        "p90_gap_ms": round(gaps[int(0.9 * len(gaps))], 1),
        "screens": watch["screens"],
        "screens_without_picture": watch["empty"],
        "pictures_after_pause": len(late),
        "last_picture_after_pause_ms": round(late[-1], 1) if late else 0.0,
    }


def measure() -> dict:
    """All cases, one after the other in one page."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, browser_page() as page:
        folder = Path(name)
        write_notebook(folder / "stepper.ipynb", [SETUP, *CASES.values()])
        with jupyter_lab(folder) as address:
            open_notebook(page, address, "stepper.ipynb")
            run_all(page)
            load = os.getloadavg()[0]
            cases = {case: measure_case(page, number) for number, case in enumerate(CASES, start=1)}
    return {
        "seconds_a_case": SECONDS,
        "target_pictures_per_second": TARGET,
        "cases": cases,
        "seed": 0,
        "hardware": {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()},
        "load_before": round(load, 2),
        "seconds": round(time.monotonic() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    arguments = parser.parse_args()
    text = json.dumps(measure(), indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
