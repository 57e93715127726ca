"""What can be understood and chosen by rules alone: questions, referring expressions, candidates."""
