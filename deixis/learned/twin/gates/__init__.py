"""Who decides between the frozen expert and the twin: a caller, a marker, a classifier of the prompt."""
