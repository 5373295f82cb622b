"""Chapter 11: the agent's hyperparameters, the same for the agent by hand and the one in torch."""

from dataclasses import dataclass

FINAL_BOUND = 3e-3  # Lillicrap et al. (2016), §7: starts with actions near the middle of the box


@dataclass(frozen=True)
class DDPGConfig:
    """Hyperparameters of the agent.

    Raises:
        ValueError: a value out of its range; the message names it and what is allowed.
    """

    gamma: float = 0.98
    """Discount of future rewards, 0 <= gamma < 1."""
    tau: float = 0.01
    """Share of the way that target networks move at each update, 0 < tau <= 1."""
    actor_lr: float = 1e-3
    """Learning rate of the actor's Adam, > 0."""
    critic_lr: float = 1e-3
    """Learning rate of the critic's Adam, > 0."""
    batch_size: int = 64
    """Transitions per update, >= 1."""
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of both networks, each >= 1."""
    action_layer: int = 1
    """Layer of the critic that the action enters; 1 is the first, beside the state."""
    critic_l2: float = 0.0
    """L2 penalty of the critic: its loss grows by critic_l2/2 times the squared weights, >= 0."""
    sigma: float = 0.2
    """Standard deviation of the exploration noise, in half-ranges of the action, >= 0."""

    def __post_init__(self):
        for name, ok, allowed in (
            ("gamma", 0 <= self.gamma < 1, "0 <= gamma < 1"),
            ("tau", 0 < self.tau <= 1, "0 < tau <= 1"),
            ("actor_lr", 0 < self.actor_lr < float("inf"), "a finite number > 0"),
            ("critic_lr", 0 < self.critic_lr < float("inf"), "a finite number > 0"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("hidden", bool(self.hidden) and min(self.hidden) >= 1, "one or more widths >= 1"),
            (
                "action_layer",
                1 <= self.action_layer <= len(self.hidden),
                f"1 to {len(self.hidden)}, the number of hidden layers",
            ),
            ("critic_l2", 0 <= self.critic_l2 < float("inf"), "a finite number >= 0"),
            ("sigma", 0 <= self.sigma < float("inf"), "a finite number >= 0"),
        ):
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: {allowed}")
