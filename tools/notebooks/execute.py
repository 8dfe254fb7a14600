"""A fresh run of a lesson's notebook."""

import copy
import json
import os
import subprocess
import time

from nbformat import v4

from tools.notebooks.course import LessonError
from tools.notebooks.modules import digest
from tools.notebooks.outputs import cleaned, code_cells, store

CELL_TIMEOUT = 900  # seconds; training in a lesson takes at most 300 in the laptop profile
PROBE = """
import json, os, platform, sys
torch = sys.modules.get("torch")
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
gpu = "no GPU"
if torch and torch.cuda.is_available():
    gpu = torch.cuda.get_device_name(0)
elif torch and torch.backends.mps.is_available():
    gpu = "Apple GPU"
versions = f"Python {platform.python_version()}" + (f", torch {torch.__version__}" if torch else "")
print(json.dumps(f"{cores} CPU cores, {gpu if torch else 'torch not used'}; {versions}"))
"""


def execute(course, name, notebook):
    """Run all cells in notebooks/, in the laptop profile unless the environment says otherwise."""
    profile = os.environ.get("GAN_COURSE_PROFILE", "laptop")
    environment = {key: value for key, value in os.environ.items() if key != "COURSE_STRICT"}
    environment["GAN_COURSE_PROFILE"] = profile
    run = copy.deepcopy(notebook)
    run.cells.append(v4.new_code_cell(PROBE))  # the lesson's own kernel knows best what it ran on
    before = digest(course, name)
    seconds = run_cells(course, name, run, environment)
    *cells, probe = code_cells(run.cells)
    for cell in cells:
        cell.outputs = cleaned(cell.outputs)
    hardware = json.loads(probe.outputs[0].text)
    store(notebook, cells, {"profile": profile, "seconds": seconds, "digest": before, "hardware": hardware})
    return notebook


def run_cells(course, name, run, environment):
    """Execute the notebook in place; the seconds that it took. Trouble is a sentence with lesson and cell."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    at = {}
    course.notebooks.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        run,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(course.notebooks)}},
        record_timing=False,
        store_widget_state=False,
        force_raise_errors=True,
        on_cell_start=lambda cell, cell_index: at.update(index=cell_index),
    )
    start = time.perf_counter()
    try:
        client.execute(env=environment, stderr=subprocess.DEVNULL)  # the kernel process's own noise
    except CellExecutionError as error:
        raise LessonError(
            f"{place(name, run, at)} raised {first_line(f'{error.ename}: {error.evalue}')}"
        ) from None
    except CellTimeoutError:
        raise LessonError(f"{place(name, run, at)} took more than {CELL_TIMEOUT} seconds.") from None
    except (
        RuntimeError
    ) as error:  # what nbclient and jupyter_client raise for a kernel that is lost, or never comes
        raise LessonError(f"{place(name, run, at)}: the kernel died ({first_line(error)}).") from None
    return round(time.perf_counter() - start, 1)


def place(name, run, at):
    """'02_vanilla_gan, code cell 7 ("loss = ...")'; before the first cell only the lesson's name."""
    if "index" not in at:
        return name
    cells = run.cells[: at["index"] + 1]
    return f"{name}, code cell {len(code_cells(cells))} ({first_line(cells[-1].source)!r})"


def first_line(text):
    return str(text).strip().partition("\n")[0]
