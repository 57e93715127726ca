"""The stepwise graph: a planner thinks, tools look and listen, every claim is checked, then it answers."""
