"""The recipe of the pocket segmenter: scenes, prompts, network, training, files."""
