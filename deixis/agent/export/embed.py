"""Media in a page: inside it as data URIs while they are small, in files beside it when they are not."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.agent.export.protocol import MediaFiles
from deixis.media.refs import AudioRef
from deixis.store.blobs import write_whole

if TYPE_CHECKING:
    from PIL import Image

LIMIT_BYTES = 4_000_000
"""Larger media are written beside the page: browsers get slow over longer data URIs."""
PLAYED = {
    "WAV": ("audio/wav", "wav"),
    "WAVEX": ("audio/wav", "wav"),
    "FLAC": ("audio/flac", "flac"),
    "OGG": ("audio/ogg", "ogg"),
    "MP3": ("audio/mpeg", "mp3"),
    "MPEG": ("audio/mpeg", "mp3"),
}
"""Formats, by the decoder's name, that browsers play as they are; others become WAV."""


class Embedder:
    """Gives media their addresses in a page that will lie in `folder`, and remembers the files it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[Path] = []

    def address(self, data: bytes, mime: str, name: str) -> str:
        """Returns a data URI, or ``media/<name>`` after writing the file there."""
        if len(data) <= LIMIT_BYTES:
            return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
        path = self.folder / "media" / name
        write_whole(path, data)
        self.written.append(path)
        return f"media/{name}"

    def picture(self, image: Image.Image, name: str) -> str:
        """Returns the address of an RGB picture: PNG where that is small (drawings), JPEG otherwise.

        It is always encoded anew: upright, and without the place and time that cameras write into files.
        """
        png, jpeg = io.BytesIO(), io.BytesIO()
        image.save(jpeg, "JPEG", quality=88)
        if len(image.getcolors(4096) or ()) > 0:
            image.save(png, "PNG", optimize=True)
            if png.tell() < jpeg.tell():
                return self.address(png.getvalue(), "image/png", f"{name}.png")
        return self.address(jpeg.getvalue(), "image/jpeg", f"{name}.jpg")

    def sound(self, ref: AudioRef, store: MediaFiles, name: str) -> str:
        """Returns the address of a sound: the original file where browsers play it, WAV (mono) otherwise.

        Raises:
            InputFault: the store does not have it.
        """
        if ref.format.upper() in PLAYED:
            mime, suffix = PLAYED[ref.format.upper()]
            return self.address(store.path(ref.digest).read_bytes(), mime, f"{name}.{suffix}")
        import soundfile

        rate = min(ref.rate_hz, 48_000 if ref.duration_s <= 60 else 16_000)
        wav = io.BytesIO()
        soundfile.write(wav, store.samples(ref, rate), rate, format="WAV", subtype="PCM_16")
        return self.address(wav.getvalue(), "audio/wav", f"{name}.wav")
