"""A trained outline network as an ONNX file."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from deixis.errors import MissingExtra
from deixis.tools.pocket.outline import INPUT, LOGITS, PLANES, QUALITY, SIDE

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
        raise MissingExtra("export", "onnx", "Writing a pocket network as an ONNX file") from error


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.outline`.

    Input ``planes`` (n, 7, SIDE, SIDE); outputs ``logits`` (n, SIDE, SIDE) and ``quality`` (n,) in 0..1.

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
