"""Traces made of the illustrated world, whose truth is known exactly."""
