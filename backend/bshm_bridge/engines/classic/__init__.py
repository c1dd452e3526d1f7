"""The embedded default engine: face detection, GrabCut, closed-form matting."""

from bshm_bridge.engines.classic.session import ClassicEngine, ClassicSession

__all__ = ["ClassicEngine", "ClassicSession"]
