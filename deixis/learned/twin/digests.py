"""Digests of tensors, by which a base is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch


def tensor_digest(tensor: torch.Tensor) -> str:
    """Returns ``sha256:...`` over dtype, shape and bytes; wherever the tensor lies."""
    plain = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{plain.dtype} {tuple(plain.shape)}\n".encode())
    digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return f"sha256:{digest.hexdigest()}"


def tensor_digests(tensors: Mapping[str, object]) -> dict[str, str]:
    """Returns the digest of each tensor by name; what is no tensor is passed over."""
    return {name: tensor_digest(value) for name, value in tensors.items() if isinstance(value, torch.Tensor)}


def file_digest(path: Path) -> str:
    """Returns ``sha256:...`` of a file."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Returns the names whose digests differ or that only one side has, in order."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
