"""Paddle's metrics: `update` with the numbers of a batch, `accumulate` for the result of all since `reset`."""

import torch


class Metric:
    """The base of all, and of metrics of one's own."""

    def compute(self, *args):
        """What `update` is given of predictions and labels: by default both."""
        return args

    def name(self):
        return self._name


class Accuracy(Metric):
    """The share of samples whose class is among the k most likely ones, for every k of `topk`."""

    def __init__(self, topk=(1,), name=None):
        self.topk, self.maxk = topk, max(topk)
        word = name or "acc"
        self._name = [word] if self.maxk == 1 else [f"{word}_top{k}" for k in topk]
        self.reset()

    def reset(self):
        self.total, self.count = [0.0] * len(self.topk), [0] * len(self.topk)

    def compute(self, pred, label, *args):
        """Which of the k most likely classes are right: 0 or 1, [N, maxk]. Labels: [N], [N, 1], or one-hot."""
        order = torch.argsort(pred, descending=True, dim=-1, stable=True)[..., : self.maxk]
        if label.ndim == 1:
            label = label.reshape(-1, 1)
        elif label.shape[-1] != 1:
            label = label.argmax(-1, keepdim=True)
        return (order == label).float()

    def update(self, correct, *args):
        correct = torch.as_tensor(correct)
        samples = correct[..., 0].numel()
        hits = [float(correct[..., :k].sum()) for k in self.topk]
        self.total = [total + hit for total, hit in zip(self.total, hits, strict=True)]
        self.count = [count + samples for count in self.count]
        return _alone([hit / samples for hit in hits])

    def accumulate(self):
        pairs = zip(self.total, self.count, strict=True)
        return _alone([total / count if count else 0.0 for total, count in pairs])


def _alone(values):
    return values[0] if len(values) == 1 else values


def accuracy(input, label, k=1, correct=None, total=None, name=None):
    """The share of samples whose label ([N, 1] or [N]) is among the k most likely classes."""
    found = torch.topk(input, k, dim=-1).indices == label.reshape(-1, 1)
    return found.any(-1).float().mean()


class Precision(Metric):
    """How many of the predictions above 0.5 are right."""

    def __init__(self, name="precision"):
        self._name = name
        self.reset()

    def reset(self):
        self.tp = self.fp = 0

    def update(self, preds, labels):
        preds, labels = torch.as_tensor(preds).flatten(), torch.as_tensor(labels).flatten()
        said = torch.floor(preds + 0.5) == 1
        self.tp += int((said & (labels == 1)).sum())
        self.fp += int((said & (labels != 1)).sum())

    def accumulate(self):
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0


class Recall(Metric):
    """How many of the samples with label 1 are predicted."""

    def __init__(self, name="recall"):
        self._name = name
        self.reset()

    def reset(self):
        self.tp = self.fn = 0

    def update(self, preds, labels):
        preds, labels = torch.as_tensor(preds).flatten(), torch.as_tensor(labels).flatten()
        said = torch.round(preds) == 1
        self.tp += int((said & (labels == 1)).sum())
        self.fn += int((~said & (labels == 1)).sum())

    def accumulate(self):
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0


class Auc(Metric):
    """The area under the ROC curve, of probabilities [N, 2] in `num_thresholds` steps."""

    def __init__(self, curve="ROC", num_thresholds=4095, name="auc"):
        self.thresholds, self._name = num_thresholds, name
        self.reset()

    def reset(self):
        self.counts = torch.zeros(2, self.thresholds + 1, dtype=torch.float64)

    def update(self, preds, labels):
        steps = (torch.as_tensor(preds)[:, 1] * self.thresholds).long().cpu()
        labels = torch.as_tensor(labels).flatten().cpu()
        for place, which in enumerate((labels == 0, labels != 0)):
            self.counts[place] += torch.bincount(steps[which], minlength=self.thresholds + 1)

    def accumulate(self):
        negative, positive = torch.cat([torch.zeros(2, 1), self.counts.flip(1)], 1).cumsum(1)
        if not (negative[-1] and positive[-1]):
            return 0.0
        return float(torch.trapezoid(positive, negative) / positive[-1] / negative[-1])
