"""The illustrated world: how good the tools of a profile are on its test seeds, and outside it."""
