"""Chapter 7: LQR, the answer key."""
