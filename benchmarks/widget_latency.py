"""How long from a key press on a slider to the new image, in JupyterLab in a headless Chromium?

    python benchmarks/widget_latency.py --json latency.json

The explorer holds the shipped generator of the recipe `dcgan`, width 64, 28x28.
Measured in the page: from the key's event to another `src` of the image, and to the first frame after that
image is decoded. Then a slow generator (100 ms an image) under a key held down: how long it goes on after
the key is let go tells whether old positions queue up.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from jupyter_server import browser_page, jupyter_lab, open_notebook, run_all, write_notebook

PRESSES = 40
TARGET_MS = 100

FAST = """
import time
from gan_course import training
from gan_course.widgets import LatentExplorer

generator, _ = training.load_network("dcgan-mnist", "cpu")
LatentExplorer(generator, generator.latent_dim)
"""
SLOW = """
frames = []
def slow(z):
    time.sleep(0.1)
    frames.append(time.time())
    return generator(z)
LatentExplorer(slow, 100)
"""
WATCH = """() => {
    const picture = document.querySelectorAll('.jp-OutputArea img[alt^="Generated image"]');
    const area = picture[picture.length - 1].closest('.jp-OutputArea');
    const image = () => area.querySelector('img[alt^="Generated image"]');
    const watch = window.watch = {pressed: 0, src: image().src, changes: []};
    document.addEventListener('keydown', () => { watch.pressed = performance.now(); }, true);
    new MutationObserver(async () => {
        const now = image();
        if (!now || now.src === watch.src) return;
        watch.src = now.src;
        const change = {pressed: watch.pressed, changed: performance.now()};
        await now.decode();
        await new Promise(requestAnimationFrame);
        change.shown = performance.now();
        watch.changes.push(change);
    }).observe(area, {childList: true, subtree: true, attributes: true});
}"""


def watch_last_explorer(page) -> None:
    """Put the focus on the first slider of the last explorer, and start to note when its image changes."""
    page.evaluate(WATCH)
    page.locator(".jp-OutputArea:has(img)").last.locator("[role=slider]").first.focus()


def single_presses(page) -> list[dict]:
    """One key at a time, each after the image of the one before."""
    for number in range(PRESSES):
        page.keyboard.press("ArrowRight" if number < PRESSES // 2 else "ArrowLeft")
        page.wait_for_function(f"window.watch.changes.length > {number}")
        page.wait_for_timeout(50)
    return page.evaluate("window.watch.changes")


def held_key(page) -> dict:
    """Twenty-five presses 40 ms apart, then wait until the image has stopped changing."""
    for _ in range(25):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(40)
    page.wait_for_timeout(3000)
    changes = page.evaluate("window.watch.changes")
    return {
        "generator_ms": 100,
        "presses": 25,
        "images": len(changes),
        "last_press_to_last_image_ms": round(changes[-1]["changed"] - changes[-1]["pressed"], 1),
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def measure() -> dict:
    """Run both measurements; returns what is printed."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, browser_page() as page:
        folder = Path(name)
        write_notebook(folder / "fast.ipynb", [FAST])
        write_notebook(folder / "slow.ipynb", [FAST, SLOW])
        with jupyter_lab(folder) as address:
            open_notebook(page, address, "fast.ipynb")
            run_all(page)
            watch_last_explorer(page)
            changes = single_presses(page)
            open_notebook(page, address, "slow.ipynb")
            run_all(page)
            watch_last_explorer(page)
            held = held_key(page)
    changed = sorted(change["changed"] - change["pressed"] for change in changes)
    shown = [change["shown"] - change["pressed"] for change in changes]
    return {
        "presses": len(changed),
        "median_ms": round(statistics.median(changed), 1),
        "p90_ms": round(changed[int(0.9 * len(changed))], 1),
        "max_ms": round(changed[-1], 1),
        "median_until_shown_ms": round(statistics.median(shown), 1),
        "target_ms": TARGET_MS,
        "held_key": held,
        "hardware": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
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
