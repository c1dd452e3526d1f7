"""bshm-bridge: the local matting service, its pixel work and the ``bshm`` command."""

__version__ = "0.1.0"
