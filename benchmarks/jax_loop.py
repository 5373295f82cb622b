"""DDPG as one JAX program: environment, replay buffer and update in one compiled loop.

The usual way to be fast in JAX on a task that is itself arithmetic: `jax.lax.scan` over the steps,
`jax.vmap` over the seeds, `jax.jit` around both. Nothing outside can look in while it runs.
"""

import time
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import optax

from dpgcourse.agents.config import FINAL_BOUND, DDPGConfig
from dpgcourse.envs.vector_pendulum import DT, GRAVITY, MAX_SPEED, MAX_TORQUE, VectorPendulum

CONFIG = DDPGConfig()
SIGMA = CONFIG.sigma * MAX_TORQUE
LIMIT = VectorPendulum.limit  # steps of an episode
CAPACITY = 1 << 16
OPTIMIZERS = {"actor": optax.adam(CONFIG.actor_lr), "critic": optax.adam(CONFIG.critic_lr)}


def network(key, sizes: tuple[int, ...]) -> list:
    """Weights and biases from U(−1/√inputs, 1/√inputs), the last layer's near zero."""
    layers = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        bound = FINAL_BOUND if i == len(sizes) - 2 else inputs**-0.5
        key, first, second = jax.random.split(key, 3)
        draw = partial(jax.random.uniform, minval=-bound, maxval=bound)
        layers.append((draw(first, (inputs, outputs)), draw(second, (outputs,))))
    return layers


def apply(layers: list, x):
    """Affine layers with ReLU between them."""
    for W, b in layers[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = layers[-1]
    return x @ W + b


def mu(u, s):
    """Actions (B, 1) for states (B, 3)."""
    return MAX_TORQUE * jnp.tanh(apply(u, s))


def q(w, s, a):
    """Values (B,) of states (B, 3) and actions (B, 1)."""
    return apply(w, jnp.concatenate((s, a), -1))[:, 0]


def observe(pendulum):
    """The state (3,) of a pendulum: angle, speed and steps of its episode."""
    theta, speed, _ = pendulum
    return jnp.stack((jnp.cos(theta), jnp.sin(theta), speed))


def pendulum_step(pendulum, torque):
    """The next pendulum, and the reward, as in Gymnasium's Pendulum-v1."""
    theta, speed, elapsed = pendulum
    angle = (theta + jnp.pi) % (2 * jnp.pi) - jnp.pi
    r = -(angle**2 + 0.1 * speed**2 + 0.001 * torque**2)
    acceleration = 1.5 * GRAVITY * jnp.sin(theta) + 3 * torque
    speed = jnp.clip(speed + acceleration * DT, -MAX_SPEED, MAX_SPEED)
    return (theta + speed * DT, speed, elapsed + 1), r


def pendulum_start(key):
    """A new episode."""
    theta, speed = jax.random.uniform(key, (2,), minval=-1.0, maxval=1.0)
    return theta * jnp.pi, speed, jnp.zeros((), int)


def start(key) -> dict:
    """Everything that one seed has at the beginning, the first random transitions not among it."""
    first, second, third, key = jax.random.split(key, 4)
    networks = {
        "actor": network(first, (3, *CONFIG.hidden_sizes, 1)),
        "critic": network(second, (4, *CONFIG.hidden_sizes, 1)),
    }
    return {
        "networks": networks,
        "targets": jax.tree.map(jnp.copy, networks),
        "adam": {name: OPTIMIZERS[name].init(networks[name]) for name in networks},
        "pendulum": pendulum_start(third),
        "replay": jnp.zeros((CAPACITY, 8)),  # s (3), a, r, s' (3); Pendulum never terminates
        "steps": jnp.zeros((), int),
        "key": key,
    }


def update(state: dict, rows) -> dict:
    """One update of one seed from rows (B, 8) of its replay buffer."""
    s, a, r, s_next = rows[:, :3], rows[:, 3:4], rows[:, 4], rows[:, 5:]
    nets, slow = state["networks"], state["targets"]
    y = r + CONFIG.gamma * q(slow["critic"], s_next, mu(slow["actor"], s_next))

    def step(name, loss):
        gradient = jax.grad(loss)(nets[name])
        change, memory = OPTIMIZERS[name].update(gradient, state["adam"][name])
        return optax.apply_updates(nets[name], change), memory

    w, critic_memory = step("critic", lambda w: jnp.mean((y - q(w, s, a)) ** 2))
    u, actor_memory = step("actor", lambda u: -jnp.mean(q(w, s, mu(u, s))))
    new = {"actor": u, "critic": w}
    slow = jax.tree.map(lambda old, fresh: old + CONFIG.tau * (fresh - old), slow, new)
    adam = {"actor": actor_memory, "critic": critic_memory}
    return {**state, "networks": new, "targets": slow, "adam": adam}


def environment_step(state: dict, torque, key) -> dict:
    """Execute a torque and store the transition."""
    s = observe(state["pendulum"])
    pendulum, r = pendulum_step(state["pendulum"], torque)
    row = jnp.concatenate((s, jnp.stack((torque, r)), observe(pendulum)))
    replay = state["replay"].at[state["steps"] % CAPACITY].set(row)
    over = pendulum[2] >= LIMIT
    pendulum = jax.tree.map(partial(jnp.where, over), pendulum_start(key), pendulum)
    return {**state, "pendulum": pendulum, "replay": replay, "steps": state["steps"] + 1}


def random_step(state: dict, _) -> tuple[dict, None]:
    """A step with a random torque and without an update."""
    key, first, second = jax.random.split(state["key"], 3)
    torque = jax.random.uniform(first, minval=-MAX_TORQUE, maxval=MAX_TORQUE)
    return environment_step({**state, "key": key}, torque, second), None


def training_step(state: dict, _) -> tuple[dict, None]:
    """A step of the noisy policy, and an update."""
    key, first, second, third = jax.random.split(state["key"], 4)
    a = mu(state["networks"]["actor"], observe(state["pendulum"])[None])[0, 0]
    torque = jnp.clip(a + SIGMA * jax.random.normal(first), -MAX_TORQUE, MAX_TORQUE)
    state = environment_step({**state, "key": key}, torque, second)
    size = jnp.minimum(state["steps"], CAPACITY)
    index = jax.random.randint(third, (CONFIG.batch_size,), 0, size)
    return update(state, state["replay"][index]), None


def noiseless_step(carry, _):
    """A step of an evaluation: (actor, pendulum, return so far)."""
    u, pendulum, total = carry
    pendulum, r = pendulum_step(pendulum, mu(u, observe(pendulum)[None])[0, 0])
    return (u, pendulum, total + r), None


def evaluate(state: dict, starts):
    """Mean return of one seed's policy over whole episodes from given keys."""

    def episode(key):
        carry = state["networks"]["actor"], pendulum_start(key), 0.0
        return jax.lax.scan(noiseless_step, carry, length=LIMIT)[0][2]

    return jax.vmap(episode)(starts).mean()


def train_in_one_program(
    seeds: int, learning_starts: int, steps: int, eval_every: int = 0, eval_episodes: int = 5
) -> tuple[float, float, jax.Array]:
    """Train; seconds of compilation, seconds of training with evaluations, last mean returns (S,).

    Args:
        seeds: S.
        learning_starts: random steps before.
        steps: steps with an update.
        eval_every: steps between evaluations; 0: none but one at the end, which is not timed.
        eval_episodes: of each evaluation.
    """
    begin = time.perf_counter()
    state = jax.jit(jax.vmap(start))(jax.random.split(jax.random.key(0), seeds))
    starts = jax.random.split(jax.random.key(1), eval_episodes)
    block = eval_every or steps

    @partial(jax.jit, donate_argnums=0)
    def fill(state):
        return jax.vmap(lambda one: jax.lax.scan(random_step, one, length=learning_starts)[0])(
            state
        )

    @partial(jax.jit, donate_argnums=0)
    def run(state):
        return jax.vmap(lambda one: jax.lax.scan(training_step, one, length=block)[0])(state)

    @jax.jit
    def returns(state):
        return jax.vmap(evaluate, (0, None))(state, starts)

    fill = fill.lower(state).compile()
    train = run.lower(state).compile()
    returns = returns.lower(state).compile()
    compiled = time.perf_counter()
    state = jax.block_until_ready(fill(state))
    ready = time.perf_counter()
    for _ in range(steps // block):
        state = train(state)
        if eval_every:
            last = returns(state)
    jax.block_until_ready(state)
    end = time.perf_counter()
    last = returns(state)
    return compiled - begin, end - ready, last
