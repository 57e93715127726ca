"""The recipe of the pocket ear: made clips, network, training, thresholds, files."""
