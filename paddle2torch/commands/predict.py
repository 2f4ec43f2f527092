"""`paddle2torch predict`: what pictures show, by name, from either framework or both side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from paddle2torch.training.predict import Prediction


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.training.options import (
        add_checkpoint_options,
        add_network_options,
        add_transform_options,
    )

    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="image files")
    add_network_options(parser, both=True, option=True)
    add_checkpoint_options(parser)
    add_transform_options(parser.add_argument_group("images"))
    shown = parser.add_argument_group("what is shown")
    shown.add_argument(
        "--names", metavar="FILE", help="names of the classes: one a line, or JSON; default: the run's"
    )
    shown.add_argument("--names-zh", metavar="FILE", help="their Chinese names")
    shown.add_argument("--top", type=int, default=5, metavar="N", help="how many classes (default 5)")
    shown.add_argument("--annotate", metavar="FOLDER", help="write each picture with its classes under it")
    shown.add_argument("--force", action="store_true", help="replace pictures there")
    shown.add_argument("--json", action="store_true", help="print JSON instead of tables")


def run(args: argparse.Namespace) -> int:
    """Show the classes; 1 where the two frameworks name another class first."""
    from convert.checkpoint.source import SourceFile
    from paddle2torch.training.answers import open_network
    from paddle2torch.training.predict import check_names, differences, predict, read_names
    from paddle2torch.training.runner import pipeline_of
    from paddle2torch.training.setting import at_least, frameworks_for, setting_of
    from paddle2torch.training.sources import PIXELS

    at_least(args.top, 1, "--top")
    sides = frameworks_for(args)
    setting = setting_of(args)
    names = {language: read_names(file) for language, file in _name_files(args).items()}
    classes = None if setting.recipe is None else setting.recipe.classes
    if classes is not None:
        names.setdefault("names", list(classes))
    wanted = len(names["names"]) if "names" in names else None
    pipeline = pipeline_of(setting.images, setting.images.transforms)
    if setting.images.channels not in PIXELS:
        raise ConvertError(f"pictures have 1 or 3 channels, and the network takes {setting.images.channels}")
    pixels = PIXELS[setting.images.channels]
    for picture in args.pictures:
        SourceFile(picture).close()  # a wrong path is told before a framework is imported
    asks = {side: open_network(setting.network(side, wanted), setting.weights) for side in sides}
    report = []
    same = True
    for picture in args.pictures:
        found = {
            side: predict(ask, Path(picture), pipeline, pixels=pixels, top=args.top)
            for side, ask in asks.items()
        }
        count = max(2, len(next(iter(found.values())).logits))
        for language, file in _name_files(args).items():
            check_names(names[language], count, file)
        rows = {side: _rows(one, names) for side, one in found.items()}
        same &= len({one.best[0] for one in found.values()}) == 1
        entry: dict[str, Any] = {
            "picture": picture,
            **rows,
            "seconds": {s: one.seconds for s, one in found.items()},
        }
        if len(found) == 2:
            entry["logit_difference"], entry["probability_difference"] = differences(found)
        report.append(entry)
        if not args.json:
            print("\n" * (len(report) > 1), end="")
            _show(entry, found)
        if args.annotate is not None:
            _annotate(args, Path(picture), rows)
    if args.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0 if same else 1


def _name_files(args: argparse.Namespace) -> Mapping[str, str]:
    return {name: file for name in ("names", "names_zh") if (file := getattr(args, name)) is not None}


def _rows(prediction: Prediction, names: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {
            "class": place,
            **{language: held[place] for language, held in names.items() if place < len(held)},
            "probability": share,
        }
        for place, share in zip(prediction.best, prediction.shares, strict=True)
    ]


def _line(row: Mapping[str, Any]) -> str:
    """`97.31 %  7 cat 猫`."""
    called = [str(row[name]) for name in ("names", "names_zh") if name in row]
    return " ".join([f"{row['probability']:8.3%}", *(called or [f"class {row['class']}"])])


def _show(entry: Mapping[str, Any], found: Mapping[str, Prediction]) -> None:
    from convert.columns import Column, aligned
    from paddle2torch.console import fitted, table_width

    print(entry["picture"])
    columns = (
        Column("", right=True),
        *(Column(f"{side} ({one.seconds * 1e3:.0f} ms)") for side, one in found.items()),
    )
    lines = zip(*([_line(row) for row in entry[side]] for side in found), strict=True)
    cells = [(str(place + 1), *line) for place, line in enumerate(lines)]
    for line in aligned(columns, cells, table_width()).lines():
        print(line)
    if "logit_difference" in entry:
        of_a_logit, of_a_probability = entry["logit_difference"], entry["probability_difference"]
        print(
            fitted(
                f"greatest difference: {of_a_logit:.1e} of a logit, {of_a_probability:.1e} of a probability"
            )
        )


def _annotate(args: argparse.Namespace, picture: Path, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    import io

    from convert.write.atomic import AtomicFile
    from paddle2torch.training.predict import annotated

    folder = Path(args.annotate)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [_line(row).strip() for row in next(iter(rows.values()))]
    with AtomicFile(folder / f"{picture.stem}.png", force=args.force) as file:
        held = io.BytesIO()
        annotated(picture, lines).save(held, format="PNG")
        file.write(held.getvalue(), 0)
