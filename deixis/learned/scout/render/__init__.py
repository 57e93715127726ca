"""Samples as training text: chat turns, with places written in any grounded text format."""
