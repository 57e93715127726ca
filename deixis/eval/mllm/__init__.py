"""The pocket MLLM and its twin: what they understand, where they point, what is kept, and the baselines."""
