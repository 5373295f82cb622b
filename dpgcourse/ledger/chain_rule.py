"""Chapter 2: the chain rule."""
