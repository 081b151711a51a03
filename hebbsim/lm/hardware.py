"""Devices, processes and peak rates of torch, and reproducible results."""

import contextlib
import ctypes
import math
import os
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch

from hebbsim.errors import BadInputError

#: Peak bf16 operations per second, by a word in the name of the GPU; others are measured.
PEAKS = {"H100": 790e12, "H200": 790e12}

#: glibc's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD (`man mallopt`), in bytes.
_KEEP = {-1: 2**31 - 1, -2: 2**26, -3: 2**25}


def has_gpu() -> bool:
    """Whether a GPU is available for training."""
    return torch.cuda.is_available()


def graphics() -> dict[str, str]:
    """Version of torch, and name and memory of each GPU, as text."""
    if not has_gpu():
        return {"torch": f"{torch.__version__}, no GPU"}
    found = {"torch": f"{torch.__version__}, CUDA {torch.version.cuda}"}
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        found[f"GPU {number}"] = f"{about.name}, {about.total_memory / 2**30:.0f} GiB"
    return found


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread within the block."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def reproducible() -> Iterator[None]:
    """Make torch deterministic, on a CPU with one thread; all state is restored afterwards."""
    _keep_memory()
    deterministic = torch.are_deterministic_algorithms_enabled()
    setting: Any = torch.utils.deterministic  # type: ignore[attr-defined]
    filling = setting.fill_uninitialized_memory
    cuda = has_gpu()
    with (
        torch.random.fork_rng(devices=range(torch.cuda.device_count()) if cuda else []),
        contextlib.nullcontext() if cuda else one_thread(),  # the order of sums depends on it
    ):
        if not cuda:
            torch.use_deterministic_algorithms(True)
            # Nothing here reads uninitialized memory, and filling it takes time.
            setting.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic)
            setting.fill_uninitialized_memory = filling


def _keep_memory() -> None:
    """Make glibc keep freed memory: fetching it anew takes a quarter of a small model's time."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        for option, n_bytes in _KEEP.items():
            libc.mallopt(option, n_bytes)


def make_accelerator() -> Any:
    """Hugging Face Accelerate if torchrun started several processes, else None."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    try:
        from accelerate import Accelerator
    except ImportError:
        raise BadInputError(
            "several processes need the package accelerate; pip install 'hebbsim[lm]'"
        ) from None
    # The training loop sets the precision, in the same way for one process and for several.
    return Accelerator(mixed_precision="no", cpu=not has_gpu())


@cache
def peak_rate(device: torch.device, precision: torch.dtype) -> float:
    """Floating-point operations per second of large matrix products on this device."""
    on_gpu = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if on_gpu else ""
    for word, peak in PEAKS.items():
        if word in name and precision == torch.bfloat16:
            return peak
    size = 8192 if on_gpu else 512
    x = torch.ones(size, size, device=device, dtype=precision)
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        x @ x
        if on_gpu:
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best
