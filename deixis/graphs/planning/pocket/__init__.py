"""The planner that is shipped: the pocket MLLM and its twin write the next step as tokens of SCOUT's form."""
