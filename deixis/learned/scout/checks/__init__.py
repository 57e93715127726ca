"""Independent checks of samples: each is a rule with a name, a counter, and a reason in words."""
