"""Measure our step beside lightly's, and a batch in parts beside the same batch at once.

    pip install --no-deps lightly==1.6.0 lightly-utils==0.0.2      lightly is no dependency of the project
    python tools/bench_peer.py                                     about twelve minutes on two cores

Lightly's step is put together from its parts as its documentation puts them together: a view at a time through backbone
and head, its loss, its average of the teacher, its freezing of the last layer; AdamW is PyTorch's. Networks, crops,
prototypes and batches are those of bench.py, the steps take turns in one process. Ours also clips gradients and keeps
numbers for the log. For a batch in parts every way has a
process of its own, so that its peak memory is its own; the reference is the plain way of bench.py.
"""
import argparse
import json
import statistics
import time
from functools import partial
from importlib import import_module

import bench

GOALS = {"S/16 224/96": ("P4 >= 2", "P4 >= 1.7"), "Ti/16 112/48": ("P4 >= 2.1", "P4 >= 2.1"),  # fp32, bf16
         "Ti/8 56/24": ("", "")}
PARTS = {"plain": 0, "ours at once": 0, "ours in parts of 8": 8}  # chips in the networks at a time


class Lightly:
    "A step of DINO from lightly's parts."

    def __init__(self, case: dict, bf16: bool):
        import torch
        from sar_ssl.models.vit import create_vit

        heads, utils = (import_module(f"lightly.models.{name}") for name in ("modules", "utils"))  # not required by us
        self.bf16, self.update_momentum = bf16, utils.update_momentum

        def network():
            backbone = create_vit(case["model"], 2, case["sizes"][0], case["patch"])
            sizes = backbone.embed_dim, case["head"]["hidden"], 256, case["head"]["prototypes"]
            head = heads.DINOProjectionHead(*sizes, freeze_last_layer=0)
            return torch.nn.Sequential(backbone, head)

        self.student, self.teacher = network(), network()
        self.teacher.load_state_dict(self.student.state_dict())
        utils.deactivate_requires_grad(self.teacher)
        self.loss = import_module("lightly.loss").DINOLoss(case["head"]["prototypes"])
        self.optimiser = torch.optim.AdamW(self.student.parameters(), lr=1e-5, weight_decay=0.04)

    def step(self, crops) -> dict[str, float]:
        "Seconds of one step, and the loss."
        import torch

        began = time.perf_counter()
        self.update_momentum(self.student, self.teacher, m=0.996)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            with torch.no_grad():
                theirs = [self.teacher(crop) for crop in crops[:2]]
            ours = [self.student(crop) for crop in crops]
        loss = self.loss([out.float() for out in theirs], [out.float() for out in ours], epoch=0)
        self.optimiser.zero_grad()
        loss.backward()
        self.student[1].cancel_last_layer_gradients(current_epoch=0)
        self.optimiser.step()
        return dict(step=time.perf_counter() - began, loss=loss.item())


def beside_lightly(name: str, store: str, rounds: int) -> dict[str, float]:
    "Median seconds of a step for each way, the ways in turns after one step each to warm up."
    case, found = bench.STEPS[name], {}
    trainers = {f"{who} {kind}": trainer(case, kind == "bf16") for kind in ("fp32", "bf16")
                for who, trainer in (("lightly", Lightly), ("ours", bench.Ours))}
    for turn in range(rounds + 1):
        for way, trainer in trainers.items():
            crops, _ = bench.crops_of(store, case, turn)
            found.setdefault(way, []).append(trainer.step(crops)["step"])
    return {way: statistics.median(seconds[1:]) for way, seconds in found.items()}


def in_parts(way: str, precision: str, store: str, rounds: int) -> dict[str, float]:
    "Median seconds of a step on 32 chips, and the peak memory of this process in MB."
    case, bf16 = bench.STEPS["S/16 224/96"] | dict(batch=32), precision == "bf16"
    if way == "plain":
        step = partial(bench.plain_trainer(case).step, bf16=bf16)
    else:
        step = bench.Ours(case | {"head": case["head"] | {"micro_batch": PARTS[way]}}, bf16).step
    spent = [step(bench.crops_of(store, case, turn)[0])["step"] for turn in range(rounds + 1)]
    return dict(step=statistics.median(spent[1:]), memory_mb=bench.peak_mb())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--call", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:
        function, *given, rounds = arguments.call
        print(json.dumps(globals()[function](*given, int(rounds))))
        return
    call, store = partial(bench.call, file=__file__), bench.simulated(512)
    rows = []
    for name, goals in GOALS.items():
        found = call("beside_lightly", name, store, arguments.rounds)
        for kind, goal in zip(("fp32", "bf16"), goals):
            ours, theirs = found[f"ours {kind}"], found[f"lightly {kind}"]
            rows.append((f"{name} {kind}, s per step", f"{ours:.2f}", f"{theirs:.2f} lightly",
                         f"{theirs / ours:.2f}", goal))
    for precision, most in (("fp32", 32), ("bf16", 40)):
        found = {way: call("in_parts", way, precision, store, 1) for way in PARTS}
        for way in list(PARTS)[1:]:
            ours, plain = found[way], found["plain"]
            rows.append((f"S/16, 32 chips {precision}, {way}, s", f"{ours['step']:.1f}", f"{plain['step']:.1f} plain",
                         f"{plain['step'] / ours['step']:.2f}", "P5 >= 1.2"))
            rows.append((f"S/16, 32 chips {precision}, {way}, MB", f"{ours['memory_mb']:.0f}",
                         f"{plain['memory_mb']:.0f} plain",
                         f"{ours['memory_mb'] / plain['memory_mb']:.2f}", f"P5 <= 0.{most}"))
    bench.table(rows)


if __name__ == "__main__":
    main()
