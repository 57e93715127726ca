"""What is trained: recipes and shipped weights."""
