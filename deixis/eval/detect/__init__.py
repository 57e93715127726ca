"""Detection: average precision of the boxes."""
