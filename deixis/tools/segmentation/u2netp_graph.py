"""The ONNX graph of U2-Net-p without its weights, written by the package ``onnx``.

The architecture is the small U2-Net of Qin et al. 2020 (section 3.2 and table 1 of arXiv:2005.09007):
residual U-blocks of 16 inner and 64 outer channels, six encoder stages, five decoder stages, one
side map per stage, and a fused map. Batch norms are folded into the convolutions of the published
weights, so each convolution has a weight and a bias; they are named by their order of execution,
``conv2d_0`` .. ``conv2d_118``, as that file names them. Any input size works: what is scaled up is
scaled to the size of the map it is joined with. The graph is part of the package; make it again with

    python -m deixis.tools.segmentation.u2netp_graph deixis/tools/segmentation/u2netp.onnx

which needs the extra ``export``. The weights are bound by name when a session is made.
"""

from __future__ import annotations

from typing import Any

from deixis.errors import MissingExtra
from deixis.tools.weightless import weightless, write_to_named

INPUT, LOGITS, MASK = "picture", "logits", "mask"
INNER, OUTER = 16, 64
ENCODER = (7, 6, 5, 4)
"""Depth of the residual U-blocks of stages 1 to 4; stages 5 and 6 are dilated (RSU-4F)."""


class _Writer:
    """Collects nodes and the shapes of the weights that they name."""

    def __init__(self) -> None:
        import onnx

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._convolutions = 0
        self._channels = {INPUT: 3}

    def node(self, kind: str, inputs: list[str], channels: int, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        self._channels[name] = channels
        return name

    def conv(self, x: str, out: int, dilation: int = 1, kernel: int = 3) -> str:
        name = f"conv2d_{self._convolutions}"
        self._convolutions += 1
        self.shapes[f"{name}.weight"] = (out, self._channels[x], kernel, kernel)
        self.shapes[f"{name}.bias"] = (out,)
        return self.node(
            "Conv", [x, f"{name}.weight", f"{name}.bias"], out, kernel_shape=[kernel, kernel],
            pads=[dilation * (kernel // 2)] * 4, dilations=[dilation, dilation],
        )  # fmt: skip

    def active(self, x: str, out: int, dilation: int = 1) -> str:
        return self.node("Relu", [self.conv(x, out, dilation)], out)

    def halved(self, x: str) -> str:
        return self.node("MaxPool", [x], self._channels[x], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)

    def like(self, x: str, other: str) -> str:
        """Scales `x` bilinearly to the height and width of `other` (pixel centres aligned)."""
        size = self.node("Shape", [other], 0, start=2, end=4)
        whole = self.node("Concat", [self.node("Shape", [x], 0, start=0, end=2), size], 0, axis=0)
        return self.node(
            "Resize", [x, "", "", whole], self._channels[x], mode="linear",
            coordinate_transformation_mode="half_pixel",
        )  # fmt: skip

    def joined(self, maps: list[str]) -> str:
        return self.node("Concat", maps, sum(self._channels[one] for one in maps), axis=1)

    def added(self, a: str, b: str) -> str:
        return self.node("Add", [a, b], self._channels[a])

    def block(self, x: str, depth: int) -> str:
        """A residual U-block (RSU-depth): a small U-Net over `x`, added to its first convolution."""
        outer = self.active(x, OUTER)
        levels = [self.active(outer, INNER)]
        for _ in range(depth - 2):
            levels.append(self.active(self.halved(levels[-1]), INNER))
        at = self.active(levels[-1], INNER, dilation=2)
        for index in range(depth - 2, -1, -1):
            at = at if index == depth - 2 else self.like(at, levels[index])
            at = self.active(self.joined([at, levels[index]]), INNER if index else OUTER)
        return self.added(at, outer)

    def dilated(self, x: str) -> str:
        """RSU-4F: the same with dilated convolutions in place of pooling."""
        outer = self.active(x, OUTER)
        levels = [self.active(outer, INNER)]
        for dilation in (2, 4):
            levels.append(self.active(levels[-1], INNER, dilation))
        at = self.active(levels[-1], INNER, dilation=8)
        for index, dilation in ((2, 4), (1, 2), (0, 1)):
            at = self.active(self.joined([at, levels[index]]), INNER if index else OUTER, dilation)
        return self.added(at, outer)

    def network(self) -> None:
        at, stages = INPUT, []
        for depth in ENCODER:
            at = self.block(at, depth)
            stages.append(at)
            at = self.halved(at)
        at = self.dilated(at)
        stages.append(at)
        at = self.dilated(self.halved(at))
        decoded = [at]
        joined = self.joined([self.like(at, stages[4]), stages[4]])
        decoded.insert(0, self.dilated(joined))
        for stage, depth in reversed(list(zip(stages[:4], ENCODER, strict=True))):
            joined = self.joined([self.like(decoded[0], stage), stage])
            decoded.insert(0, self.block(joined, depth))
        sides = [self.conv(decoded[0], 1)]
        sides += [self.like(self.conv(one, 1), sides[0]) for one in decoded[1:]]
        fused = self.conv(self.joined(sides), 1, kernel=1)
        self.nodes.append(
            self.onnx.helper.make_node("Concat", [fused, *sides], [LOGITS], name=LOGITS, axis=1)
        )
        self.nodes.append(self.onnx.helper.make_node("Sigmoid", [fused], [MASK], name=MASK))


def _written() -> _Writer:
    try:
        writer = _Writer()
    except ImportError as error:
        raise MissingExtra("export", "onnx", "Writing the graph of U2-Net-p") from error
    writer.network()
    return writer


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the shape of every weight that the graph names."""
    return dict(_written().shapes)


def graph() -> bytes:
    """Returns the serialised graph: input ``picture`` (n, 3, h, w), outputs ``logits`` and ``mask``.

    ``logits`` (n, 7, h, w) are the fused map and the six side maps before the sigmoid, ``mask``
    (n, 1, h, w) is the fused map in 0..1. The initialisers are external data of a file that does not
    exist; a session must be given them.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    writer = _written()
    return weightless(
        "u2netp",
        writer.nodes,
        writer.shapes,
        inputs={INPUT: ["n", 3, "h", "w"]},
        outputs={LOGITS: ["n", 7, "h", "w"], MASK: ["n", 1, "h", "w"]},
    )


if __name__ == "__main__":
    write_to_named(graph)
