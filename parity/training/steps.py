"""Optimizer steps on both sides: do the two networks learn the same, and if not, whose fault is it?

Three trainings run side by side in float64. Paddle's and torch's run freely, each on its own weights: what a user
would see. The third is torch again, but at every step it starts from Paddle's weights and statistics, and its
optimizer gets Paddle's gradients: its loss and gradients then judge the model, its step judges the optimizer,
and neither inherits the other's error or an earlier step's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.align.alignment import Alignment
from parity.align.weights import WeightPair
from parity.capture.training import Settings, Step, Trainer
from parity.explain.words import show
from parity.limits import DRIFT, EPS64, FORWARD_SHARE, GRADIENT_CONSTANTS, MARGIN, RECOMPUTED, UPDATE_CONSTANT
from parity.ops.attributes import same_value
from parity.ops.table import clip_epsilon, float32_settings, update_rule
from parity.results.finding import Finding, Note, Shows, Subject
from parity.trace.values import Array
from parity.training.clipping import LARGE, Clipped, clip_fix
from parity.training.record import Drift, TrainingJudgement, few
from parity.training.settings import ADVICE, as_argument
from parity.training.update_rules import RULES, Differing, Prediction


def judge_training(
    paddle: Trainer,
    torch: Trainer,
    replay: Trainer,
    inputs: Mapping[str, Array],
    steps: int,
    twins: Sequence[WeightPair],
    alignment: Alignment,
    *,
    known: Sequence[Finding] = (),
    level: float = 0.0,
) -> TrainingJudgement:
    """Train `steps` steps and judge them. `torch` and `replay` are two copies of one model and optimizer.

    known: what forward and backward showed; a layer with a finding there is not blamed again. level: the largest
    relative difference of forward values, which float32 constants of a framework may explain.
    """
    return _Training(paddle, torch, replay, twins, alignment, known, level).run(inputs, steps)


class _Training:
    def __init__(
        self,
        paddle: Trainer,
        torch: Trainer,
        replay: Trainer,
        twins: Sequence[WeightPair],
        alignment: Alignment,
        known: Sequence[Finding],
        level: float,
    ) -> None:
        self.paddle, self.torch, self.replay = paddle, torch, replay
        self.twins, self.alignment = list(twins), alignment
        self.known = {finding.layer for finding in known}
        self.share = max(RECOMPUTED, FORWARD_SHARE * level)
        self.gradient_faults = bool(known)
        self.result = TrainingJudgement()
        self.drift = Drift()
        self.room = UPDATE_CONSTANT
        self.updates: dict[str, float] = {}
        self.prediction: Prediction | None = None
        self.off_formula: dict[str, float] = {}
        self.said: set[tuple[str, str]] = set()
        self.explained: set[str] = set()
        self.rates: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def run(self, inputs: Mapping[str, Array], steps: int) -> TrainingJudgement:
        first = self.paddle.settings(), self.replay.settings()
        for trainer in (self.torch, self.replay):
            trainer.round(float32_settings(first[0].name))
        self.result.notes += [Note(text) for text in (*first[0].notes, *first[1].notes)]
        if first[0].rule == first[1].rule and first[0].rule in RULES:
            self.prediction = Prediction(RULES[first[0].rule])
        for step in range(steps):
            self._step(inputs, step)
        self._audit(*first)
        self._schedule()
        self._unexplained_updates(*first)
        self._summary(steps)
        return self.result

    # -- one step ---------------------------------------------------------------------------------

    def _step(self, inputs: Mapping[str, Array], number: int) -> None:
        before = self.paddle.state()
        self.replay.load(self._as_torch(before, self.replay.state()))
        expected, free, alone = (t.backward(inputs) for t in (self.paddle, self.torch, self.replay))
        self._loss(expected, alone, number, agree=self._gradients(expected, alone, number))
        self._statistics(expected, alone, number)
        self._rates()
        given = self._gradients_as_torch(expected.gradients, self.replay.state())
        start = self.replay.state()
        clipped = self._clipping(expected.gradients, given, number)
        # A step of the user's own may clip by itself: then it is compared as a whole.
        settings = self.replay.settings()
        whole = settings.custom and not settings.hooks
        predicted = self._predict(before, clipped, settings)
        self.replay.step(given if whole else self._gradients_as_torch(clipped, start), raw=True)
        self.paddle.step(expected.gradients)
        self.torch.step(free.gradients)
        self._compare_updates(before, start, predicted)
        for trainer in (self.paddle, self.torch, self.replay):
            trainer.advance()
        self._measure_drift(expected, free)

    def _as_torch(self, paddle: Mapping[str, Array], torch: dict[str, Array]) -> dict[str, Array]:
        """torch's state with Paddle's numbers in every weight that corresponds."""
        arrays = {name: np.ascontiguousarray(array) for name, array in torch.items()}
        for twin in self.twins:
            numbers = twin.paddle.read(paddle)
            if numbers is not None and twin.name in arrays:
                twin.torch.write(arrays, numbers)
        return arrays

    def _gradients_as_torch(
        self, paddle: Mapping[str, Array], torch: Mapping[str, Array]
    ) -> dict[str, Array]:
        arrays: dict[str, Array] = {}
        for twin in self.twins:
            numbers = twin.paddle.read(paddle)
            if numbers is not None:
                arrays.setdefault(twin.name, np.zeros(torch[twin.name].shape))
                twin.torch.write(arrays, numbers)
        return arrays

    def _loss(self, expected: Step, alone: Step, number: int, *, agree: bool) -> None:
        """Losses at Paddle's weights; where only they differ, the training does not notice."""
        gap = abs(alone.loss - expected.loss)
        if number == 0 or self.gradient_faults or gap <= self.share * max(abs(expected.loss), 1.0):
            return
        if agree and ("loss", "") not in self.said:
            self.said.add(("loss", ""))
            self.result.notes.append(
                Note(
                    f"loss: at step {number + 1}, at the same weights, torch has {alone.loss:.9g}, Paddle {expected.loss:.9g}, "
                    "while every gradient agrees. Paddle's softmax on a CPU cuts scores off at 64 below the largest, so "
                    "that its cross entropy never exceeds 64: the training has diverged that far",
                    "",
                    {"Paddle's loss": expected.loss, "torch's loss": alone.loss, "step": number + 1},
                )
            )

    def _gradients(self, expected: Step, alone: Step, number: int) -> bool:
        """After the first step (which `judge_gradients` looked into), at Paddle's weights: whether they agree."""
        if number == 0 or self.gradient_faults:
            return True
        agree = True
        largest = max((float(np.abs(g).max(initial=0.0)) for g in expected.gradients.values()), default=0.0)
        for twin in self.twins:
            e, a = twin.paddle.read(expected.gradients), twin.torch.read(alone.gradients)
            if e is None or a is None:
                continue
            gap = float(np.abs(a - e).max(initial=0.0))
            if (
                gap
                > max(GRADIENT_CONSTANTS, self.share) * float(np.abs(e).max(initial=0.0))
                + self.share * largest
            ):
                agree = False
                self._layer(
                    twin,
                    Subject.GRADIENT,
                    f"the gradient of `{twin.name}` differs at step {number + 1}, although it agreed at the first",
                    "look for something in the model that changes from call to call",
                    {"max abs": gap, "scale": float(np.abs(e).max(initial=0.0)), "step": number + 1},
                    Shows.GRADIENTS,
                )
        return agree

    def _statistics(self, expected: Step, alone: Step, number: int) -> None:
        """Buffers after one forward pass from Paddle's: a running mean, a running variance as Paddle keeps it."""
        for twin in self.twins:
            e, a = twin.paddle.read(expected.buffers), twin.torch.read(alone.buffers)
            if e is None or a is None or twin.pair.torch.module in self.known:
                continue
            scale = float(np.abs(e).max(initial=0.0))
            gap = float(np.abs(a - e).max(initial=0.0))
            if gap > self.share * scale:
                off = f"{gap / scale if scale else gap:.1e} of its scale"
                if twin.pair.torch.kind == "batch_norm":
                    cause = f"`{twin.name}` differs after step {number + 1} by {off}, and not only by biased against unbiased variance"
                    fix = "update the statistics as Paddle's layer does: the same momentum, once per forward"
                else:
                    cause = f"the buffer `{twin.name}` is updated differently: it differs after step {number + 1} by {off}"
                    fix = f"compare the lines that write `{twin.name}` with those that write Paddle's `{twin.paddle.name}`"
                evidence = {"max abs": gap, "scale": scale, "step": number + 1}
                self._layer(twin, Subject.STATISTIC, cause, fix, evidence, Shows.STATISTICS)

    def _layer(
        self,
        twin: WeightPair,
        subject: Subject,
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        shows: Shows,
    ) -> None:
        node = twin.pair.torch
        if node.module in self.known:
            return
        self.known.add(node.module)
        graph = self.alignment.torch
        self.result.findings.append(
            Finding(
                layer=node.module,
                operator=node.kind,
                where=graph.trace.constructors.get(node.module, "") or node.line,
                cause=cause,
                fix=fix,
                evidence=evidence,
                layer_paddle=twin.pair.paddle.module,
                where_paddle=twin.pair.paddle.line,
                subject=subject,
                attribute=twin.name,
                shows=shows,
                order=twin.pair.paddle.order,
            )
        )

    # -- the optimizer ----------------------------------------------------------------------------

    def _finding(
        self,
        key: tuple[str, str],
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        subject: Subject = Subject.OPTIMIZER,
        *,
        attribute: str = "",
        values: tuple[Any, Any] | None = None,
        shows: Shows = Shows.WEIGHTS,
    ) -> None:
        if key in self.said:
            return
        self.said.add(key)
        self.result.findings.append(
            Finding(
                layer="optimizer",
                operator=self.replay.settings().name,
                where=self.replay.settings().where,
                cause=cause,
                fix=fix,
                evidence=evidence,
                layer_paddle="optimizer",
                where_paddle=self.paddle.settings().where,
                subject=subject,
                attribute=attribute,
                values={} if values is None else {"paddle": values[0], "torch": values[1]},
                shows=shows,
                order=float("inf"),
            )
        )

    def _clipping(
        self, raw: Mapping[str, Array], given: Mapping[str, Array], number: int
    ) -> dict[str, Array]:
        """What both clips make of the same gradients; returned as Paddle clips them.

        Where these gradients are too small to be clipped, gradients of the same directions that are not show it.
        """
        paddle, torch = self.paddle.settings(), self.replay.settings()
        clipped = self.paddle.clipped(raw)
        if torch.custom and not torch.hooks:
            norm = np.sqrt(sum(float((array**2).sum()) for array in raw.values()))
            if paddle.clip and norm:
                self.room = max(self.room, 1.1 * clip_epsilon() / norm)
            return clipped
        found = self._clip_gap(raw, clipped, self.replay.clipped(given))
        told = ""
        if found.worst <= RECOMPUTED and number == 0 and (paddle.clip or torch.hooks):
            large = {name: LARGE * array for name, array in raw.items()}
            as_torch = {name: LARGE * array for name, array in given.items()}
            found = self._clip_gap(large, self.paddle.clipped(large), self.replay.clipped(as_torch))
            told = f"; seen on {LARGE:g} times these gradients, which are too small to be clipped"
        if found.worst <= RECOMPUTED:
            return clipped
        evidence = {**{f"gradient norm, {key}": v for key, v in found.norms.items()}, "step": number + 1}
        if torch.hooks and found.by_constant(paddle.clip):
            if ("clip", "note") not in self.said:
                self.said.add(("clip", "note"))
                self.result.notes.append(
                    Note(
                        f"gradient clipping: torch divides by norm + 1e-6, Paddle by the norm; clipped gradients differ by "
                        f"{found.worst:.1e}, a constant of the framework that the step itself was compared without",
                        "",
                        evidence,
                    )
                )
            return clipped
        norms = found.norms
        clips: tuple[str | None, str | None] = paddle.clip, "a pre-step hook"
        if paddle.clip and abs(norms["torch"] - norms["raw"]) <= RECOMPUTED * norms["raw"]:
            cause = f"clip missing: Paddle clips with {paddle.clip}, torch steps with unclipped gradients"
            fix = clip_fix(paddle.clip)
            clips = paddle.clip, None
        elif not paddle.clip:
            cause = "clip only in torch: its pre-step hook changes the gradients, Paddle's optimizer has no grad_clip"
            fix = "remove the hook that clips"
            clips = None, "a pre-step hook"
        else:
            cause = (
                f"clip: on the same gradients torch's comes to norm {norms['torch']:.6g}, Paddle's {paddle.clip} to "
                f"{norms['paddle']:.6g}: another norm, or another kind of clipping"
            )
            fix = clip_fix(paddle.clip)
        self._finding(
            ("clip", ""),
            cause + told,
            fix,
            {**evidence, "relative difference": found.worst},
            Subject.CLIPPING,
            values=clips,
        )
        return clipped

    def _clip_gap(
        self, raw: Mapping[str, Array], expected: Mapping[str, Array], actual: Mapping[str, Array]
    ) -> Clipped:
        found, squares = Clipped(), {"raw": 0.0, "paddle": 0.0, "torch": 0.0}
        for twin in self.twins:
            r, e, a = twin.paddle.read(raw), twin.paddle.read(expected), twin.torch.read(actual)
            if r is None or e is None or a is None:
                continue
            for key, array in (("raw", r), ("paddle", e), ("torch", a)):
                squares[key] += float((array**2).sum())
            scale = float(np.abs(e).max(initial=0.0))
            if scale:
                gap = float(np.abs(a - e).max(initial=0.0)) / scale
                found.gaps.append((gap, float(np.sqrt((r**2).sum()))))
        found.norms = {key: float(np.sqrt(value)) for key, value in squares.items()}
        return found

    def _predict(
        self, before: Mapping[str, Array], gradients: Mapping[str, Array], torch: Settings
    ) -> dict[str, tuple[Array, Array]]:
        """(Paddle's, torch's) updates by the frameworks' own formulas, where these are known to differ."""
        found: dict[str, tuple[Array, Array]] = {}
        paddle = self.paddle.settings().parameters
        for twin in self.twins if self.prediction is not None else ():
            w, g = twin.paddle.read(before), twin.paddle.read(gradients)
            settings = paddle.get(twin.paddle.name), torch.parameters.get(twin.name)
            if w is not None and g is not None and settings[0] is not None and settings[1] is not None:
                assert self.prediction is not None
                found[twin.name] = self.prediction.updates(twin.name, w, g, settings[0], settings[1])
        return found

    def _compare_updates(
        self,
        before: Mapping[str, Array],
        start: Mapping[str, Array],
        predicted: Mapping[str, tuple[Array, Array]],
    ) -> None:
        """The two steps from equal weights with equal gradients: differences as a share of Paddle's update."""
        expected, actual = self.paddle.state(), self.replay.state()
        for twin in self.twins:
            w, e = twin.paddle.read(before), twin.paddle.read(expected)
            s, a = twin.torch.read(start), twin.torch.read(actual)
            if w is None or e is None or s is None or a is None or not self._trains(twin):
                continue
            update, gap = e - w, (a - s) - (e - w)
            rounding = MARGIN * EPS64 * float(np.abs(e).max(initial=0.0))
            worst, scale = float(np.abs(gap).max(initial=0.0)), float(np.abs(update).max(initial=0.0))
            other = float(np.abs(a - s).max(initial=0.0))
            largest = max(scale, other)
            share = 0.0 if worst <= rounding else worst / largest
            self.updates[twin.name] = max(self.updates.get(twin.name, 0.0), share)
            by_formula = predicted.get(twin.name)
            off = 1.0 if by_formula is None else _off(by_formula, (update, a - s), largest, rounding)
            self.off_formula[twin.name] = max(self.off_formula.get(twin.name, 0.0), off)

    def _trains(self, twin: WeightPair) -> bool:
        return (
            self.alignment.torch.trace.parameters[twin.torch.name].trainable
            and self.alignment.paddle.trace.parameters[twin.paddle.name].trainable
        )

    def _audit(self, paddle: Settings, torch: Settings) -> None:
        """Setting against setting, for every parameter."""
        if paddle.rule != torch.rule and (paddle.custom or torch.custom) and self._worst() <= self.room:
            self.result.notes.append(
                Note(
                    f"optimizer: torch's {torch.name} is a class of its own; every update is that of Paddle's {paddle.name}"
                )
            )
            return
        if paddle.rule != torch.rule:
            self._finding(
                ("rule", ""),
                f"optimizer: torch steps with {torch.name}, Paddle with {paddle.name}",
                f"use torch's counterpart of {paddle.name}",
                {"paddle": paddle.name, "torch": torch.name, "update differs by": self._worst()},
                attribute="rule",
                values=(paddle.name, torch.name),
            )
            self.explained = set(self.updates)
            return
        missing: dict[str, list[str]] = {"torch": [], "paddle": []}
        apart: dict[str, dict[str, tuple[Any, Any]]] = defaultdict(dict)
        trained = {twin.name: twin.paddle.name for twin in self.twins if self._trains(twin)}
        for name, twin in trained.items():
            actual, expected = torch.parameters.get(name), paddle.parameters.get(twin)
            if actual is None or expected is None:
                if (actual is None) != (expected is None):
                    missing["torch" if actual is None else "paddle"].append(name)
                continue
            for setting in sorted({*actual, *expected}):
                if not same_value(expected.get(setting, 0.0), actual.get(setting, 0.0)):
                    apart[setting][name] = (expected.get(setting, 0.0), actual.get(setting, 0.0))
        self.explained = {name for names in missing.values() for name in names}
        self._missing(missing)
        self._decay_coupling(apart, paddle, torch)
        apart["lr"] = {name: v for name, v in apart["lr"].items() if not self._otherwise_scheduled(name)}
        for setting in ("lr", *sorted(set(apart) - {"lr"})):
            if apart.get(setting):
                self.explained |= set(apart[setting])
                self._setting(setting, apart[setting], len(trained), paddle, torch)

    def _missing(self, missing: Mapping[str, list[str]]) -> None:
        for side, names in missing.items():
            if not names:
                continue
            here, there = ("torch", "Paddle") if side == "torch" else ("Paddle", "torch")
            self._finding(
                ("missing", side),
                f"{len(names)} parameter(s) are not in {here}'s optimizer, so they are not trained: {few(names)}; "
                f"{there}'s optimizer has them",
                "give the optimizer every parameter: model.parameters()"
                if side == "torch"
                else "leave them out of torch's optimizer too",
                {"parameters": names, "update differs by": self._worst(names)},
                attribute="parameters",
                values=(side == "torch", side == "paddle"),
            )

    def _decay_coupling(
        self, apart: dict[str, dict[str, tuple[Any, Any]]], paddle: Settings, torch: Settings
    ) -> None:
        """Adam against AdamW matters only where there is a decay."""
        names = apart.pop("decoupled", {})
        decayed = [
            name
            for name in names
            if torch.parameters[name]["weight_decay"]
            or paddle.parameters[self._paddle_name(name)]["weight_decay"]
        ]
        self.explained |= set(decayed)
        if decayed:
            coupled = "adds the decay to the gradient (L2)", "takes the decay from the weight (decoupled)"
            ours = bool(torch.parameters[decayed[0]]["decoupled"])
            self._finding(
                ("decoupled", ""),
                f"weight decay: torch's {torch.name} {coupled[ours]}, Paddle's {paddle.name} {coupled[not ours]}",
                "use torch.optim.AdamW" if not ours else "use torch.optim.Adam(weight_decay=...)",
                {"paddle": paddle.name, "torch": torch.name, "update differs by": self._worst(decayed)},
                attribute="decoupled",
                values=(not ours, ours),
            )

    def _paddle_name(self, name: str) -> str:
        return next((twin.paddle.name for twin in self.twins if twin.name == name), "")

    def _setting(
        self,
        setting: str,
        found: Mapping[str, tuple[Any, Any]],
        total: int,
        paddle: Settings,
        torch: Settings,
    ) -> None:
        by_values: dict[tuple[Any, Any], list[str]] = defaultdict(list)
        for name, values in found.items():
            by_values[values].append(name)
        for (expected, actual), names in by_values.items():
            scope = "" if len(names) == total else f" for {len(names)} of {total} parameters ({few(names)})"
            told = ADVICE.get(setting, setting)
            seen = self._worst(names) > RECOMPUTED
            note = "" if seen else "; no effect in these steps"
            if setting == "weight_decay" and scope:
                told = "scope of weight_decay"
            self._finding(
                (setting, f"{expected} {actual}"),
                f"{told}: torch has {show(actual)}, Paddle has {show(expected)}{scope}{note}",
                f"torch.optim.{torch.name}(..., {as_argument(setting, expected)})"
                + (" for these parameters" if scope else ""),
                {
                    "setting": setting,
                    "paddle": expected,
                    "torch": actual,
                    "parameters": len(names),
                    "update differs by": self._worst(names),
                },
                attribute=setting,
                values=(expected, actual),
                shows=Shows.WEIGHTS if seen else Shows.NOTHING,
            )

    def _worst(self, names: Sequence[str] | None = None) -> float:
        chosen = self.updates if names is None else {n: self.updates.get(n, 0.0) for n in names}
        return max(chosen.values(), default=0.0)

    def _unexplained_updates(self, paddle: Settings, torch: Settings) -> None:
        """Updates that differ although every setting agrees."""
        left = {name: share for name, share in self.updates.items() if name not in self.explained}
        if self.prediction is not None:
            left = self._by_formula(left, self.prediction.rule, paddle.name)
        apart = {name: share for name, share in left.items() if share > self.room}
        slight = [name for name, share in left.items() if RECOMPUTED < share <= self.room]
        if apart:
            self._finding(
                ("update", ""),
                f"update rule: from equal weights and gradients torch's {torch.name} steps differently than Paddle's "
                f"{paddle.name}{f' with {paddle.clip}' if paddle.clip and torch.custom else ''} for {len(apart)} of {len(self.updates)} parameters ({few(apart)})",
                "compare the two update formulas: the place of eps, the order of decay and momentum"
                + (f"; {paddle.name}: {rule}" if (rule := update_rule(paddle.name)) else ""),
                {"update differs by": max(apart.values()), "parameters": len(apart)},
                Subject.UPDATE,
            )
        elif slight:
            self.result.notes.append(
                Note(
                    f"optimizer: updates differ by up to {max(left[n] for n in slight):.1e} of their size: a "
                    "hyper-parameter that Paddle keeps in float32, or the 1e-6 that torch adds to a norm that it clips by",
                )
            )

    def _by_formula(self, left: Mapping[str, float], rule: Differing, name: str) -> dict[str, float]:
        """What is left of the differing updates without those that both frameworks' own formulas give."""
        kept = {
            n: share for n, share in left.items() if share <= self.room or self.off_formula[n] > self.room
        }
        given = [share for n, share in left.items() if n not in kept]
        if given:
            self.result.notes.append(
                Note(
                    f"{name}: {rule.told}; from equal weights and gradients {len(given)} of {len(self.updates)} parameters "
                    f"are updated differently, by up to {max(given):.1e} of the update, as the two formulas say: a framework "
                    f"difference, not a fault of the port. Remedy: {rule.remedy}",
                    "",
                    {"update differs by": max(given), "parameters": len(given)},
                )
            )
        return kept

    def _rates(self) -> None:
        paddle, torch = self.paddle.settings(), self.replay.settings()
        for twin in self.twins:
            expected, actual = paddle.parameters.get(twin.paddle.name), torch.parameters.get(twin.name)
            if expected is not None and actual is not None:
                self.rates[twin.name].append((expected["lr"], actual["lr"]))

    def _otherwise_scheduled(self, name: str) -> bool:
        """Whether a rate that changes from step to step is not just another one of the same course."""
        rates = self.rates[name]
        moving = any(rate != rates[0] for rate in rates)
        (e_0, a_0) = rates[0] if rates else (0.0, 0.0)
        return moving and not all(same_value(e * a_0, a * e_0) for e, a in rates)

    def _schedule(self) -> None:
        """Learning rates that start equal and part later."""
        parted = {}
        for name, rates in self.rates.items():
            late = [i for i, (e, a) in enumerate(rates) if not same_value(e, a)]
            if late and (late[0] > 0 or self._otherwise_scheduled(name)):
                parted[name] = late[0]
        self.explained |= set(parted)
        if not parted:
            return
        name, step = next(iter(parted.items()))
        rates = self.rates[name]
        expected, actual = rates[step]
        self._finding(
            ("schedule", ""),
            f"learning rate schedule: equal until step {step}, at step {step + 1} torch has {show(actual)}, "
            f"Paddle has {show(expected)}"
            if step
            else "learning rate schedule: other rates from the first step on: torch has "
            f"{', '.join(show(a) for _, a in rates[:4])}, Paddle has {', '.join(show(e) for e, _ in rates[:4])}",
            "compare the schedules' settings, and how often each is stepped",
            {
                "Paddle's rates": [e for e, _ in rates],
                "torch's rates": [a for _, a in rates],
                "of": name,
                "update differs by": self._worst(list(parted)),
            },
            Subject.SCHEDULE,
            attribute="lr",
            values=([e for e, _ in rates], [a for _, a in rates]),
        )

    # -- the free trainings -----------------------------------------------------------------------

    def _measure_drift(self, expected: Step, free: Step) -> None:
        self.drift.losses.append((expected.loss, free.loss))
        paddle, torch = self.paddle.state(), self.torch.state()
        weights, statistics, plain = 0.0, 0.0, 0.0
        for twin in self.twins:
            e, a = twin.paddle.read(paddle), twin.torch.read(torch)
            if e is None or a is None or not e.size:
                continue
            scale = float(np.abs(e).max()) or 1.0
            gap = float(np.abs(a - e).max()) / scale
            if self._trains(twin):
                weights = max(weights, gap)
            else:
                statistics = max(statistics, gap)
            unbiased = twin.torch.read(free.plain)
            if unbiased is not None:
                plain = max(plain, float(np.abs(unbiased - e).max()) / scale)
        self.drift.parameters.append(weights)
        self.drift.statistics.append(statistics)
        self.drift.plain.append(plain)

    def _summary(self, steps: int) -> None:
        drift = self.drift
        losses = [abs(a - e) / (abs(e) or 1.0) for e, a in drift.losses]
        worst = max((*losses, *drift.parameters, *drift.statistics), default=0.0)
        told = (
            "losses, parameters and statistics agree"
            if worst <= max(DRIFT, self.share)
            else f"every step agrees from equal weights; run freely, the two trainings drift apart by {worst:.1e}"
        )
        if not self.result.findings and not self.known:
            self.result.notes.append(
                Note(
                    f"training: {steps} step(s) with {self.paddle.settings().name} in float64 from the models' own "
                    f"weights; {told}",
                    "",
                    {
                        "Paddle's losses": [e for e, _ in drift.losses],
                        "loss differs by": losses,
                        "parameters differ by": drift.parameters,
                        "statistics differ by": drift.statistics,
                    },
                )
            )
        if drift.plain and max(drift.plain) > RECOMPUTED:
            self.result.notes.append(
                Note(
                    "running variance: Paddle accumulates the biased batch variance, torch the unbiased one; after "
                    f"{steps} step(s) they differ by {drift.plain[-1]:.1e} of their scale, and so will the evaluated "
                    "networks: a framework difference, not a fault of the port. Remedy: "
                    "parity.remedies.torch_batch_norm.use_biased_variance(model) before training in torch",
                    "",
                    {"relative difference after each step": drift.plain},
                )
            )


def _off(expected: Sequence[Array], actual: Sequence[Array], scale: float, rounding: float) -> float:
    """How far updates are from those that were foreseen, as a share of their scale."""
    gaps = (float(np.abs(a - e).max(initial=0.0)) for e, a in zip(expected, actual, strict=True))
    worst = max(gaps)
    return 0.0 if worst <= rounding else worst / scale
