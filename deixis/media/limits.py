"""How much of a stranger's medium is taken in; one place for all limits."""

from __future__ import annotations

from pydantic import Field

from deixis.geometry import Frozen

MB = 1_000_000


class Limits(Frozen):
    """Limits on media. Above them an `InputFault` names the limit and what to do."""

    max_file_bytes: int = Field(default=1000 * MB, ge=1)
    max_fetch_bytes: int = Field(default=100 * MB, ge=1, description="for media given by address")
    fetch_timeout_s: float = Field(default=20.0, gt=0)
    max_redirects: int = Field(default=5, ge=0)
    max_pixels: int = Field(default=200_000_000, ge=1, description="width × height; 10,000 × 10,000 passes")
    max_decode_bytes: int = Field(
        default=1000 * MB, ge=1, description="memory that decoding a picture other than JPEG may take"
    )
    max_work_side: int = Field(
        default=4096, ge=64, description="longer side of the decoded copy that tools and pages work on"
    )
    max_audio_s: float = Field(default=7200.0, gt=0)
    max_samples_bytes: int = Field(
        default=1000 * MB, ge=1, description="memory that the mono copy of a sound may take"
    )
    max_rate_hz: int = Field(default=384_000, ge=1)
    max_channels: int = Field(default=64, ge=1)
    max_not_finite: float = Field(
        default=0.01, ge=0, le=1, description="share of NaN or infinite samples that is set to 0"
    )


DEFAULT = Limits()
