"""Tags: the one thing of a picture by its name and its kind, and the things of a scene."""
