"""The pocket networks: small, shipped with the package, at home in the illustrated world."""
