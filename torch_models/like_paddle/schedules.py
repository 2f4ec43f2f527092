"""Learning rate schedules with Paddle's interface: made before the optimizer, whose rate they then set (`scheduled`).

A schedule of one's own derives from `LRScheduler` and has `get_lr`, as in Paddle. The formulas are those of `paddle.optimizer.lr`.
"""

import bisect
import math


def scheduled(optimizer, schedule):
    """`optimizer`, all of whose groups have the rate of `schedule` (or this number) from now on.

    A group that was given a rate of its own keeps its ratio to that of the schedule.
    """
    if not isinstance(schedule, LRScheduler):
        for group in optimizer.param_groups:
            group["lr"] = schedule * group.get("rate", 1.0)
        return optimizer
    schedule.optimizers.append(optimizer)
    schedule.tell()
    return optimizer


class LRScheduler:
    """`paddle.optimizer.lr.LRScheduler`: `last_epoch` counts the calls of `step`, `last_lr` is the rate that they came to."""

    def __init__(self, learning_rate=0.1, last_epoch=-1, verbose=False):
        self.base_lr = self.last_lr = float(learning_rate)
        self.last_epoch, self.verbose = last_epoch, verbose
        self.optimizers = []
        self.step()

    def __call__(self):
        return self.last_lr

    def step(self, epoch=None):
        """To the next epoch, or to this one."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self.last_lr = self.get_lr()
        self.tell()

    def tell(self):
        """Sets the rate of the optimizers."""
        for optimizer in self.optimizers:
            scheduled(optimizer, self.last_lr)
        if self.verbose:
            print(f"Epoch {self.last_epoch}: {type(self).__name__} set learning rate to {self.last_lr}.")

    def get_lr(self):
        """The rate at `last_epoch`."""
        raise NotImplementedError

    keys = ("last_epoch", "last_lr")

    def state_keys(self):
        """A subclass may set `keys` here."""

    def state_dict(self):
        self.state_keys()
        return {key: vars(self)[key] for key in self.keys if key in vars(self)}

    def set_state_dict(self, state_dict):
        self.state_keys()
        for key in self.keys:
            setattr(self, key, state_dict[key])
        self.tell()

    def set_dict(self, state_dict):
        self.set_state_dict(state_dict)

    def load_state_dict(self, state_dict):
        self.set_state_dict(state_dict)


class _Rate(LRScheduler):
    """A schedule that begins with a rate."""

    def __init__(self, learning_rate, last_epoch, verbose, **settings):
        vars(self).update(settings)
        super().__init__(learning_rate, last_epoch, verbose)


class NoamDecay(_Rate):
    def __init__(self, d_model, warmup_steps, learning_rate=1.0, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, d_model=d_model, warmup_steps=warmup_steps)

    def get_lr(self):
        falling = 1 if self.last_epoch == 0 else self.last_epoch**-0.5
        rising = self.last_epoch * self.warmup_steps**-1.5
        return self.base_lr * self.d_model**-0.5 * min(falling, rising)


class PiecewiseDecay(_Rate):
    def __init__(self, boundaries, values, last_epoch=-1, verbose=False):
        super().__init__(0.1, last_epoch, verbose, boundaries=boundaries, values=values)

    def get_lr(self):
        passed = sum(1 for boundary in self.boundaries if self.last_epoch >= boundary)
        return self.values[passed] if passed < len(self.boundaries) else self.values[-1]


class NaturalExpDecay(_Rate):
    def __init__(self, learning_rate, gamma, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, gamma=gamma)

    def get_lr(self):
        return self.base_lr * math.exp(-self.gamma * self.last_epoch)


class InverseTimeDecay(_Rate):
    def __init__(self, learning_rate, gamma, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, gamma=gamma)

    def get_lr(self):
        return self.base_lr / (1 + self.gamma * self.last_epoch)


class ExponentialDecay(_Rate):
    def __init__(self, learning_rate, gamma, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, gamma=gamma)

    def get_lr(self):
        return self.base_lr * self.gamma**self.last_epoch


class StepDecay(_Rate):
    def __init__(self, learning_rate, step_size, gamma=0.1, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, step_size=step_size, gamma=gamma)

    def get_lr(self):
        return self.base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepDecay(_Rate):
    def __init__(self, learning_rate, milestones, gamma=0.1, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, milestones=milestones, gamma=gamma)

    def get_lr(self):
        return self.base_lr * self.gamma ** bisect.bisect_right(self.milestones, self.last_epoch)


class PolynomialDecay(_Rate):
    def __init__(
        self, learning_rate, decay_steps, end_lr=0.0001, power=1.0, cycle=False, last_epoch=-1, verbose=False
    ):
        settings = {"decay_steps": decay_steps, "end_lr": end_lr, "power": power, "cycle": cycle}
        super().__init__(learning_rate, last_epoch, verbose, **settings)

    def get_lr(self):
        steps, epoch = self.decay_steps, min(self.last_epoch, self.decay_steps)
        if self.cycle:
            steps, epoch = steps * max(1, math.ceil(self.last_epoch / steps)), self.last_epoch
        return (self.base_lr - self.end_lr) * (1 - epoch / steps) ** self.power + self.end_lr


class CosineAnnealingDecay(_Rate):
    def __init__(self, learning_rate, T_max, eta_min=0, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, T_max=T_max, eta_min=float(eta_min))

    def get_lr(self):
        share = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class CosineAnnealingWarmRestarts(_Rate):
    def __init__(self, learning_rate, T_0, T_mult=1, eta_min=0, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, T_0=T_0, T_mult=T_mult, eta_min=eta_min)

    def get_lr(self):
        epoch, length = self.last_epoch, self.T_0
        while epoch >= length and self.T_mult > 1:
            epoch, length = epoch - length, length * self.T_mult
        share = (1 + math.cos(math.pi * (epoch % length) / length)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class LinearLR(_Rate):
    def __init__(
        self,
        learning_rate,
        total_steps,
        start_factor=1.0 / 3,
        end_factor=1.0,
        last_epoch=-1,
        verbose=False,
    ):
        settings = {"total_steps": total_steps, "start_factor": start_factor, "end_factor": end_factor}
        super().__init__(learning_rate, last_epoch, verbose, **settings)

    def get_lr(self):
        passed = min(self.last_epoch, self.total_steps) / self.total_steps
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * passed)


class LambdaDecay(_Rate):
    def __init__(self, learning_rate, lr_lambda, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, lr_lambda=lr_lambda)

    def get_lr(self):
        return self.base_lr * self.lr_lambda(self.last_epoch)


class MultiplicativeDecay(_Rate):
    def __init__(self, learning_rate, lr_lambda, last_epoch=-1, verbose=False):
        super().__init__(learning_rate, last_epoch, verbose, lr_lambda=lr_lambda)

    def get_lr(self):
        rate = self.base_lr
        for epoch in range(1, self.last_epoch + 1):
            rate *= self.lr_lambda(epoch)
        return rate


class LinearWarmup(_Rate):
    """From `start_lr` to `end_lr`, then a number or another schedule, which begins with its own first step."""

    def __init__(self, learning_rate, warmup_steps, start_lr, end_lr, last_epoch=-1, verbose=False):
        self.learning_rate = learning_rate
        settings = {"warmup_steps": warmup_steps, "start_lr": start_lr, "end_lr": end_lr}
        super().__init__(start_lr, last_epoch, verbose, **settings)

    def get_lr(self):
        if self.last_epoch < self.warmup_steps:
            return (self.end_lr - self.start_lr) * self.last_epoch / self.warmup_steps + self.start_lr
        if not isinstance(self.learning_rate, LRScheduler):
            return self.learning_rate
        self.learning_rate.step(self.last_epoch - self.warmup_steps)
        return self.learning_rate()

    def state_dict(self):
        inner = self.learning_rate
        more = {"LinearWarmup_LR": inner.state_dict()} if isinstance(inner, LRScheduler) else {}
        return {**super().state_dict(), **more}

    def set_state_dict(self, state_dict):
        if isinstance(self.learning_rate, LRScheduler):
            self.learning_rate.set_state_dict(state_dict["LinearWarmup_LR"])
        super().set_state_dict(state_dict)


class OneCycleLR(_Rate):
    def __init__(
        self,
        max_learning_rate,
        total_steps,
        divide_factor=25.0,
        end_learning_rate=0.0001,
        phase_pct=0.3,
        anneal_strategy="cos",
        three_phase=False,
        last_epoch=-1,
        verbose=False,
    ):
        first, top = max_learning_rate / divide_factor, phase_pct * total_steps - 1
        points = [(0, first), (top, max_learning_rate)]
        points += [(2 * top, first)] if three_phase else []
        points.append((total_steps - 1, end_learning_rate))
        settings = {"points": points, "total_steps": total_steps, "cosine": anneal_strategy == "cos"}
        super().__init__(first, last_epoch, verbose, **settings)

    def get_lr(self):
        epoch = self.last_epoch
        if epoch > self.total_steps:
            raise ValueError(f"step {epoch} of {self.total_steps}")
        pairs = list(zip(self.points, self.points[1:], strict=False))
        (start, low), (end, high) = next((pair for pair in pairs if epoch <= pair[1][0]), pairs[-1])
        share = (epoch - start) / (end - start)
        if self.cosine:
            return high + (low - high) / 2 * (math.cos(math.pi * share) + 1)
        return (high - low) * share + low


class CyclicLR(_Rate):
    def __init__(
        self,
        base_learning_rate,
        max_learning_rate,
        step_size_up,
        step_size_down=None,
        mode="triangular",
        exp_gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        last_epoch=-1,
        verbose=False,
    ):
        own = {
            "triangular": (lambda cycle: 1.0, "cycle"),
            "triangular2": (lambda cycle: 0.5 ** (cycle - 1), "cycle"),
            "exp_range": (lambda iterations: exp_gamma**iterations, "iterations"),
        }
        scale_fn, scale_mode = own[mode] if scale_fn is None else (scale_fn, scale_mode)
        self.max_lr, self.up = float(max_learning_rate), step_size_up
        self.size = step_size_up + (step_size_up if step_size_down is None else step_size_down)
        super().__init__(base_learning_rate, last_epoch, verbose, scale_fn=scale_fn, scale_mode=scale_mode)

    def get_lr(self):
        cycle, place = divmod(self.last_epoch, self.size)
        down = self.size - self.up
        height = place / self.up if place <= self.up else (self.size - place) / down
        scale = self.scale_fn(cycle + 1 if self.scale_mode == "cycle" else self.last_epoch)
        return self.base_lr + (self.max_lr - self.base_lr) * height * scale


class ReduceOnPlateau(LRScheduler):
    """Lowers the rate by `factor` where a number has not become better for more than `patience` steps."""

    def __init__(
        self,
        learning_rate,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0,
        epsilon=1e-8,
        verbose=False,
    ):
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lr, self.epsilon, self.verbose = min_lr, epsilon, verbose
        self.base_lr = self.last_lr = float(learning_rate)
        self.best, self.cooldown_counter, self.num_bad_epochs, self.last_epoch = None, 0, 0, 0
        self.optimizers = []

    keys = ("cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr")

    def step(self, metrics, epoch=None):
        """`metrics`: the number, or a tensor with one number."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            return
        value = float(metrics)
        if self.best is None or self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            lower = max(self.last_lr * self.factor, self.min_lr)
            if self.last_lr - lower > self.epsilon:
                self.last_lr = lower
                self.tell()

    def _better(self, value):
        margin = self.threshold if self.threshold_mode == "abs" else self.best * self.threshold
        return value < self.best - margin if self.mode == "min" else value > self.best + margin
