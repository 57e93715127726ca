"""A trained eye as an ONNX file."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from deixis.learned.pocket.outline.publish import OPSET, require_onnx
from deixis.tools.pocket.eye import SIDE

if TYPE_CHECKING:
    import torch

OUTPUTS = ("sure", "boxes", "kinds", "vectors", "picture", "tags")


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.eye`.

    Input ``pictures`` (n, 3, h, w) float32 in -1..1, h and w multiples of 32.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    require_onnx()
    import torch

    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter without onnxscript is called deprecated; the other one needs 30 MB more.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval().to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            (torch.zeros(1, 3, SIDE, SIDE),),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=list(OUTPUTS),
            dynamic_axes={"pictures": {0: "n", 2: "h", 3: "w"}, **{name: {0: "n"} for name in OUTPUTS}},
        )
    return stream.getvalue()
