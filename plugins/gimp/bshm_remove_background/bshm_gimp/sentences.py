"""The service's sentences in the user's language, found by their stable reasons."""

from __future__ import annotations

from bshm_gimp.i18n import _


def N_(text: str) -> str:  # gettext's own name for "translate this later"
    return text


SENTENCES = {
    "cannot-start": N_(
        "The bshm service did not start: run `bshm serve` in a terminal to see why."
    ),
    "deadline": N_("The service did not answer in time: please try again."),
    "disk-full": N_(
        "There is no room for the pixels: free some memory or disk space and try again."
    ),
    "draining": N_("The service is shutting down: please try again."),
    "engine-hung": N_("The engine did not answer and was ended: please try again."),
    "fallback": N_("BSHM is not in use: `bshm doctor` in a terminal says why."),
    "gpu-out-of-memory": N_(
        "The graphics card's memory is full: close other programs that use it and try again."
    ),
    "layer-empty": N_("The layer is empty: there is nothing but transparency on it."),
    "matte-empty": N_("Nothing was found on this layer: select roughly around the subject."),
    "matte-full": N_("Everything was taken for the subject: select roughly around the subject."),
    "no-person-found": N_("No person was found: select roughly around the subject and try again."),
    "not-installed": N_(
        "The bshm service is not installed for this user: run `pip install bshm-bridge` and "
        "`bshm plugins install` in a terminal, and try again."
    ),
    "protocol-mismatch": N_(
        "Service and plug-in do not understand each other: run `bshm plugins install` and "
        "`bshm stop` in a terminal, and try again."
    ),
    "queue-full": N_("Too many layers are waiting already: please try again later."),
    "service-lost": N_(
        "The bshm service stopped while it was working: nothing was changed, please try again."
    ),
    "too-large": N_("The layer is too large for the service: scale it down and try again."),
    "unauthenticated": N_(
        "The service did not accept this plug-in: run `bshm stop` in a terminal and try again."
    ),
    "unknown-model": N_("There is no such model: choose another one in Remove Background…"),
    "worker-crashed": N_("The engine crashed: nothing was changed, please try again."),
}


def translated(text: str, reason: str) -> str:
    """Return `text` in the user's language, as far as `reason` tells what it says.

    In English, and for a reason without a translation, it is `text` itself: the service
    knows more than these sentences say.
    """
    known = SENTENCES.get(reason, "")
    return _(known) if known and _(known) != known else text
