"""The recipe of the pocket eye: scenes, network, assignment and loss, training, files."""
