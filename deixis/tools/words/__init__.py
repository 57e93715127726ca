"""Words: names, synonyms, plurals, head nouns and name vectors."""
