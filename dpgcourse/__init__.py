"""Deterministic policy gradients: the package behind the course, and a small library to reuse.

    import dpgcourse as dpg

    run = dpg.train("Pendulum-v1", algorithm="ddpg", num_seeds=10, out="runs/pendulum")
    agent = dpg.load("runs/pendulum", seed=3)
    action = agent.act(observation)
    scores = dpg.evaluate(agent, "Pendulum-v1", episodes=1000, seed=0)

Names are imported when they are first used, so ``import dpgcourse`` loads neither torch nor
gymnasium. The rooms, from bottom to top; imports only run downwards:

| room | holds |
|---|---|
| `dpgcourse.gradient` | chapters 1 to 4 in NumPy: composite, chain rule, network, action box |
| `dpgcourse.theory` | chapters 5 to 8 in NumPy: exactly solvable cases |
| `dpgcourse.envs` | environments: making them from anything, a vector pendulum, LQR, probe tasks |
| `dpgcourse.agents` | the contract of an agent, DDPG, TD3, SAC, DDPG in NumPy, faulty agents |
| `dpgcourse.training` | training loop, evaluation, diagnostics, records, studies |
| `dpgcourse.analysis` | statistics, diagnosis, sanity checks, a near-optimal pendulum |
| `dpgcourse.figures` | figure style, learning curves, videos, explorables |
| `dpgcourse.equation_checks` | the checks of every numbered equation of the book |
| `dpgcourse.exercises` | checkers of the exercises, exercise sheets, grading |
"""

import lazy_loader

__version__ = "0.2.0"

# The public names, and the modules that they come from, stand in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = ["__version__", *__all__]
