"""Chapter 11: DDPG."""
