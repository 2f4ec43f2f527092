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
