"""Hyperparameters of every algorithm; needs neither torch nor gymnasium."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from dpgcourse.errors import InvalidInputError

FINAL_BOUND = 3e-3  # Lillicrap et al. (2016), §7: starts with actions near the middle of the box
NONNEGATIVE, POSITIVE = "a finite number >= 0", "a finite number > 0"
NOISES = ("gaussian", "ornstein-uhlenbeck")


def require(config: object, rules: Iterable[tuple[str, bool, str]]) -> None:
    """Check fields of a configuration.

    Args:
        config: has the fields.
        rules: field name, whether its value is allowed, and what is allowed in words.

    Raises:
        InvalidInputError: the first field whose value is not allowed, with that value.
    """
    for name, ok, allowed in rules:
        if not ok:
            raise InvalidInputError(f"{name} is {getattr(config, name)!r}; allowed: {allowed}")


def is_integer(value: object, low: int) -> TypeGuard[int]:
    """Whether a value is an int, no bool, and at least low."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def is_number(value: object, low: float = float("-inf")) -> bool:
    """Whether a value is a finite int or float, no bool, and at least low."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return low <= value and float("-inf") < value < float("inf")


def is_positive(value: object) -> bool:
    """Whether a value is a finite number above 0."""
    return is_number(value, 0) and value != 0


@dataclass(frozen=True)
class AgentConfig:
    """What the training loop needs to know of every agent. Own agents may extend it.

    Raises:
        InvalidInputError: a value out of its range; the message names it and what is allowed.
    """

    gamma: float = 0.98
    """Discount of future rewards, 0 <= gamma < 1."""
    batch_size: int = 64
    """Transitions per update, >= 1."""
    sigma: float = 0.2
    """Standard deviation that the exploration noise of either kind reaches, in half-ranges of the
    action, >= 0. The σ of papers with Ornstein-Uhlenbeck noise is sigma · √(2 · ou_theta)."""
    noise_type: str = "gaussian"
    """Exploration noise: gaussian (independent steps) or ornstein-uhlenbeck (correlated steps)."""
    ou_theta: float = 0.15
    """Rate at which Ornstein-Uhlenbeck noise returns to 0, per step, > 0."""

    def __post_init__(self):
        require(
            self,
            (
                ("gamma", is_number(self.gamma, 0) and self.gamma < 1, "0 <= gamma < 1"),
                ("batch_size", is_integer(self.batch_size, 1), "1 or more"),
                ("sigma", is_number(self.sigma, 0), NONNEGATIVE),
                ("noise_type", self.noise_type in NOISES, " or ".join(NOISES)),
                ("ou_theta", is_positive(self.ou_theta), POSITIVE),
            ),
        )


@dataclass(frozen=True)
class DDPGConfig(AgentConfig):
    """Hyperparameters of DDPG, the same for the agent in torch and the one in NumPy.

    Raises:
        InvalidInputError: a value out of its range; the message names it and what is allowed.
    """

    tau: float = 0.01
    """Share of the way that target networks move at each update, 0 < tau <= 1."""
    actor_lr: float = 1e-3
    """Learning rate of the actor's Adam, > 0."""
    critic_lr: float = 1e-3
    """Learning rate of the critic's Adam, > 0."""
    hidden_sizes: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of both networks, each >= 1."""
    critic_action_layer: int = 1
    """Layer of the critic that the action enters; 1 is the first, beside the state."""
    critic_weight_decay: float = 0.0
    """L2 penalty: the critic's loss grows by critic_weight_decay/2 times its squared weights."""
    critic_layer_norm: bool = False
    """Whether each hidden layer of the critic is normalized before its ReLU."""
    n_step: int = 1
    """Rewards that a target adds up before it bootstraps, >= 1."""

    def __post_init__(self):
        super().__post_init__()
        sizes = tuple(self.hidden_sizes) if isinstance(self.hidden_sizes, list | tuple) else ()
        if sizes:
            object.__setattr__(self, "hidden_sizes", sizes)
        widths = bool(sizes) and all(is_integer(size, 1) for size in sizes)
        layer = is_integer(self.critic_action_layer, 1) and self.critic_action_layer <= len(sizes)
        require(
            self,
            (
                ("tau", is_positive(self.tau) and self.tau <= 1, "0 < tau <= 1"),
                ("actor_lr", is_positive(self.actor_lr), POSITIVE),
                ("critic_lr", is_positive(self.critic_lr), POSITIVE),
                ("hidden_sizes", widths, "one or more widths >= 1"),
                ("critic_action_layer", layer, f"1 to {len(sizes)}, the number of hidden layers"),
                ("critic_weight_decay", is_number(self.critic_weight_decay, 0), NONNEGATIVE),
                ("critic_layer_norm", isinstance(self.critic_layer_norm, bool), "True or False"),
                ("n_step", is_integer(self.n_step, 1), "1 or more"),
            ),
        )


@dataclass(frozen=True)
class TD3Config(DDPGConfig):
    """Hyperparameters of TD3: those of DDPG, and its three changes.

    Raises:
        InvalidInputError: a value out of its range; the message names it and what is allowed.

    Source: Fujimoto, van Hoof and Meger (2018), §6.1.
    """

    target_policy_noise: float = 0.2
    """Standard deviation of the noise on the target's action, in half-ranges, >= 0."""
    noise_clip: float = 0.5
    """Bound of that noise, in half-ranges, >= 0."""
    policy_delay: int = 2
    """Critic updates per update of the actor and of the target networks, >= 1."""
    twin_critics: bool = True
    """Whether the target takes the smaller value of two critics, or the value of one."""

    def __post_init__(self):
        super().__post_init__()
        require(
            self,
            (
                ("target_policy_noise", is_number(self.target_policy_noise, 0), NONNEGATIVE),
                ("noise_clip", is_number(self.noise_clip, 0), NONNEGATIVE),
                ("policy_delay", is_integer(self.policy_delay, 1), "1 or more"),
                ("twin_critics", isinstance(self.twin_critics, bool), "True or False"),
            ),
        )


@dataclass(frozen=True)
class SACConfig(DDPGConfig):
    """Hyperparameters of SAC: those of DDPG, and those of its temperature α.

    SAC explores with the actions that it draws from its policy, so sigma and noise_type stay at
    their defaults. So does n_step: the rewards between would lack their entropies.

    Raises:
        InvalidInputError: a value out of its range; the message names it and what is allowed.

    Source: Haarnoja et al. (2018), arXiv:1812.05905, §5 and Table 1.
    """

    sigma: float = 0.0
    """0 and nothing else: SAC's actions are drawn from its policy, and no noise is added."""
    alpha_lr: float = 1e-3
    """Learning rate of the temperature's Adam, which moves log alpha, > 0."""
    initial_alpha: float = 1.0
    """Temperature at the start, in rewards per unit of entropy, > 0."""
    target_entropy: float | None = None
    """Entropy that the temperature holds the policy at, of actions scaled to [-1, 1], in nats;
    default -1 per entry of the action. The uniform policy has 0.69 per entry, no policy more."""

    def __post_init__(self):
        super().__post_init__()
        target = self.target_entropy
        require(
            self,
            (
                ("sigma", self.sigma == 0, "0 for SAC, which draws its actions from its policy"),
                ("noise_type", self.noise_type == NOISES[0], f"{NOISES[0]} for SAC"),
                ("n_step", self.n_step == 1, "1 for SAC"),
                ("alpha_lr", is_positive(self.alpha_lr), POSITIVE),
                ("initial_alpha", is_positive(self.initial_alpha), POSITIVE),
                ("target_entropy", target is None or is_number(target), "a finite number, or None"),
            ),
        )
