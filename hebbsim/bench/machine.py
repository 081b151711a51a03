"""The machine of a run: its name, cores, caches and limits."""

import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.bench.harness import Contender
from hebbsim.doctor import processor_name

KIB = 1024
#: Cache sizes to assume if they are unknown.
USUAL_CACHES = {"L1": 32 * KIB, "L2": 512 * KIB, "L3": 16 * 1024 * KIB}


class Limit(NamedTuple):
    """A rate that the machine cannot exceed."""

    name: str
    #: In `hebbsim.engine.limits`.
    kernel: str
    #: Memory that the kernel works on: ``L1``, ``L2``, ``weights`` (768 KiB) or ``DRAM``.
    memory: str = ""


LIMITS = (
    Limit("FMA peak", "multiply_add"),
    Limit("L1 read+write", "update", "L1"),
    Limit("L2 read+write", "update", "L2"),
    Limit("weights read+write", "update", "weights"),
    Limit("DRAM read+write", "update", "DRAM"),
    Limit("L2 store", "store", "L2"),
    Limit("DRAM store", "store", "DRAM"),
)


def limits() -> list[Contender]:
    """Kernels that reach the limits, as contenders; n is the number of passes."""
    return [_contender(limit) for limit in LIMITS]


def _contender(limit: Limit) -> Contender:
    from hebbsim.engine import limits as kernels

    if limit.kernel == "multiply_add":
        width, half = _best_width(), np.float32(0.5)
        kernel, x = kernels.multiply_add(width), _buffer(width)
        return Contender(
            limit.name, lambda n: lambda: kernel(x, half, half, n), most=2**40,
            unit="GFLOP", scale=2e-9 * width,
        )  # fmt: skip
    sizes = {name: int(0.6 * size) for name, size in caches().items()}
    sizes |= {"weights": 768 * KIB, "DRAM": max(4 * caches()["L3"], 64 * 1024 * KIB)}
    kernel, x = getattr(kernels, limit.kernel), _buffer(sizes[limit.memory] // 4)
    return Contender(
        limit.name, lambda n: lambda: kernel(x, n), most=2**40,
        unit="GB", scale=1e-9 * x.nbytes * (2 if limit.kernel == "update" else 1),
    )  # fmt: skip


@cache
def _best_width() -> int:
    """The width with the highest rate of multiply-adds on this processor."""
    from hebbsim.engine.limits import MULTIPLY_ADD_WIDTHS, multiply_add

    half = np.float32(0.5)

    def rate(width: int) -> float:
        kernel, x = multiply_add(width), _buffer(width)
        kernel(x, half, half, 1)
        began = time.perf_counter()
        kernel(x, half, half, 200_000)
        return width / (time.perf_counter() - began)

    return max(MULTIPLY_ADD_WIDTHS, key=rate)


@cache
def _buffer(length: int) -> NDArray[np.float32]:
    from hebbsim.engine.memory import aligned_empty

    # Starts at a 2 MB boundary of an array so large that NumPy asks for huge pages: with small
    # pages, the usable share of a cache varies.
    array = aligned_empty((length + 2**20,))
    start = -array.ctypes.data % 2**21 // 4
    array = array[start : start + length]
    array[:] = 1
    return array


def describe() -> dict[str, Any]:
    """Name, cores, caches and operating system."""
    return {
        "cpu": processor_name(),
        "cores": os.cpu_count(),
        "caches": caches(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


@cache
def caches() -> dict[str, int]:
    """Sizes in bytes of the data caches of one core; usual sizes if they are unknown."""
    found = dict(USUAL_CACHES)
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level = (index / "level").read_text().strip()
            kind = (index / "type").read_text().strip()
            size = (index / "size").read_text().strip()
        except OSError:
            continue
        if kind != "Instruction" and f"L{level}" in found and size.endswith("K"):
            found[f"L{level}"] = int(size[:-1]) * KIB
    return found
