"""What runs inside an engine's interpreter: Python 3.7 or later, numpy and one runtime.

It never imports `bshm_bridge`: the service's packages belong to another Python.
"""

PROTOCOL = 2
"""Changes when a worker and a service of different versions could not talk any more."""
