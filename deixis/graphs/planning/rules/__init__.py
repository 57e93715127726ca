"""The planner that goes by rules: it reads the question, looks and listens for what it names, and answers."""
