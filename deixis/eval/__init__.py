"""How good it is: one folder per task, a shared report."""
