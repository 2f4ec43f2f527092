"""What a training loop asks: clipping inside of an optimizer, its rate, the devices and processes."""

import torch


def clipping(optimizer, clip):
    """`optimizer`, whose gradients are clipped in front of every step: `clip` is a function of a list of parameters."""

    def hook(optimizer, args, options):
        clip([p for group in optimizer.param_groups for p in group["params"] if p.grad is not None])

    optimizer.register_step_pre_hook(hook)
    return optimizer


def clip_each_norm(parameters, max_norm):
    """Clips the gradient of each parameter by its own norm: `paddle.nn.ClipGradByNorm`."""
    for parameter in parameters:
        norm = parameter.grad.norm()
        if norm > max_norm:
            parameter.grad.mul_(max_norm / norm)


def get_device():
    """Where new tensors go, in Paddle's words: `cpu`, `gpu:0`."""
    device = torch.get_default_device()
    return "cpu" if device.type == "cpu" else f"gpu:{device.index or 0}"


def world_size():
    """How many processes train together; 1 where no group is set up."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def rank():
    """Which of them this is."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def set_lr(optimizer, value):
    """Sets the learning rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = value


def set_device(device):
    """Where new tensors go, in Paddle's words: `cpu`, `gpu`, `gpu:0`."""
    torch.set_default_device(device.replace("gpu", "cuda"))


def grouped(optimizer):
    """`optimizer` with the groups that Paddle means: a group's `learning_rate` is a factor. A schedule keeps it (`scheduled`).

    As in Paddle, what a group says of its parameters holds in the place of what their ParamAttr says.
    """
    for group in optimizer.param_groups:
        group["rate"] = group.pop("learning_rate", 1.0)
        group["lr"] *= group["rate"]
    return _regularized(optimizer)


def grouped_by_attr(optimizer):
    """`optimizer` with a group for each `learning_rate`, a factor, and `regularizer`, a decay, that a ParamAttr gave to parameters."""
    coupled = not isinstance(optimizer, torch.optim.AdamW)
    groups, optimizer.param_groups = optimizer.param_groups, []
    for group in groups:
        apart = {}
        for parameter in group["params"]:
            rate = getattr(parameter, "optimize_attr", {}).get("learning_rate", 1.0)
            decay = getattr(parameter, "regularizer", None) if coupled else None
            apart.setdefault((rate, decay), []).append(parameter)
        for (rate, decay), parameters in apart.items():
            own = {"params": parameters, "lr": group["lr"] * rate, "rate": rate}
            own |= {} if decay is None else {"weight_decay": decay}
            optimizer.add_param_group({**group, **own})
    return _regularized(optimizer)


def _regularized(optimizer):
    """AdamW's own decay does not go through the gradients; a ParamAttr's does, beside it."""
    if isinstance(optimizer, torch.optim.AdamW):

        def hook(optimizer, args, options):
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is not None and getattr(p, "regularizer", None):
                        p.grad = p.grad + p.regularizer * p.detach()

        optimizer.register_step_pre_hook(hook)
    return optimizer


class PyLayer:
    """A function with its own gradient: `paddle.autograd.PyLayer`.

    `backward` gives a gradient for every tensor that `forward` takes, and for nothing else. torch.autograd.Function takes no keywords,
    wants a gradient for whatever `forward` takes, and has `saved_tensors` where Paddle has `saved_tensor()`.
    """

    @classmethod
    def apply(cls, *args, **options):
        given = [*args, *options.values()]
        if any(isinstance(part, torch.Tensor) for a in given if isinstance(a, (list, tuple)) for part in a):
            raise TypeError(f"{cls.__name__}.apply takes no lists of tensors here: give them one by one")
        tensors = [a for a in given if isinstance(a, torch.Tensor)]
        return _Applied.apply(cls, len(args), list(options), given, *tensors)


class _Applied(torch.autograd.Function):
    @staticmethod
    def forward(ctx, cls, count, names, given, *tensors):
        ctx.cls, rest = cls, iter(tensors)
        given = [next(rest) if isinstance(a, torch.Tensor) else a for a in given]
        return cls.forward(ctx, *given[:count], **dict(zip(names, given[count:], strict=True)))

    @staticmethod
    def backward(ctx, *grads):
        ctx.saved_tensor = lambda: ctx.saved_tensors
        try:
            found = ctx.cls.backward(ctx, *grads)
        finally:
            del ctx.saved_tensor
        return None, None, None, None, *(found if isinstance(found, (list, tuple)) else (found,))


class BatchSampler:
    """`paddle.io.BatchSampler`: lists of places in a dataset, or of what a sampler gives."""

    def __init__(self, dataset=None, sampler=None, shuffle=False, batch_size=1, drop_last=False):
        if sampler is None:
            make = torch.utils.data.RandomSampler if shuffle else torch.utils.data.SequentialSampler
            sampler = make(dataset)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        yield from torch.utils.data.BatchSampler(self.sampler, self.batch_size, self.drop_last)

    def __len__(self):
        more = 0 if self.drop_last else self.batch_size - 1
        return (len(self.sampler) + more) // self.batch_size


class DistributedBatchSampler(BatchSampler):
    """`paddle.io.DistributedBatchSampler`: each process has its share of the dataset; `set_epoch` shuffles anew."""

    def __init__(self, dataset, batch_size, num_replicas=None, rank=None, shuffle=False, drop_last=False):
        if num_replicas is None:
            num_replicas = world_size()
        if rank is None and num_replicas == 1:
            rank = 0
        sampler = torch.utils.data.DistributedSampler(dataset, num_replicas, rank, shuffle)
        super().__init__(sampler=sampler, batch_size=batch_size, drop_last=drop_last)

    def set_epoch(self, epoch):
        self.sampler.set_epoch(epoch)
