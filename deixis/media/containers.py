"""Which files PyAV may open, by their first bytes.

FFmpeg's demuxers include playlists and lists of addresses, which would make a text file reach other
files or the network. So a file is opened only with the one demuxer that its signature names.
"""

from __future__ import annotations

from pathlib import Path

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (8, b"AVI ", "avi"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"OggS", "ogg"),
    (0, b"#!AMR", "amr"),
    (0, b"wvpk", "wv"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
)
"""Offset, bytes there, and FFmpeg's name of the demuxer."""
PICTURE_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis")
"""Brands of ISO files that hold still pictures (ISO/IEC 23008-12)."""
FILMS = frozenset({"mov", "matroska", "avi", "flv", "asf", "mpeg", "mpegts"})
"""Demuxers whose files may hold pictures."""
TS_PACKET = 188


def head_of(source: Path | bytes, count: int = 1024) -> bytes:
    """Returns the first bytes of a file or of bytes."""
    if isinstance(source, bytes):
        return source[:count]
    with source.open("rb") as file:
        return file.read(count)


def demuxer_of(source: Path | bytes) -> str | None:
    """Returns FFmpeg's name of the demuxer for a film or a compressed sound; None for anything else."""
    head = head_of(source)
    if head[4:8] == b"ftyp" and head[8:12] in PICTURE_BRANDS:
        return None
    for offset, sign, demuxer in SIGNATURES:
        if head[offset : offset + len(sign)] == sign:
            return demuxer
    if len(head) > 2 * TS_PACKET and all(head[at] == 0x47 for at in (0, TS_PACKET, 2 * TS_PACKET)):
        return "mpegts"
    return None


def may_be_film(source: Path | bytes) -> bool:
    """Returns whether a file's container may hold pictures; it may as well hold sound only."""
    return demuxer_of(source) in FILMS
