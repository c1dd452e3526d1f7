"""What the worker's loop needs of a runtime, and how one is chosen by its engine's name."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

ReportStage = Callable[[str], None]


class Device(NamedTuple):
    """Where a model runs.

    Attributes
    ----------
    kind
        "gpu" or "cpu".
    name
        For people: "NVIDIA GeForce RTX 4070", "CPU".
    notice
        Why it is the CPU although a GPU would have been taken; mostly empty.
    """

    kind: str
    name: str
    notice: str


class Model:
    """A network in memory, ready to run. `TensorFlowModel` and `OnnxModel` are the two."""

    device = Device("cpu", "CPU", "")
    runtime = ""

    input_type: Any = None
    """Numpy type of the network's input."""

    def run(
        self, tensor: Any, extra: Dict[str, Any], also: Sequence[str] = ()
    ) -> Tuple[Any, List[Any]]:
        """Return the network's output for one picture.

        Parameters
        ----------
        tensor
            The main input.
        extra
            Further inputs, by name; they get the types that the network wants.
        also
            Names of further outputs.

        Returns
        -------
        tuple
            The main output, and the further ones in the order of `also`.
        """
        raise NotImplementedError

    def gpu_memory(self) -> int:
        """Bytes of graphics memory in use, 0 where unknown."""
        return 0


def load_model(spec: Dict[str, Any], device: str, report: ReportStage) -> Model:
    """Load the model that `spec` describes in the runtime of this interpreter.

    Parameters
    ----------
    spec
        `engine` (tf1, tf2, onnx), `path`, and the manifest's `input` and `output`.
    device
        auto, gpu or cpu.
    """
    # Imports are here because only one of the runtimes is installed.
    if spec["engine"] == "onnx":
        from bshm_worker.onnx_model import OnnxModel

        return OnnxModel(spec, device, report)
    from bshm_worker.tensorflow_model import TensorFlowModel

    return TensorFlowModel(spec, device, report)


def check_runtime(engine: str) -> Dict[str, Any]:
    """Import the runtime, compute something, and describe it."""
    if engine == "onnx":
        from bshm_worker import onnx_model

        return onnx_model.check()
    from bshm_worker import tensorflow_model

    return tensorflow_model.check(engine)


def choose(device: str, found: List[str], why_none: str) -> Device:
    """Settle on the GPU or the CPU, or say why what was asked for is not there.

    Parameters
    ----------
    device
        auto, gpu or cpu.
    found
        Names of the GPUs that the runtime can use.
    why_none
        A clause.
    """
    from bshm_worker.failures import NO_GPU, Failure

    if device != "cpu" and found:
        return Device("gpu", found[0], "")
    if device == "gpu":
        raise Failure(
            NO_GPU,
            "The graphics card was asked for but cannot be used: %s. Choose “auto” or “cpu” as "
            "the device, or run “bshm doctor”." % why_none,
        )
    notice = "" if device == "cpu" else "Runs on the processor (CPU): %s." % why_none
    return Device("cpu", "CPU", notice)
