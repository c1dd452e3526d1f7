"""Known failures of runtimes, as reasons for programs and sentences for designers."""

from __future__ import annotations

import re
from typing import Tuple


class Failure(Exception):
    """Something that has a known cause.

    Attributes
    ----------
    reason
        A stable word.
    message
        A sentence that says what to do next; it names no file-system path.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


OUT_OF_MEMORY = "gpu-out-of-memory"
WRONG_GRAPH = "wrong-graph"
NO_GPU = "gpu-not-available"
GPU_LIBRARY = "gpu-library"
RUNTIME_BROKEN = "runtime-broken"
INFERENCE_FAILED = "inference-failed"

_PATTERNS = (
    (
        r"out of memory|OOM when allocating|failed to allocate|Failed to allocate memory"
        r"|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
        r"|Dst tensor is not initialized|E_OUTOFMEMORY|bad_alloc|ran out of memory",
        OUT_OF_MEMORY,
        "There was not enough graphics memory for this picture; close other programs that use "
        "the graphics card, or choose the processor (CPU) as the device.",
    ),
    (
        r"Failed to get convolution algorithm|DNN library (is not found|initialization failed)"
        r"|CUDNN_STATUS_(NOT_INITIALIZED|ARCH_MISMATCH|VERSION_MISMATCH)"
        r"|CUBLAS_STATUS_NOT_INITIALIZED|no kernel image is available|cudaErrorNoKernelImage"
        r"|CUDA_ERROR_(NO_BINARY_FOR_GPU|INVALID_PTX|UNSUPPORTED_PTX_VERSION)",
        GPU_LIBRARY,
        "The engine's CUDA libraries do not work with this graphics card and its driver; run "
        "“bshm doctor”, or choose the processor (CPU) as the device.",
    ),
    (
        r"driver version is insufficient|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
        r"|kernel version .* does not match DSO version|Driver/library version mismatch",
        "gpu-driver",
        "The graphics driver does not fit the engine's CUDA version; update the driver, restart "
        "the computer and try again.",
    ),
)


def explain(error: BaseException) -> Failure:
    """Turn what a runtime raised into a failure; unknown causes keep their type's name."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, MemoryError):
        return Failure(
            OUT_OF_MEMORY,
            "There was not enough memory for this picture; close other programs and try again.",
        )
    text = "%s: %s" % (type(error).__name__, error)
    for pattern, reason, message in _PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(reason, message)
    if type(error).__name__ == "ResourceExhaustedError":
        return Failure(OUT_OF_MEMORY, _PATTERNS[0][2])
    return Failure(
        INFERENCE_FAILED,
        "The engine could not run the model (%s); the engine's log has the details."
        % type(error).__name__,
    )


def wrong_graph(detail: str) -> Failure:
    return Failure(
        WRONG_GRAPH,
        "The model's file does not fit its manifest: %s. Remove the model and install it again, "
        "or correct its manifest." % detail,
    )


def first_names(names: Tuple[str, ...], limit: int = 8) -> str:
    """Return a list of tensor names for a message, cut where it is long."""
    shown = ", ".join(name[:60] for name in names[:limit])
    return shown + (", …" if len(names) > limit else "") if shown else "none"
