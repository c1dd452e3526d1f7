"""Krita plugin: removes the background of layers with the bshm service on this machine."""

try:
    from krita import Krita  # noqa: F401
except ImportError:  # imported by a test, outside of Krita
    pass
else:
    import krita

    from .extension import register

    register(krita)
