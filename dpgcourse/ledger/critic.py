"""Chapter 5: the critic."""
