"""The ONNX graph of EfficientAT mn04 without its weights, written by the package ``onnx``.

The architecture is MobileNetV3-Large (Howard et al. 2019, table 1) at width 0.4 over a log-mel picture
of one channel, as EfficientAT uses it (Schmid et al. 2023): squeeze-and-excitation over channels with
a sigmoid gate after the depthwise convolution, average pooling over time and frequency, two linear
layers. Batch norms are folded into the convolutions (`deixis.tools.hearing.mn04_weights`), so each
convolution has a weight and a bias. The graph is part of the package; make it again with

    python -m deixis.tools.hearing.mn04_graph deixis/tools/hearing/mn04.onnx

which needs the extra ``export``. The weights are bound by name when a session is made.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deixis.errors import MissingExtra
from deixis.tools.weightless import weightless, write_to_named

INPUT, SCORES, EMBEDDING = "mel", "scores", "embedding"
CLASSES, WIDTH, HEAD = 527, 384, 512


class Block(NamedTuple):
    """An inverted residual block: depthwise `kernel` over `expanded` channels, then `out` channels.

    `squeeze`: channels of the squeeze-and-excitation bottleneck, 0 for none; `hard`: hard-swish
    instead of ReLU.
    """

    kernel: int
    expanded: int
    out: int
    squeeze: int
    hard: bool
    stride: int


BLOCKS = (
    Block(3, 8, 8, 0, False, 1),
    Block(3, 24, 16, 0, False, 2),
    Block(3, 32, 16, 0, False, 1),
    Block(5, 32, 16, 8, False, 2),
    Block(5, 48, 16, 16, False, 1),
    Block(5, 48, 16, 16, False, 1),
    Block(3, 96, 32, 0, True, 2),
    Block(3, 80, 32, 0, True, 1),
    Block(3, 72, 32, 0, True, 1),
    Block(3, 72, 32, 0, True, 1),
    Block(3, 192, 48, 48, True, 1),
    Block(3, 272, 48, 72, True, 1),
    Block(5, 272, 64, 72, True, 2),
    Block(5, 384, 64, 96, True, 1),
    Block(5, 384, 64, 96, True, 1),
)
STEM = 8


class _Writer:
    """Collects nodes and the shapes of the weights that they name."""

    def __init__(self) -> None:
        import onnx

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.shapes: dict[str, tuple[int, ...]] = {}

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, name: str, into: int, out: int, kernel: int = 1, stride: int = 1,
             groups: int = 1) -> str:  # fmt: skip
        self.shapes[f"{name}.weight"] = (out, into // groups, kernel, kernel)
        self.shapes[f"{name}.bias"] = (out,)
        return self.node(
            "Conv", [x, f"{name}.weight", f"{name}.bias"], name, kernel_shape=[kernel, kernel],
            strides=[stride, stride], pads=[kernel // 2] * 4, group=groups,
        )  # fmt: skip

    def linear(self, x: str, name: str, into: int, out: int) -> str:
        self.shapes[f"{name}.weight"] = (out, into)
        self.shapes[f"{name}.bias"] = (out,)
        return self.node("Gemm", [x, f"{name}.weight", f"{name}.bias"], name, transB=1)

    def activation(self, x: str, hard: bool) -> str:
        return self.node("HardSwish" if hard else "Relu", [x], f"{x}.active")

    def pooled(self, x: str) -> str:
        mean = self.node("GlobalAveragePool", [x], f"{x}.mean")
        return self.node("Flatten", [mean], f"{x}.flat", axis=1)

    def excited(self, x: str, name: str, channels: int, squeeze: int) -> str:
        """Scales each channel by a gate that is computed from the channels' means."""
        inner = self.activation(self.linear(self.pooled(x), f"{name}.fc1", channels, squeeze), hard=False)
        gate = self.node("Sigmoid", [self.linear(inner, f"{name}.fc2", squeeze, channels)], f"{name}.gate")
        shaped = self.node("Unsqueeze", [gate, "gate_axes"], f"{name}.shaped")
        return self.node("Mul", [x, shaped], f"{name}.scaled")

    def block(self, x: str, index: int, into: int, block: Block) -> str:
        name, at = f"features.{index}", x
        if block.expanded != into:
            at = self.activation(self.conv(at, f"{name}.expand", into, block.expanded), block.hard)
        at = self.conv(at, f"{name}.depth", block.expanded, block.expanded, block.kernel, block.stride,
                       block.expanded)  # fmt: skip
        at = self.activation(at, block.hard)
        if block.squeeze:
            at = self.excited(at, f"{name}.squeeze", block.expanded, block.squeeze)
        at = self.conv(at, f"{name}.project", block.expanded, block.out)
        if block.stride == 1 and block.out == into:
            at = self.node("Add", [at, x], f"{name}.sum")
        return at


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the shape of every weight that the graph names."""
    return dict(_written().shapes)


def _written() -> _Writer:
    try:
        writer = _Writer()
    except ImportError as error:
        raise MissingExtra("export", "onnx", "Writing the graph of mn04") from error
    at = writer.activation(writer.conv(INPUT, "features.0", 1, STEM, 3, 2), hard=True)
    into = STEM
    for index, block in enumerate(BLOCKS, start=1):
        at, into = writer.block(at, index, into, block), block.out
    at = writer.activation(writer.conv(at, f"features.{len(BLOCKS) + 1}", into, WIDTH), hard=True)
    embedding = writer.node("Identity", [writer.pooled(at)], EMBEDDING)
    hidden = writer.activation(writer.linear(embedding, "classifier.hidden", WIDTH, HEAD), hard=True)
    logits = writer.linear(hidden, "classifier.out", HEAD, CLASSES)
    writer.node("Sigmoid", [logits], SCORES)
    return writer


def graph() -> bytes:
    """Returns the serialised graph: input ``mel`` (n, 1, 128, frames), outputs ``scores`` and ``embedding``.

    Its initialisers are external data of a file that does not exist; a session must be given them.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    writer = _written()
    return weightless(
        "mn04",
        writer.nodes,
        writer.shapes,
        inputs={INPUT: ["n", 1, 128, "frames"]},
        outputs={SCORES: ["n", CLASSES], EMBEDDING: ["n", WIDTH]},
        constants={"gate_axes": [2, 3]},
    )


if __name__ == "__main__":
    write_to_named(graph)
