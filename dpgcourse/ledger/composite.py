"""Chapter 1: a composite function."""
