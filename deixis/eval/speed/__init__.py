"""Speed: how long an answer takes, what it weighs in memory and on disk, and where the time goes."""
