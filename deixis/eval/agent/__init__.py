"""Evaluation of the whole loop: episodes of the illustrated world, and real photos and sounds."""
