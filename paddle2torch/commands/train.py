"""`paddle2torch train`: train or fine-tune a network in either framework, from the same images with the same numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.names import counted

if TYPE_CHECKING:
    from paddle2torch.training.checkpoints import Checkpoint
    from paddle2torch.training.recipe import Images, Recipe

DEFAULTS: dict[str, Any] = {
    "optimizer": "momentum",
    "lr": 0.01,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "schedule": "constant",
    "step_size": 10,
    "milestones": "",
    "gamma": 0.1,
    "warmup": 0,
    "seed": 0,
    "save_every": 0,
    "features_lr": 1.0,
}
"""Options of how a network learns, where they are not given."""
ONLY_WITH = {
    "momentum": ("optimizer", ("momentum",)),
    "step_size": ("schedule", ("step",)),
    "milestones": ("schedule", ("multistep",)),
    "gamma": ("schedule", ("step", "multistep")),
}
"""Option -> the option, and its values, that it has a meaning with."""
GOING_ON = ("resume", "output", "framework", "epochs", "workers", "device", "beside")
"""Options that a run that goes on takes; the rest is what it was."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.training.options import add_image_options, add_network_options

    network = add_network_options(parser)
    network.add_argument(
        "--dropout", type=float, metavar="P", help="of every Dropout layer; 0 makes both frameworks the same"
    )
    network.add_argument(
        "--torchs-variance",
        action="store_true",
        help="BatchNorm of torch accumulates the unbiased variance, as torch's own does, and not Paddle's biased one",
    )
    images = add_image_options(parser)
    images.add_argument(
        "--train-transforms", metavar="LIST", help='e.g. "resize:256 random-crop:224 flip:0.5 colour:0.4"'
    )
    images.add_argument("--validation", metavar="DATA", help="images to test with; default: a part of --data")
    images.add_argument(
        "--split", type=float, metavar="SHARE", help="of --data that is trained on (default 0.8)"
    )
    images.add_argument("--split-seed", type=int, metavar="N", help="which images those are (default 0)")
    learn = parser.add_argument_group("learning")
    learn.add_argument("--epochs", type=int, metavar="N", help="default: 1")
    learn.add_argument(
        "--loss",
        choices=("ce", "bce"),
        help="cross entropy, or binary with one logit; default: bce where --num-classes is 1",
    )
    learn.add_argument("--optimizer", choices=("sgd", "momentum", "adam", "adamw"), help="default: momentum")
    learn.add_argument("--lr", type=float, metavar="RATE", help="default: 0.01")
    learn.add_argument("--momentum", type=float, metavar="M", help="default: 0.9")
    learn.add_argument("--weight-decay", type=float, metavar="D", help="as Paddle means it (default 0)")
    learn.add_argument(
        "--schedule", choices=("constant", "step", "multistep", "cosine"), help="default: constant"
    )
    learn.add_argument("--step-size", type=int, metavar="EPOCHS", help="of --schedule step (default 10)")
    learn.add_argument("--milestones", metavar="E,E,...", help="epochs of --schedule multistep")
    learn.add_argument(
        "--gamma", type=float, metavar="G", help="what the rate is multiplied by there (default 0.1)"
    )
    learn.add_argument("--warmup", type=int, metavar="STEPS", help="the rate rises from 0 first (default 0)")
    learn.add_argument(
        "--seed", type=int, metavar="N", help="of weights, order, augmentation and dropout (default 0)"
    )
    tune = parser.add_argument_group("fine-tuning")
    tune.add_argument(
        "--weights", metavar="FILE", help="start from a checkpoint of either framework, or from a run"
    )
    tune.add_argument("--new-head", action="store_true", help="but for its last layer")
    tune.add_argument(
        "--head", metavar="LAYER,...", help="layers that train at the full rate (default: the last one)"
    )
    tune.add_argument(
        "--features-lr", type=float, metavar="SHARE", help="of the rate, for the others, such as 0.1"
    )
    tune.add_argument("--freeze", action="store_true", help="train only the head")
    run_ = parser.add_argument_group("run")
    run_.add_argument("-o", "--output", metavar="FOLDER", help="checkpoints, metrics.jsonl, curves.png")
    run_.add_argument(
        "--resume", metavar="FOLDER", help="go on from a run's last checkpoint, of either framework"
    )
    run_.add_argument("--save-every", type=int, metavar="STEPS", help="also within an epoch")
    run_.add_argument(
        "--beside",
        metavar="FOLDER",
        help="a run whose losses curves.png shows too, and how far they are apart",
    )


def run(args: argparse.Namespace) -> int:
    """Train; 0 at the end, 130 after Ctrl-C, which leaves a checkpoint."""
    from paddle2torch.console import fitted
    from paddle2torch.training.record import PICTURE, apart, draw
    from paddle2torch.training.runner import open_images, run_recipe, told_skipped
    from paddle2torch.training.setting import images_of, workers_of

    start = None
    beside = None if args.beside is None else _finished(Path(args.beside))
    if args.resume is not None:
        start, recipe, folder = _resumed(args)
        parts = open_images(recipe.images)
    else:
        if args.output is None:
            raise ConvertError("-o FOLDER says where checkpoints and metrics go")
        folder = _fresh(Path(args.output))
        _check(args)
        images = images_of(args)
        parts = open_images(images)
        recipe = _recipe(args, images, parts.train.classes)
    if skipped := told_skipped(parts.train):
        print(fitted(skipped))
    done = run_recipe(
        recipe,
        parts,
        folder,
        weights=args.weights,
        new_head=args.new_head,
        start=start,
        workers=workers_of(args, arrays=parts.train.arrays is not None),
    )
    accuracy, step = done.best
    if done.stopping:
        print(fitted(f"stopped after step {done.step}; go on with: paddle2torch train --resume {folder}"))
        raise KeyboardInterrupt
    best = f"best test accuracy {accuracy:.2%} at step {step}"
    print(fitted(f"{best}; {folder} holds the checkpoints and {PICTURE}"))
    if beside is not None:
        draw(folder, beside)
        count, far = apart(folder, beside)
        print(
            fitted(
                f"the losses of the {counted(count, 'step')} that {beside} took too differ by at most {far:.1e} of themselves"
            )
        )
    return 0


def _finished(folder: Path) -> Path:
    from paddle2torch.training.record import STEPS, rows

    if not rows(folder / STEPS):
        raise ConvertError(f"--beside {folder}: holds no {STEPS} of `paddle2torch train`")
    return folder


def _fresh(folder: Path) -> Path:
    from paddle2torch.training.record import EPOCHS, PICTURE, STEPS

    if folder.exists() and (
        not folder.is_dir() or {path.name for path in folder.iterdir()} - {EPOCHS, PICTURE, STEPS}
    ):
        raise ConvertError(
            f"{folder}: is there already; name another folder, or go on with --resume {folder}"
        )
    return folder


def _check(args: argparse.Namespace) -> None:
    from paddle2torch.training.setting import at_least, frameworks_of, require_there

    frameworks_of(args)
    if args.weights is not None:
        require_there(args.weights)
    for name, (other, values) in ONLY_WITH.items():
        if getattr(args, name) is not None and (getattr(args, other) or DEFAULTS[other]) not in values:
            flags = [f"--{one.replace('_', '-')}" for one in (name, other)]
            raise ConvertError(f"{flags[0]} has a meaning only with {flags[1]} {' or '.join(values)}")
    if args.schedule == "multistep" and args.milestones is None:
        raise ConvertError("--schedule multistep needs --milestones, such as 30,60")
    if args.freeze and args.features_lr is not None:
        raise ConvertError("--freeze and --features-lr: frozen layers have no rate; give one of them")
    if args.head is not None and not args.freeze and args.features_lr is None:
        raise ConvertError("--head says which layers are trained apart: add --features-lr SHARE or --freeze")
    if args.new_head and args.weights is None:
        raise ConvertError("--new-head is for --weights FILE: without it every layer is new")
    if args.split is not None and args.validation is not None:
        raise ConvertError("--split and --validation: the images to test with are one or the other")
    for option, least in {
        "epochs": 1,
        "batch": 1,
        "lr": 0,
        "momentum": 0,
        "weight_decay": 0,
        "step_size": 1,
    }.items():
        at_least(getattr(args, option), least, f"--{option.replace('_', '-')}")
    for option in ("gamma", "warmup", "save_every", "features_lr", "seed"):
        at_least(getattr(args, option), 0, f"--{option.replace('_', '-')}")
    if args.dropout is not None and not 0 <= args.dropout < 1:
        raise ConvertError(f"--dropout {args.dropout:g}: from 0 to less than 1")


def _recipe(args: argparse.Namespace, images: Images, classes: tuple[str, ...]) -> Recipe:
    from paddle2torch.training.recipe import Recipe
    from paddle2torch.training.schedules import Schedule
    from paddle2torch.training.setting import frameworks_of, network_of

    one_logit = args.loss == "bce" or (args.loss is None and args.num_classes == 1)
    if one_logit and len(classes) != 2:
        raise ConvertError(
            f"one logit tells two classes apart, and the images have {len(classes)}; leave --num-classes 1 and --loss bce out"
        )
    (framework,) = frameworks_of(args)
    network = network_of(args, framework, classes=1 if one_logit else len(classes), dropout=args.dropout)
    how = {
        name: default if (given := getattr(args, name)) is None else given
        for name, default in DEFAULTS.items()
    }
    return Recipe(
        network,
        images,
        classes,
        loss="bce" if one_logit else "ce",
        optimizer=how["optimizer"],
        rate=how["lr"],
        momentum=how["momentum"],
        weight_decay=how["weight_decay"],
        schedule=Schedule(
            how["schedule"],
            step_size=how["step_size"],
            milestones=_milestones(how["milestones"]),
            gamma=how["gamma"],
            warmup=how["warmup"],
        ),
        epochs=args.epochs or 1,
        batch=args.batch or 32,
        seed=how["seed"],
        head=tuple(filter(None, (args.head or "").split(","))),
        features_rate=0.0 if args.freeze else how["features_lr"],
        save_every=how["save_every"],
    )


def _milestones(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise ConvertError(f"--milestones {text}: write epochs, such as 30,60") from None


def _resumed(args: argparse.Namespace) -> tuple[Checkpoint, Recipe, Path]:
    """The checkpoint, the recipe as it was but for what may change, and the folder to go on in."""
    from dataclasses import replace

    from paddle2torch.training.checkpoints import read
    from paddle2torch.training.setting import device_of, require_known, written

    ignored = sorted(
        name
        for name, value in vars(args).items()
        if name not in (*GOING_ON, "command", "_given") and value not in (None, False, "{}")
    )
    if ignored:
        raise ConvertError(f"--resume goes on with what the run was: leave {written(ignored)} out")
    start = read(Path(args.resume))
    recipe = start.standing.recipe
    framework = args.framework or recipe.network.framework
    require_known(recipe.network, framework, args.resume)
    if args.output is None and framework != recipe.network.framework:
        raise ConvertError(
            f"the run in {args.resume} is {recipe.network.framework}'s: say with -o where {framework} goes on"
        )
    folder = _fresh(Path(args.output)) if args.output is not None else start.folder.parent
    if args.epochs is not None and args.epochs != recipe.epochs:
        if recipe.schedule.kind == "cosine":
            raise ConvertError(
                "--epochs: a cosine goes to the end that it was made for; it cannot be changed on the way"
            )
        recipe = replace(recipe, epochs=args.epochs)
    if args.device is not None:
        recipe = replace(recipe, network=replace(recipe.network, device=device_of(args, framework)))
    return start, recipe.in_framework(framework), folder
