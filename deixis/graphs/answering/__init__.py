"""Answers by rules: what was seen and heard, put into words without any language model."""
