"""Which licences of weights are accepted: some are told at first use, and refused where a policy says so.

``DEIXIS_LICENCES=commercial`` refuses weights that are not for commercial use; unset or ``any`` takes all.
"""

from __future__ import annotations

import logging
import os
import re

from deixis.errors import InputFault

VARIABLE = "DEIXIS_LICENCES"
log = logging.getLogger(__name__)
_told: set[str] = set()


def non_commercial(licence: str) -> bool:
    """Returns whether a licence by its short name forbids commercial use: ``CC-BY-NC-SA-4.0`` does."""
    return re.search(r"(^|[-\s])NC([-\s]|$)|non-?commercial", licence, re.IGNORECASE) is not None


def refused(licence: str) -> bool:
    """Returns whether the policy of this machine refuses a licence.

    Raises:
        InputFault: weights.licence.policy: the policy is not one.
    """
    policy = os.environ.get(VARIABLE, "").strip().lower() or "any"
    if policy not in ("any", "commercial"):
        raise InputFault(
            "weights.licence.policy",
            f"{VARIABLE}={policy} is no policy.",
            f"Set {VARIABLE} to any or commercial, or leave it unset.",
        )
    return policy == "commercial" and non_commercial(licence)


def accept(name: str, licence: str, instead: str = "") -> None:
    """Tells a licence that forbids commercial use, once a process and name, or refuses it.

    Args:
        name: of the weights.
        licence: its short name.
        instead: what may be taken where it is refused.

    Raises:
        InputFault: weights.licence.refused: the policy does not allow it.
    """
    if refused(licence):
        cure = f"Take {instead}; or " if instead else ""
        raise InputFault(
            "weights.licence.refused",
            f"{name} is under {licence}, which {VARIABLE}=commercial refuses.",
            f"{cure}unset {VARIABLE} where the use is not commercial.".capitalize(),
            name=name,
            licence=licence,
        )
    if non_commercial(licence) and name not in _told:
        _told.add(name)
        log.warning(
            "%s is under %s: not for commercial use. %s=commercial refuses such weights.",
            name,
            licence,
            VARIABLE,
        )
