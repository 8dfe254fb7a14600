"""Settings for the nbval lanes, where every notebook cell is a test: `pytest --nbval-lax notebooks`."""

import time
from queue import Empty

import pytest

OUTPUT_TIMEOUT = 60  # seconds; nbval waits a fixed 5 for the last output, and a busy machine takes longer


def pytest_collection_modifyitems(config, items):
    cells = [item for item in items if hasattr(item, "output_timeout")]
    for cell in cells:
        cell.output_timeout = OUTPUT_TIMEOUT
        if config.pluginmanager.hasplugin("timeout"):
            # nbval's own timeout comes first: it interrupts the kernel, so that the other cells still end.
            cell.add_marker(pytest.mark.timeout(config.option.nbval_cell_timeout + 2 * OUTPUT_TIMEOUT))
    if cells:
        from nbval.kernel import RunningKernel

        if not hasattr(RunningKernel.get_message, "patient"):
            RunningKernel.get_message = noticing_death(RunningKernel.get_message)


def noticing_death(get_message):
    """nbval's `get_message` in slices of a second: it sees a dead kernel then, not at the cell's timeout."""

    def sliced(kernel, stream, timeout=None):
        deadline = time.monotonic() + timeout if timeout is not None else float("inf")
        while True:
            alive = kernel.is_alive()  # asked first, so that what a dying kernel still sent is read
            try:
                return get_message(kernel, stream, timeout=max(0.0, min(1.0, deadline - time.monotonic())))
            except Empty:
                if not alive:
                    raise RuntimeError("the kernel died while it ran this cell") from None
                if time.monotonic() >= deadline:
                    raise

    sliced.patient = True
    return sliced
