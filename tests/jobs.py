"""Jobs of worker processes; a file of its own, for a worker imports it and what it imports."""

import os
import time


class Square:
    """A job that no earlier run has kept, or one that was."""

    def __init__(self, number, kept=None):
        self.number, self.kept = number, kept

    def load(self):
        return self.kept

    def run(self):
        time.sleep(0.05 * (3 - self.number))  # so that jobs do not end in the order they began
        return self.number**2


class Vanish(Square):
    def run(self):
        os._exit(1)


class FinishLate(Square):
    def run(self):
        time.sleep(3)
        self.number.write_text("finished")


class Priority(Square):
    def run(self):
        return os.nice(0)
