"""From which token on the twin computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def invoked_mask(
    ids: torch.Tensor, invocation: tuple[int, ...], before: torch.Tensor | None = None
) -> torch.Tensor:
    """Returns bool [B, T]: true from the first token of the first `invocation` in each row on.

    `before` [B] says which rows have called the twin in an earlier call on the same cache; those are true
    from their first token on. A sequence that is cut by the border of two calls is not found.
    """
    import torch

    rows, length = ids.shape
    width = len(invocation)
    begins = torch.zeros(rows, length, dtype=torch.bool, device=ids.device)
    if length >= width:
        windows = ids.unfold(1, width, 1)
        wanted = torch.tensor(invocation, device=ids.device, dtype=ids.dtype)
        begins[:, : length - width + 1] = (windows == wanted).all(-1)
    mask = begins.cumsum(1) > 0
    if before is not None:
        mask = mask | before.to(ids.device)[:, None]
    return mask
