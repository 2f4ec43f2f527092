"""A torch BatchNorm that accumulates the running variance as Paddle does.

Both frameworks normalise a batch with its biased variance (divided by n). For the running variance torch's layers
accumulate the unbiased one (n - 1), Paddle's the biased one (`phi/kernels/cpu/batch_norm_kernel.cc`): after the same
training, with every loss equal, the two networks evaluate differently. No setting of torch's layers changes that;
these layers do. They hold the same parameters and buffers, so state dicts fit both ways.

    model = use_biased_variance(model)      # every BatchNorm1d, 2d and 3d inside is exchanged
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _Biased(_BatchNorm):
    def forward(self, input: Tensor) -> Tensor:
        """Like torch's, with running_var = (1 - momentum) * running_var + momentum * biased variance."""
        self._check_input_dim(input)  # type: ignore[no-untyped-call]
        batch = self.training or self.running_mean is None or self.running_var is None
        if not (self.training and self.track_running_stats) or self.running_var is None:
            return F.batch_norm(
                input,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                batch,
                0.0,
                self.eps,
            )
        share = 0.0 if self.momentum is None else self.momentum
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                share = 1.0 / float(self.num_batches_tracked)
        # The layer's own buffer is written after the operator, which keeps hold of the one it was given.
        variance = self.running_var.clone()
        output = F.batch_norm(
            input, self.running_mean, variance, self.weight, self.bias, True, share, self.eps
        )
        n = input.numel() // input.shape[1]
        with torch.no_grad():
            kept = (1.0 - share) * self.running_var
            self.running_var.copy_(kept + (variance - kept) * ((n - 1) / n))
        return output


class BiasedBatchNorm1d(_Biased, nn.BatchNorm1d):
    """BatchNorm1d with Paddle's running variance."""


class BiasedBatchNorm2d(_Biased, nn.BatchNorm2d):
    """BatchNorm2d with Paddle's running variance."""


class BiasedBatchNorm3d(_Biased, nn.BatchNorm3d):
    """BatchNorm3d with Paddle's running variance."""


TWINS: dict[type[_BatchNorm], type[_Biased]] = {
    nn.BatchNorm1d: BiasedBatchNorm1d,
    nn.BatchNorm2d: BiasedBatchNorm2d,
    nn.BatchNorm3d: BiasedBatchNorm3d,
}


def use_biased_variance(module: nn.Module) -> nn.Module:
    """Exchange every BatchNorm1d, 2d and 3d inside `module`, in place, and return it (a BatchNorm: its twin).

    Parameters, buffers, hooks and modes are kept: the layers are the same objects, with another class. Layers of a
    class derived from torch's are left alone.
    """
    for layer in module.modules():
        twin = TWINS.get(type(layer))  # type: ignore[arg-type]
        if twin is not None:
            layer.__class__ = twin
    return module
