"""A trained refiner as files: the ONNX network and its card."""

from __future__ import annotations

import io
import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault, MissingExtra
from deixis.tools.segmentation.planes import PLANES, SIDE
from deixis.tools.segmentation.refiner import INPUT, LOGITS, QUALITY

if TYPE_CHECKING:
    import torch

OPSET = 17


def require_onnx() -> None:
    """Says nothing where the package ``onnx`` is installed, which PyTorch's exporter needs.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingExtra("export", "onnx", "Writing the refiner as an ONNX file") from error


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.segmentation.refiner`.

    Input ``planes`` (n, 16, SIDE, SIDE); outputs ``logits`` (n, SIDE, SIDE) and ``quality`` (n,) in 0..1.
    Batch norms are folded into the convolutions by the exporter.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    require_onnx()
    import torch

    class Deployed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits, quality = self.network(planes)
            return logits, torch.sigmoid(quality)

    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter without onnxscript is called deprecated; the other one needs 30 MB more.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Deployed().eval().to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            (torch.zeros(1, PLANES, SIDE, SIDE),),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[LOGITS, QUALITY],
            dynamic_axes={name: {0: "n"} for name in (INPUT, LOGITS, QUALITY)},
        )
    return stream.getvalue()


def write_files(network: bytes, card: dict[str, Any], to: Path) -> Path:
    """Returns the path of the card, written beside the network at `to` (a name that ends in .onnx).

    Each file appears whole or not at all.

    Raises:
        InputFault: the folder cannot be written.
    """
    card_path = to.with_suffix(".json")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        for path, content in ((to, network), (card_path, (json.dumps(card, indent=1) + "\n").encode())):
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        raise InputFault(
            "train.out.unwritable",
            f"{to} cannot be written: {error.strerror or error}.",
            "Name another file with --out.",
        ) from error
    return card_path
