"""The stages: understand trains the base, ground the twin beside it, gate what chooses between them."""
