"""Pictures, sounds and films: references, decoding, limits, safe fetching."""

from deixis.media.refs import AudioRef, Digest, ImageRef, MediaRef, MediaSource, VideoRef

__all__ = ["AudioRef", "Digest", "ImageRef", "MediaRef", "MediaSource", "VideoRef"]
