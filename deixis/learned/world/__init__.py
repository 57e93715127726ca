"""The illustrated world: made scenes, sounds and films whose truth is known exactly."""
