"""Answers made visible: colours, overlays, tiles, the terminal."""
