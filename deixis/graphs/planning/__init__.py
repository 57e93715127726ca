"""Who decides the next step of a stepwise run: one protocol, and the planners that come with deixis."""
