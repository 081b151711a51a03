"""What torch finds to compute on."""

from __future__ import annotations

import torch

__all__ = ["graphics", "has_gpu"]


def has_gpu() -> bool:
    """Whether models train on a GPU."""
    return torch.cuda.is_available()


def graphics() -> dict[str, str]:
    """The version of torch and the GPUs that it sees, in words."""
    if not has_gpu():
        return {"torch": f"{torch.__version__}, no GPU"}
    found = {"torch": f"{torch.__version__}, CUDA {torch.version.cuda}"}
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        found[f"GPU {number}"] = f"{about.name}, {about.total_memory / 2**30:.0f} GiB"
    return found
