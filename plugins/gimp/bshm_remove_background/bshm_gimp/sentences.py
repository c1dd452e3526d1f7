"""The service's sentences in the user's language, found by their stable reasons."""

from __future__ import annotations

from bshm_gimp.i18n import _


def N_(text: str) -> str:  # gettext's own name for "translate this later"
    return text


SENTENCES = {
    "bad-chain": N_("These two models do not go together: choose another one."),
    "bad-checksum": N_("What was downloaded is damaged and was thrown away: please try again."),
    "cannot-start": N_(
        "The bshm service did not start: run `bshm serve` in a terminal to see why."
    ),
    "cpu-unsupported": N_(
        "This computer's processor lacks what the engine needs: choose another model."
    ),
    "deadline": N_("The service did not answer in time: please try again."),
    "disk-full": N_(
        "There is no room for the pixels: free some memory or disk space and try again."
    ),
    "draining": N_("The service is shutting down: please try again."),
    "engine-backing-off": N_(
        "The engine stopped several times in a row: `bshm doctor` in a terminal says why."
    ),
    "engine-hung": N_("The engine did not answer and was ended: please try again."),
    "engine-not-installed": N_(
        "No engine for this model is installed: run `bshm engines install` in a terminal."
    ),
    "fallback": N_("BSHM is not in use: `bshm doctor` in a terminal says why."),
    "gpu-out-of-memory": N_(
        "The graphics card's memory is full: close other programs that use it and try again."
    ),
    "layer-empty": N_("The layer is empty: there is nothing but transparency on it."),
    "matte-empty": N_("Nothing was found on this layer: select roughly around the subject."),
    "matte-full": N_("Everything was taken for the subject: select roughly around the subject."),
    "needs-trimap": N_(
        "This model needs to know roughly where the subject is: select around it, or paint a "
        "layer named “trimap”."
    ),
    "no-person-found": N_("No person was found: select roughly around the subject and try again."),
    "not-found": N_("The model is not there for download any more: choose another one."),
    "not-installed": N_(
        "The bshm service is not installed for this user: run `pip install bshm-bridge` and "
        "`bshm plugins install` in a terminal, and try again."
    ),
    "offline": N_("The model could not be downloaded: check the network and try again."),
    "protocol-mismatch": N_(
        "Service and plug-in do not understand each other: run `bshm plugins install` and "
        "`bshm stop` in a terminal, and try again."
    ),
    "queue-full": N_("Too many layers are waiting already: please try again later."),
    "runtime-missing": N_(
        "No engine for this model is installed: run `bshm engines install` in a terminal."
    ),
    "service-lost": N_(
        "The bshm service stopped while it was working: nothing was changed, please try again."
    ),
    "temporal-model": N_(
        "This model follows videos and takes no selection or trimap: choose another one."
    ),
    "too-large": N_("The layer is too large for the service: scale it down and try again."),
    "unauthenticated": N_(
        "The service did not accept this plug-in: run `bshm stop` in a terminal and try again."
    ),
    "unknown-model": N_("There is no such model: choose another one in Remove Background…"),
    "worker-crashed": N_("The engine crashed: nothing was changed, please try again."),
    "worker-killed": N_("The computer ran out of memory: close other programs and try again."),
}

# Of these the reason alone would not tell enough.
WHOLE = (N_("BSHM is not installed (`bshm models pull bshm`)."),)


def translated(text: str, reason: str) -> str:
    """Return `text` in the user's language, as far as `reason` tells what it says.

    In English, and for a reason without a translation, it is `text` itself: the service
    knows more than these sentences say.
    """
    if text in WHOLE:
        return _(text)
    known = SENTENCES.get(reason, "")
    return _(known) if known and _(known) != known else text
