"""The model card of an adapter folder."""

from __future__ import annotations

from typing import Any

TEMPLATE = """---
library_name: deixis
base_model: {base}
tags:
- twin-expert
- forget-free
---

# A twin expert of {base}

A second feed-forward module ({kind}) beside the frozen one in the decoder layers {layers}, with {parameters}
parameters. With the twin switched off the base computes what it always did, bit for bit; the only way left
to forget is that a gate chooses the wrong expert. Method: TWIST & SCOUT (arXiv 2410.10491).

```python
from {base_module} import {base_class}
from deixis.learned.twin import attach

model = {base_class}.from_pretrained("path/of/{base}")
twin = attach(model, "path/of/this/folder")
with twin.using("learn"):
    ...  # model(...) or model.generate(...) with the twin
with twin.using("frozen"):
    ...  # the base
```

| | |
| --- | --- |
| base | {base} ({base_class}, {dtype}); {tensors} tensors are known by digest, another base is refused |
| kind | {kind}{sizes} |
| layers | {layers} |
| gate | {gate} |
| written by | {versions} |

`deixis twin certify BASE THIS_FOLDER` proves the above on your machine. Do not merge a twin into its base:
the merged model would answer everything as the twin does.
"""


def card(config: dict[str, Any]) -> str:
    """Returns the card's text for the settings of an adapter folder."""
    twin, base, gate = config["twin"], config["base"], config["gate"]
    low = f", rank {twin['rank']}" if "lowrank" in twin["kind"] else ""
    mixed = f", {twin['experts']} experts, top {twin['top_k']}" if "experts" in twin["kind"] else ""
    label = "the caller chooses (exact)"
    if gate:
        label = (
            f"{gate['kind']}, {'forget-free but for misroutes' if gate['forget_free'] else 'NOT forget-free'}"
        )
    if twin["router"]:
        label += "; a learned router is included: NOT forget-free where it is used"
    return TEMPLATE.format(
        base=base["name"] or base["model_type"],
        base_class=base["class"],
        base_module=base.get("module", "transformers"),
        kind=twin["kind"],
        sizes=low + mixed,
        layers=", ".join(str(number) for number in config["layers"]),
        parameters=f"{config['parameters']:,}",
        dtype=base["dtype"],
        tensors=len(base["touched"]) + len(base["others"]),
        gate=label,
        versions=", ".join(f"{name} {number}" for name, number in config["versions"].items()),
    )
