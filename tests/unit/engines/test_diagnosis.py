from __future__ import annotations

import pytest

from bshm_bridge.engines import diagnosis
from bshm_bridge.errors import Exhausted, MattingError, NotReady, Unavailable
from bshm_worker.failures import Failure, explain

TF1_LOG = """
2026-01-01 I tensorflow/stream_executor: Successfully opened dynamic library libcuda.so.1
W Could not load dynamic library 'libcudart.so.10.0'; dlerror: libcudart.so.10.0: cannot open \
shared object file: No such file or directory
W Could not load dynamic library 'libcudnn.so.7'; dlerror: libcudnn.so.7: cannot open shared \
object file: No such file or directory
"""
ORT_LOG = (
    "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: "
    "cannot open shared object file: No such file or directory"
)


def test_missing_libraries_are_named_once_each() -> None:
    assert diagnosis.missing_libraries(TF1_LOG) == ["libcudart.so.10.0", "libcudnn.so.7"]
    assert diagnosis.missing_libraries(ORT_LOG) == ["libcublasLt.so.12"]


def test_a_notice_about_libraries_names_them() -> None:
    notice = diagnosis.with_libraries("Runs on the CPU: CUDA libraries are missing.", TF1_LOG)
    assert notice.endswith("Missing: libcudart.so.10.0, libcudnn.so.7.")


def test_a_notice_about_the_driver_does_not() -> None:
    notice = "Runs on the CPU: no NVIDIA driver is installed."
    assert diagnosis.with_libraries(notice, TF1_LOG) == notice


@pytest.mark.parametrize(
    ("code", "log", "kind", "reason"),
    [
        (-9, "", Unavailable, "worker-killed"),
        (-4, "", NotReady, "cpu-unsupported"),
        (-11, "", Unavailable, "worker-crashed"),
        (1, "", Unavailable, "worker-crashed"),
        (-6, "F CUDA_ERROR_OUT_OF_MEMORY: out of memory", Exhausted, "gpu-out-of-memory"),
        (-6, "terminate called after std::bad_alloc", Exhausted, "gpu-out-of-memory"),
        (
            -6,
            "F The TensorFlow library was compiled to use AVX instructions, but these aren't "
            "available on your machine.",
            NotReady,
            "cpu-unsupported",
        ),
        (-11, "I This TensorFlow binary uses AVX2 AVX512F FMA", Unavailable, "worker-crashed"),
    ],
)
def test_crashes_get_reasons(code: int, log: str, kind: type[MattingError], reason: str) -> None:
    error = diagnosis.crash(code, log)
    assert type(error) is kind
    assert error.reason == reason


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's own."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ResourceExhaustedError("tensor with shape[1,1024]"), "gpu-out-of-memory"),
        (RuntimeError("Failed to allocate memory for requested buffer"), "gpu-out-of-memory"),
        (RuntimeError("CUDA error 2: out of memory"), "gpu-out-of-memory"),
        (MemoryError(), "gpu-out-of-memory"),
        (RuntimeError("Failed to get convolution algorithm."), "gpu-library"),
        (RuntimeError("no kernel image is available for execution"), "gpu-library"),
        (RuntimeError("CUDA driver version is insufficient"), "gpu-driver"),
        (ValueError("something else at /home/jo/x"), "inference-failed"),
        (Failure("wrong-graph", "As it is."), "wrong-graph"),
    ],
)
def test_what_runtimes_raise_gets_reasons(error: Exception, reason: str) -> None:
    failure = explain(error)
    assert failure.reason == reason
    assert "/home" not in failure.message


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("gpu-out-of-memory", Exhausted),
        ("wrong-graph", NotReady),
        ("gpu-not-available", NotReady),
        ("inference-failed", Unavailable),
        ("of-a-newer-worker", MattingError),
    ],
)
def test_reasons_become_errors(reason: str, kind: type[MattingError]) -> None:
    error = diagnosis.error_from(reason, "So it is.", "")
    assert type(error) is kind
    assert error.reason == reason
