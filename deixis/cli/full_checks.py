"""What `deixis doctor` says of the profile full: its files and licences, packages, and memory."""

from __future__ import annotations

from collections.abc import Iterator

from deixis.cli.checks import Finding, memory_bytes, version_of

PROFILES = ("full", "full-more")
PACKAGES = ("torch", "transformers")
SMALL = 10_000_000
"""Bytes of a list of words or the like: one of these alone is no profile that somebody pulled."""
MEMORY = {
    "grounding_dino/grounding-dino-tiny.safetensors": 2.3e9,
    "grounding_dino/groundingdino_swinb_cogcoor.pth": 3.4e9,
    "sam/sam_vit_b_01ec64.pth": 2.5e9,
    "sam/sam_vit_l_0b3195.pth": 4.6e9,
    "sam/sam_vit_h_4b8939.pth": 7.0e9,
    "ram/ram_plus_swin_large_14m.pth": 4.5e9,
    "ram/ram_swin_large_14m.pth": 6.6e9,
    "imagebind/imagebind_huge.pth": 9.5e9,
}
"""Peak bytes of one picture in fp32 on a CPU. Swin-T and ViT-B were measured (800 x 1066 and 1024 x 1024
pixels, random weights); the others are estimates from their parameters."""


def full() -> Iterator[Finding]:
    """Yields, per profile of the large networks, what is here, what it takes, and under which licences."""
    from deixis.tools.weights.licences import VARIABLE, refused
    from deixis.tools.weights.locate import find
    from deixis.tools.weights.manifest import manifest

    memory = memory_bytes()
    for profile in PROFILES:
        listed = [entry for entry in manifest() if entry.profile == profile]
        here = [entry for entry in listed if find(entry) is not None]
        name = f"weights: {profile}"
        licences = ", ".join(sorted({entry.licence for entry in listed}))
        size = f"{sum(entry.size for entry in listed) / 1e9:.1f} GB"
        if not any(entry.size > SMALL for entry in here):
            # Nobody misses what was never wanted: light and pocket run without it.
            text = f"none of {len(listed)} files here ({size}, {licences})"
            text += f"; optional: deixis models pull {profile}"
            yield Finding(name, "ok", text)
            continue
        missing = [entry for entry in listed if entry not in here]
        text = f"{len(here)} of {len(listed)} files ({size} in all, {licences})"
        cure = f"Missing: {', '.join(one.name for one in missing)}. deixis models pull {profile} --only NAME"
        yield Finding(name, "warn" if missing and profile == "full" else "ok", text, cure if missing else "")
        closed = [one.name for one in here if refused(one.licence)]
        if closed:
            cure = f"Not used where {VARIABLE}=commercial: take embedding/embedding-gemma, or unset it."
            yield Finding(f"{profile} licences", "warn", f"refused: {', '.join(closed)}", cure)
        absent = [package for package in PACKAGES if version_of(package) is None]
        if absent:
            cure = "Install them with: pip install 'deixis[learned]'"
            yield Finding(f"{profile} packages", "warn", f"not installed: {', '.join(absent)}", cure)
        large = [one.name for one in here if memory is not None and MEMORY.get(one.name, 0) > 0.8 * memory]
        if large:
            cure = "Take a smaller size, or dtype bf16, or a GPU."
            yield Finding(
                f"{profile} memory", "warn", f"too large for this machine: {', '.join(large)}", cure
            )
