"""Several questions about the same media: what words mean that point back, and ids that stay the same."""
