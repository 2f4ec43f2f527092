"""The agreement on a data set as one HTML page that needs no network: what a team signs."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

from paddle2torch.training.agree import Job
from paddle2torch.training.errors import TrainingError

SIDE = 96
"""Pixels of the small pictures."""
HIGH, BAR = 120, 14
"""Pixels of the plot: its height, and the width of a bin."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="generator" content="paddle2torch {{ version }}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid #8884; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } .good { color: #1a7f37; } .bad { color: #cf222e; }
svg text { font: 11px system-ui; fill: currentColor; } rect { fill: #4969c7; } code { font-size: 13px; }
.sign { margin-top: 3rem; display: flex; gap: 4rem; } .sign div { border-top: 1px solid; width: 14rem; }
</style></head><body>
<h1 class="{{ 'good' if r.agrees else 'bad' }}">{{ title }}</h1>
<p>{{ sentence }}</p>
<table><tr><th></th><th>Paddle</th><th>torch</th></tr>
<tr><td>right at the first</td><td class="n">{{ percent(r.accuracy.paddle) }}</td><td class="n">{{ percent(r.accuracy.torch) }}</td></tr>
<tr><td>right among five</td><td class="n">{{ percent(r.top5.paddle) }}</td><td class="n">{{ percent(r.top5.torch) }}</td></tr></table>
<h2>Differences of logits</h2>
<p>Of each image the greatest: {{ r.differences.equal_to_the_bit }} images have none, the mean is {{ '%.1e' % r.differences.mean }}, the
greatest {{ '%.1e' % r.differences.greatest }}.</p>
<svg width="{{ width }}" height="{{ high + 40 }}" role="img" aria-label="images by the greatest difference of their logits">
{% for bar in bars %}<rect x="{{ bar.x }}" y="{{ bar.y }}" width="{{ bar.w }}" height="{{ bar.h }}"><title>{{ bar.told }}</title></rect>
{% endfor %}{% for tick in ticks %}<text x="{{ tick.x }}" y="{{ high + 16 }}" text-anchor="middle">{{ tick.told }}</text>{% endfor %}
</svg>
{% for heading, told, rows in parts %}<h2>{{ heading }}</h2><p>{{ told }}</p>
{% if rows %}<table><tr><th></th><th>image</th><th>class</th><th>Paddle</th><th>torch</th><th>difference</th><th>left in float64</th><th></th></tr>
{% for row in rows %}<tr><td>{% if row.picture %}<img src="{{ row.picture }}" alt="">{% endif %}</td><td><code>{{ row.image }}</code></td>
<td>{{ row['class'] }}</td><td>{{ row.paddle }}</td><td>{{ row.torch }}</td><td class="n">{{ '%.1e' % row.difference }}</td>
<td class="n">{{ '' if row.left_in_float64 is none else '%.1e' % row.left_in_float64 }}</td>
<td class="{{ 'good' if row.rounding else 'bad' }}">{{ 'rounding' if row.rounding else 'not rounding' }}</td></tr>{% endfor %}</table>{% endif %}
{% endfor %}
<h2>What was compared</h2><table>{% for name, value in facts %}<tr><td>{{ name }}</td><td><code>{{ value }}</code></td></tr>{% endfor %}</table>
<div class="sign"><div>name</div><div>date</div></div>
</body></html>
"""


def sentence(result: Mapping[str, Any]) -> str:
    """The result in one sentence."""
    flips = result["flips"]
    told = f"{result['equal']:,} of {result['images']:,} images are told the same by both"
    if flips["count"]:
        told += f"; of {flips['count']:,} that are not, rounding explains {flips['explained_by_rounding']:,}"
    if result["no_numbers"]:
        told += f"; to {result['no_numbers']:,} a network answers something that is no number"
    strange = [row for row in result["differences"]["largest"] if not row["rounding"]]
    if strange:
        told += f"; rounding does not explain {len(strange)} of the {len(result['differences']['largest'])} largest differences"
    return told + "."


def page(job: Job, result: Mapping[str, Any]) -> str:
    """The page; everything in it is escaped."""
    from jinja2 import Environment

    from paddle2torch.version import __version__

    differences = result["differences"]
    most = max([1, *differences["bins"]])
    used = [i for i, count in enumerate(differences["bins"]) if count] or [0]
    first, last = max(0, used[0] - 2), min(len(differences["bins"]) - 1, used[-1] + 2)
    bars = [
        {
            "x": (place - first) * BAR,
            "w": BAR - 1,
            "h": round(HIGH * count / most, 1),
            "y": round(HIGH * (1 - count / most), 1),
            "told": f"{count} images from {differences['edges'][place]:.1e} to {differences['edges'][place + 1]:.1e}",
        }
        for place, count in enumerate(differences["bins"])
        if first <= place <= last and count
    ]
    ticks = [
        {"x": (place - first) * BAR, "told": f"1e{round(math.log10(edge))}"}
        for place, edge in enumerate(differences["edges"])
        if first <= place <= last and abs(math.log10(edge) - round(math.log10(edge))) < 1e-9
    ]
    names = {name: place for place, name in enumerate(job.source.names)}

    def with_pictures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "picture": _picture(job, names[row["image"]])} for row in rows]

    flips = result["flips"]
    parts = [
        (
            "Images that are told differently",
            f"{flips['count']:,}; the first {len(flips['shown'])} were run again in float64. Rounding explains one where at most a "
            "tenth of the difference is left there.",
            with_pictures(flips["shown"]),
        ),
        (
            "The largest differences",
            "Run again in float64 in the same way.",
            with_pictures(differences["largest"]),
        ),
    ]
    identity = result["job"]
    facts = [
        *((f"{side} network", network["references"][side]) for side, network in identity["networks"].items()),
        *((f"{side} weights, SHA-256", digest) for side, digest in identity["weights"].items()),
        ("images", f"{job.images.data}, SHA-256 of names, classes and contents {identity['images']}"),
        ("transforms", identity["transforms"][0]),
        ("left out", ", ".join(f"{name} ({why})" for name, why in result["skipped"].items()) or "no image"),
    ]
    template = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    return template.render(
        title=f"{'Both networks agree' if result['agrees'] else 'The networks do not agree'} on {result['images']:,} images",
        version=__version__,
        sentence=sentence(result),
        r=result,
        percent=lambda share: f"{share:.2%}",
        bars=bars,
        ticks=ticks,
        width=(last - first + 2) * BAR,
        high=HIGH,
        parts=parts,
        facts=facts,
    )


def _picture(job: Job, place: int) -> str:
    """A small one as a data URL; "" for what is no picture."""
    if job.source.ready:
        return ""
    try:
        image: Any = job.source.image(place)
    except TrainingError:
        return ""
    image.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    image.convert("RGB").save(held, format="JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(held.getvalue()).decode()}"
