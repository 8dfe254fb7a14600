"""Ctrl-C between two steps instead of in the middle of one."""

from __future__ import annotations

import signal
import threading


class GracefulInterrupt:
    """While active, the first Ctrl-C (or a polite kill) only sets `.requested`; a second Ctrl-C stops at once.

    In JupyterLab the stop button sends the same signal. Outside the main thread signals cannot be caught; there it
    does nothing.

    Attributes:
        requested: whether to stop after this step.
        terminated: whether it was a kill, after which the whole program is to end.
    """

    def __init__(self):
        self.requested = self.terminated = False
        self._previous = {}

    def __enter__(self) -> GracefulInterrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number, frame) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
        self.terminated = number == signal.SIGTERM
