"""Chapter 4: the actor step."""
