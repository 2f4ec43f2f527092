"""Cross entropy as Paddle counts: classes on the last axis, labels of shape [N] or [N, 1], and what is ignored."""

import torch
import torch.nn.functional as F
from torch import nn


def cross_entropy(
    input,
    label,
    weight=None,
    ignore_index=-100,
    reduction="mean",
    soft_label=False,
    axis=-1,
    use_softmax=True,
    label_smoothing=0.0,
):
    """`paddle.nn.functional.cross_entropy`.

    Where the classes are on axis 1, labels have shape [N, ...], none is ignored and no class has a weight, it is torch's own.

    - labels may keep the axis of the classes, with size 1;
    - the mean is over all labels where `ignore_index` is negative, over those that count where it is not;
    - soft labels are weighed by `label @ weight`, and smoothed labels are soft ones.
    """
    bare = label.ndim == input.ndim - 1
    logs = F.log_softmax(input, axis) if use_softmax else input.log()
    if label_smoothing > 0:
        hot = F.one_hot(label, input.shape[-1]) if bare else label
        label = (hot * (1 - label_smoothing) + label_smoothing / hot.shape[-1]).to(input.dtype)
        soft_label, bare = True, False
    elif bare:
        label = label.unsqueeze(axis)
    if soft_label:
        counts = torch.ones_like(label[..., :1]) if ignore_index < 0 else label != ignore_index
        losses = -(label * logs).sum(axis, keepdim=True)
        weights = None if weight is None else (label @ weight).reshape(losses.shape)
    else:
        counts = label != ignore_index
        known = torch.where(counts, label, 0).long()
        losses = -logs.gather(axis, known) * counts
        weights = None if weight is None else weight[known] * counts
    if weights is not None:
        losses = losses * weights
    if reduction == "none":
        return losses.squeeze(axis) if bare else losses
    if reduction == "sum":
        return losses.sum()
    if weights is None and ignore_index < 0:
        return losses.mean()
    total = counts.sum() if weights is None else weights.sum()
    return losses.sum() / torch.where(total == 0, 1, total)


def softmax_with_cross_entropy(
    logits,
    label,
    soft_label=False,
    ignore_index=-100,
    numeric_stable_mode=True,
    return_softmax=False,
    axis=-1,
):
    """One loss for each sample, with the axis of the classes as 1, and the softmax where it is asked for."""
    if label.ndim == logits.ndim - 1:
        label = label.unsqueeze(axis)
    losses = cross_entropy(logits, label, None, ignore_index, "none", soft_label, axis)
    return (losses, F.softmax(logits, axis)) if return_softmax else losses


class CrossEntropyLoss(nn.Module):
    """`paddle.nn.CrossEntropyLoss`: see cross_entropy."""

    def __init__(
        self,
        weight=None,
        ignore_index=-100,
        reduction="mean",
        soft_label=False,
        axis=-1,
        use_softmax=True,
        label_smoothing=0.0,
    ):
        super().__init__()
        self.register_buffer("weight", weight, persistent=False)
        self.ignore_index, self.reduction, self.soft_label = ignore_index, reduction, soft_label
        self.axis, self.use_softmax, self.label_smoothing = axis, use_softmax, label_smoothing

    def forward(self, input, label):
        return cross_entropy(
            input,
            label,
            self.weight,
            self.ignore_index,
            self.reduction,
            self.soft_label,
            self.axis,
            self.use_softmax,
            self.label_smoothing,
        )


def sigmoid_focal_loss(logit, label, normalizer=None, alpha=0.25, gamma=2.0, reduction="sum", name=None):
    """`paddle.nn.functional.sigmoid_focal_loss`; the losses are divided by `normalizer`."""
    chance = torch.sigmoid(logit)
    entropy = F.binary_cross_entropy_with_logits(logit, label, reduction="none")
    right = chance * label + (1 - chance) * (1 - label)
    losses = (alpha * label + (1 - alpha) * (1 - label)) * (1 - right) ** gamma * entropy
    losses = losses if normalizer is None else losses / normalizer
    return losses if reduction == "none" else getattr(losses, reduction)()
