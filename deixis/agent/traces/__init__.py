"""Runs on record: gone on with, replayed, forked, compared, made into training samples, removed."""
