"""The nodes of the graphs, one file each. Every node returns a small change of the state."""
