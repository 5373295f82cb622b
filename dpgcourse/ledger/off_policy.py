"""Chapter 8: off-policy gradients and compatible critics."""
