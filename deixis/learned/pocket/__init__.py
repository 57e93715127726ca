"""The recipes of the pocket networks, which are shipped with the package."""
