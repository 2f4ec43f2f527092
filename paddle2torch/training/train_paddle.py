"""The training loop in Paddle. `train_torch` is the same loop in torch: read the two beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paddle

from convert.checkpoint.pdparams import SCHEDULER
from convert.checkpoint.reader import open_optimizer_state
from paddle2torch.training.metrics import Score, right, score
from paddle2torch.training.network_paddle import ask, last_layer, load, logits
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Group, Recipe
from paddle2torch.training.run import Run
from paddle2torch.training.states import torchs_state


def train(run: Run, model: paddle.nn.Layer, data: Batches, test: Batches, start: Path | None = None) -> None:
    """Train `model` in place, from the checkpoint in the folder `start` where there is one."""
    recipe = run.recipe
    groups = parameter_groups(model, recipe)
    schedule = paddle.optimizer.lr.LambdaDecay(recipe.rate, recipe.schedule.share)
    optimizer = make_optimizer(model, recipe, groups, schedule)
    criterion = paddle.nn.CrossEntropyLoss() if recipe.loss == "ce" else paddle.nn.BCEWithLogitsLoss()
    if start is not None:
        resume(start, run, model, optimizer)

    def write(folder: Path) -> None:
        paddle.save(model.state_dict(), str(folder / "model.pdparams"))
        paddle.save(optimizer.state_dict(), str(folder / "model.pdopt"))

    for epoch in range(run.step // len(data), recipe.epochs):
        train_mode(model)
        done = run.step % len(data)
        for place, batch in enumerate(data.epoch(epoch, start=done), start=done):
            paddle.seed(recipe.seed_of(run.step))  # what dropout draws depends on the step alone
            images = paddle.to_tensor(batch.images.astype(recipe.network.dtype))
            labels = paddle.to_tensor(batch.labels)
            answers = ask(model, images)  # [N, classes]
            run.check_answers(answers.shape, batch)
            if recipe.loss == "bce":
                loss = criterion(answers[:, 0], labels.astype(answers.dtype))
            else:
                loss = criterion(answers, labels)
            run.check(loss.item(), epoch, place, batch)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            rate = schedule()
            schedule.step()
            run.took_a_step(loss.item(), rate, right(answers.numpy(), batch.labels), len(batch.labels))
            run.save_if_due(groups, write)
            if run.stopping and run.step % len(data):
                return
        run.finish_epoch(epoch, schedule(), evaluate(model, test), groups, write)
        if run.stopping:
            return


def evaluate(model: paddle.nn.Layer, test: Batches) -> Score:
    """Loss and accuracy in eval mode."""
    model.eval()
    return score((logits(model, batch.images), batch.labels) for batch in test.epoch())


def parameter_groups(model: paddle.nn.Layer, recipe: Recipe) -> tuple[Group, ...]:
    """What is trained at which share of the rate; the rest is frozen."""
    learned = {name: p for name, p in model.named_parameters() if not p.stop_gradient}
    groups = recipe.groups(list(learned), last_layer(model))
    trained = {name for group in groups for name in group.names}
    for name, parameter in learned.items():
        parameter.stop_gradient = name not in trained
    return groups


def train_mode(model: paddle.nn.Layer) -> None:
    """Train mode, but for layers that are frozen: their statistics stay, and they drop nothing out."""
    model.train()
    for layer in model.sublayers():
        learned = any(not p.stop_gradient for p in layer.parameters())
        if layer.parameters() and not learned:
            layer.eval()


def make_optimizer(model: paddle.nn.Layer, recipe: Recipe, groups: Sequence[Group], schedule: Any) -> Any:
    """The recipe's optimizer; a group's rate is its share of the schedule's."""
    named = dict(model.named_parameters())
    common: dict[str, Any] = {
        "learning_rate": schedule,
        "parameters": [
            {"params": [named[name] for name in group.names], "learning_rate": group.share}
            for group in groups
        ],
        "weight_decay": recipe.weight_decay,
    }
    if recipe.optimizer == "momentum":
        return paddle.optimizer.Momentum(momentum=recipe.momentum, **common)
    return {"sgd": paddle.optimizer.SGD, "adam": paddle.optimizer.Adam, "adamw": paddle.optimizer.AdamW}[
        recipe.optimizer
    ](**common)


def resume(folder: Path, run: Run, model: paddle.nn.Layer, optimizer: Any) -> None:
    """Weights, the optimizer's state and the schedule as they were saved, by torch too; nothing in the files is executed."""
    recipe, named = run.recipe, dict(model.named_parameters())
    if (folder / "model.pdparams").exists():
        load(model, str(folder / "model.pdparams"), recipe.network)
        state, _ = open_optimizer_state(folder / "model.pdopt", frozenset(p.name for p in named.values()))
        with state:
            found = {name: reference.numpy() for name, reference in state.items()}
            position = state.extras[SCHEDULER]
    else:
        load(model, str(folder / "model.pth"), recipe.network)
        kept = torchs_state(folder / "model.pth", recipe, run.parameters)
        found = {f"{named[name].name}_{kind}_0": array for (name, kind), array in kept.items()}
        position = {"last_epoch": run.step, "last_lr": recipe.rate * recipe.schedule.share(run.step)}
    optimizer.set_state_dict(
        {**{name: paddle.to_tensor(array) for name, array in found.items()}, SCHEDULER: position}
    )
