"""``events.vtt`` and ``events.srt``: what is heard, as subtitles."""

from __future__ import annotations

from pathlib import Path

from deixis.agent.export.protocol import MediaFiles
from deixis.answer import GroundedAnswer
from deixis.store.blobs import write_whole


def stamp(seconds: float, decimal: str) -> str:
    """Returns ``hh:mm:ss.mmm`` with the given decimal mark, rounded to the millisecond."""
    millis = round(seconds * 1000)
    hours, rest = divmod(millis, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, millis = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{decimal}{millis:03d}"


def cues(answer: GroundedAnswer) -> list[tuple[float, float, str]]:
    """Returns (start, end, label) of every span, by start; times in seconds."""
    found = [
        (region.span.start_s, region.span.end_s, " ".join(entity.label.split()))
        for entity in answer.entities
        for region in entity.regions
        if region.span is not None
    ]
    return sorted(found)


class SubtitleExporter:
    """Writes WebVTT and SubRip; nothing where nothing is heard."""

    name = "vtt"

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns the two files written, or none."""
        found = cues(answer)
        if not found:
            return []
        vtt = ["WEBVTT", ""]
        srt: list[str] = []
        for number, (start, end, label) in enumerate(found, 1):
            safe = label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            vtt += [f"{stamp(start, '.')} --> {stamp(end, '.')}", safe, ""]
            srt += [str(number), f"{stamp(start, ',')} --> {stamp(end, ',')}", label.replace("-->", "→"), ""]
        paths = [folder / "events.vtt", folder / "events.srt"]
        write_whole(paths[0], "\n".join(vtt).encode())
        write_whole(paths[1], "\n".join(srt).encode())
        return paths


def export() -> SubtitleExporter:
    """Returns the exporter."""
    return SubtitleExporter()
