"""Lets torchvision's Python part be imported beside a CPU torch; only for environments that make fixtures."""

from __future__ import annotations


def torchvision_on_cpu() -> None:
    """Defines the operators whose fake kernels torchvision registers; its compiled part stays unused."""
    import torch

    for name in ("nms", "qnms"):
        torch.library.define(
            f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
