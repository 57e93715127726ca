"""What a step of the ear's training is, and how its vectors are fitted afterwards.

The network learns the activity of each kind alone. Its vectors are one more linear layer on the same
features, fitted by ridge regression once the rest is trained: the vector of a frame is to be the sum of
the words' vectors of what sounds in it. So the space of words may change without hearing anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

BATCH = 32
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.02
SOUNDING = 1.5
"""Weight of frames in which a kind sounds: most kinds are silent most of the time."""
LARGEST_GRADIENT = 2.0
RIDGE = 1e-3


def loss_of(
    network: torch.nn.Module,
    pictures: NDArray[np.float32],
    activity: NDArray[np.float32],
    bfloat16: bool = True,
) -> torch.Tensor:
    """Returns the cross-entropy of the activities, summed over kinds, averaged over frames."""
    import torch
    from torch.nn import functional

    given, wanted = torch.from_numpy(pictures), torch.from_numpy(activity)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits, _ = network(given)
    entropy = functional.binary_cross_entropy_with_logits(
        logits.float(), wanted, pos_weight=torch.tensor(SOUNDING)
    )
    return entropy * wanted.shape[-1]


def fitted_vectors(
    features: NDArray[np.float32], activity: NDArray[np.float32], anchors: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns weight (DIM, width) and bias (DIM,) of the layer that makes vectors of features.

    Args:
        features: (n, width), frames of clips that the network was trained on.
        activity: (n, kinds), the truth of these frames in 0..1.
        anchors: (kinds, DIM), the unit vector of what makes each kind.
    """
    wanted = activity.astype(np.float64) @ anchors.astype(np.float64)
    given = np.concatenate([features.astype(np.float64), np.ones((len(features), 1))], axis=1)
    square = given.T @ given / len(given)
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    solved = np.linalg.solve(square, given.T @ wanted / len(given))
    return solved[:-1].T.astype(np.float32), solved[-1].astype(np.float32)
