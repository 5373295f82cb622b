"""Chapter 6: the deterministic policy gradient theorem."""
