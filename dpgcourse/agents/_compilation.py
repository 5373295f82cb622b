"""Machine code for the methods of an agent in torch, and an Adam that a compiler can read."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch

from dpgcourse.errors import InvalidInputError


class TraceableAdam:
    """`torch.optim.Adam` as plain operations on tensors, which a compiler turns into one pass.

    torch's own optimizers begin and end with Python code that stops the compiler. `step` has none;
    `prepare` must be called before it.

    Args:
        optimizer: torch's Adam, from where this one goes on.

    Attributes:
        state: for each parameter the number of steps, "step", and the running means of gradients,
            "exp_avg", and of their squares, "exp_avg_sq".
        param_groups: those of torch's Adam, so that a schedule of the learning rate still works.

    Source: Kingma and Ba (2015), Algorithm 1.
    """

    def __init__(self, optimizer: torch.optim.Optimizer):
        self.param_groups = optimizer.param_groups
        (settings,) = self.param_groups
        self.eps, self.weight_decay = settings["eps"], settings["weight_decay"]
        self.beta1, self.beta2 = settings["betas"]
        self.parameters = list(settings["params"])
        self.state = {
            x: {
                "step": torch.zeros((), device=x.device),
                "exp_avg": torch.zeros_like(x, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(x, requires_grad=False),
                **optimizer.state.get(x, {}),
            }
            for x in self.parameters
        }
        self._scales = [(x.new_zeros(()), x.new_zeros(())) for x in self.parameters]
        self._prepared: list[tuple[int, float] | None] = [None] * len(self.parameters)

    def prepare(self) -> None:
        """Compute what depends on the number of steps; compiled, it would be done many times."""
        lr = self.param_groups[0]["lr"]
        for i, x in enumerate(self.parameters):
            t = int(self.state[x]["step"]) + 1
            if (t, lr) != self._prepared[i]:
                self._prepared[i] = t, lr
                # As in `dpgcourse.agents.optim.Adam.descend`
                root = (1 - self.beta2**t) ** 0.5
                rate, floor = self._scales[i]
                rate.fill_(lr * root / (1 - self.beta1**t))
                floor.fill_(self.eps * root)

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter downhill, in place, by the gradient that lies in its `grad`."""
        for x, (rate, floor) in zip(self.parameters, self._scales, strict=True):
            memory, gradient = self.state[x], x.grad
            if self.weight_decay:
                gradient = gradient + self.weight_decay * x
            mean, square = memory["exp_avg"], memory["exp_avg_sq"]
            memory["step"] += 1
            mean.lerp_(gradient, 1 - self.beta1)
            square.lerp_(gradient**2, 1 - self.beta2)
            x.sub_(rate * mean / (square.sqrt() + floor))


def is_plain_adam(optimizer: torch.optim.Optimizer) -> bool:
    """Whether `TraceableAdam` can take the place of an optimizer."""
    if type(optimizer) is not torch.optim.Adam or len(optimizer.param_groups) > 1:
        return False
    (settings,) = optimizer.param_groups
    return not any(settings[name] for name in ("amsgrad", "maximize", "decoupled_weight_decay"))


def require_compiler() -> None:
    """Find a C++ compiler, which PyTorch needs to compile.

    Raises:
        InvalidInputError: there is none.
    """
    if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))):
        raise InvalidInputError(
            "compile is True, and no C++ compiler was found; allowed: False here"
        )


def compiled(method: Callable, optimizers: Sequence[TraceableAdam] = ()) -> Callable:
    """A method that becomes machine code at its first call.

    Args:
        method: of an agent in torch.
        optimizers: whose `step` it calls.
    """
    translated = torch.compile(  # type: ignore[call-overload]  # its stub lags behind it
        method,
        dynamic=False,
        options={"cpp_wrapper": True},  # no Python between the operations either
        isolate_recompiles=True,  # else the ninth agent of a process would run uncompiled
    )
    setting = {"trace_autograd_ops": True}  # the gradients are part of the computation

    def call(*arguments):
        for optimizer in optimizers:
            optimizer.prepare()
        # The setting holds for the first call alone, which compiles, not for the process.
        with torch._dynamo.config.patch(setting) if setting else nullcontext():
            result = translated(*arguments)
        setting.clear()
        return result

    return call
