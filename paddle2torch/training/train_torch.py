"""The training loop in torch. `train_paddle` is the same loop in Paddle: read the two beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from convert.training.live import convert_optimizer
from convert.training.optimizers import find_optimizer
from paddle2torch.training.metrics import Score, right, score
from paddle2torch.training.network_torch import ask, last_layer, load, logits
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Group, Recipe
from paddle2torch.training.run import Run


def train(run: Run, model: torch.nn.Module, data: Batches, test: Batches, start: Path | None = None) -> None:
    """Train `model` in place, from the checkpoint in the folder `start` where there is one."""
    recipe = run.recipe
    groups = parameter_groups(model, recipe)
    optimizer = make_optimizer(model, recipe, groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, recipe.schedule.share)
    criterion = torch.nn.CrossEntropyLoss() if recipe.loss == "ce" else torch.nn.BCEWithLogitsLoss()
    if start is not None:
        resume(start, run, model, optimizer, schedule)

    def write(folder: Path) -> None:
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": schedule.state_dict(),
        }
        torch.save(state, folder / "model.pth")

    for epoch in range(run.step // len(data), recipe.epochs):
        train_mode(model)
        done = run.step % len(data)
        for place, batch in enumerate(data.epoch(epoch, start=done), start=done):
            torch.manual_seed(recipe.seed_of(run.step))  # what dropout draws depends on the step alone
            images = torch.from_numpy(batch.images.astype(recipe.network.dtype)).to(recipe.network.device)
            labels = torch.from_numpy(batch.labels).to(recipe.network.device)
            answers = ask(model, images)  # [N, classes]
            run.check_answers(answers.shape, batch)
            if recipe.loss == "bce":
                loss = criterion(answers[:, 0], labels.to(answers.dtype))
            else:
                loss = criterion(answers, labels)
            run.check(loss.item(), epoch, place, batch)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            rate = recipe.rate * recipe.schedule.share(run.step)
            schedule.step()
            run.took_a_step(
                loss.item(), rate, right(answers.detach().cpu().numpy(), batch.labels), len(batch.labels)
            )
            run.save_if_due(groups, write)
            if run.stopping and run.step % len(data):
                return
        run.finish_epoch(
            epoch, recipe.rate * recipe.schedule.share(run.step), evaluate(model, test), groups, write
        )
        if run.stopping:
            return


def evaluate(model: torch.nn.Module, test: Batches) -> Score:
    """Loss and accuracy in eval mode."""
    model.eval()
    return score((logits(model, batch.images), batch.labels) for batch in test.epoch())


def parameter_groups(model: torch.nn.Module, recipe: Recipe) -> tuple[Group, ...]:
    """What is trained at which share of the rate; the rest is frozen."""
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    groups = recipe.groups(list(learned), last_layer(model))
    trained = {name for group in groups for name in group.names}
    for name, parameter in learned.items():
        parameter.requires_grad = name in trained
    return groups


def train_mode(model: torch.nn.Module) -> None:
    """Train mode, but for layers that are frozen: their statistics stay, and they drop nothing out."""
    model.train()
    for layer in model.modules():
        learned = any(p.requires_grad for p in layer.parameters())
        if list(layer.parameters()) and not learned:
            layer.eval()


def make_optimizer(model: torch.nn.Module, recipe: Recipe, groups: Sequence[Group]) -> torch.optim.Optimizer:
    """The recipe's optimizer; what Paddle keeps in float32 is rounded as it does."""
    named = dict(model.named_parameters())
    row = find_optimizer(recipe.optimizer)
    options: dict[str, Any] = {"weight_decay": recipe.weight_decay}
    if recipe.optimizer == "momentum":
        options["momentum"] = recipe.momentum
    rounded = row.group(options, row.torch)
    made: torch.optim.Optimizer = getattr(torch.optim, row.torch)(
        [
            {"params": [named[name] for name in group.names], "lr": recipe.rate * group.share}
            for group in groups
        ],
        lr=recipe.rate,
        **{name: rounded[name] for name in options},
    )
    return made


def resume(
    folder: Path, run: Run, model: torch.nn.Module, optimizer: torch.optim.Optimizer, schedule: Any
) -> None:
    """Weights, the optimizer's state and the schedule as they were saved, by Paddle too; nothing in the files is executed."""
    if (folder / "model.pth").exists():
        state = torch.load(folder / "model.pth", weights_only=True, map_location="cpu")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["scheduler"])
        return
    load(model, str(folder / "model.pdparams"), run.recipe.network)
    convert_optimizer(folder / "model.pdopt", folder / "model.pdparams", model, optimizer).load(
        optimizer, schedule
    )
    for group in optimizer.param_groups:  # Paddle tells the rate of the whole, and each group has its share
        group["lr"] = group["initial_lr"] * run.recipe.schedule.share(run.step)
