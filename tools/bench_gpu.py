"""Measure pre-training on a GPU: what a step costs, its share of the matrix peak, and whether the store feeds it.

    python tools/bench_gpu.py --chips 2000                 about a minute and a half
    python tools/bench_gpu.py --chips 64 --tiny            that it runs at all, also on a CPU

The peak is measured in the same run, by a product of two large matrices in bfloat16. Work is counted by PyTorch's
own counter over one step: every product of the forward and the backward pass. A step gets its crops on the device; the
last columns say how fast crops are made there, and how fast chips are read, scaled and sent. Results go to
runs/bench/gpu.json.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
from accelerate import Accelerator
from bench import FOLDER, ROOT, Plain, simulated
from torch.utils.flop_counter import FlopCounterMode

CASES = {  # model, patch, pixels of global and local crops, sensors, chips per step
    "Ti/16 224/96, 2 bands": ("vit_tiny_patch16_224", 16, (224, 96), "s1", 256),
    "S/16 224/96, 2 bands": ("vit_small_patch16_224", 16, (224, 96), "s1", 256),
    "S/16 224/96, 14 bands": ("vit_small_patch16_224", 16, (224, 96), "s1+s2", 256),
    "S/8 112/48, 2 bands": ("vit_small_patch16_224", 8, (112, 48), "s1", 256),
    "S/8 112/48, 14 bands": ("vit_small_patch16_224", 8, (112, 48), "s1+s2", 256),
}
TINY = {"tiny, 14 bands": ("test_vit", 8, (32, 16), "s1+s2", 4)}


def wait(device: torch.device) -> None:
    "Let the GPU finish."
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work, device: torch.device, rounds: int, warm: int = 2) -> float:
    "Median time of one call, the GPU's work included."
    found = []
    for turn in range(warm + rounds):
        wait(device)
        began = time.perf_counter()
        work()
        wait(device)
        found.append(time.perf_counter() - began)
    return statistics.median(found[warm:])


def matrix_peak(device: torch.device, side: int) -> float:
    "FLOP/s of a square product in bfloat16."
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, device, 10)


class PlainOnDevice(Plain):
    "The plain step of `bench.py` in bfloat16, on the device."

    def __init__(self, network, prototypes: int, device: torch.device):
        super().__init__({"network": network, "head": {"prototypes": prototypes}})
        self.device, self.centre = device, self.centre.to(device)

    def autocast(self, bf16: bool):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=bf16)


def measure(case: tuple, store, device: torch.device, rounds: int, plain: bool) -> dict[str, float]:
    "One geometry: a step, its work, its crops, its chips."
    from sar_ssl.models.dino import DinoNetwork, DINOHead
    from sar_ssl.models.vit import create_vit
    from sar_ssl.augment.context import StepContext
    from sar_ssl.augment.views import Augmentation, Views, make_views, radiometry_of
    from sar_ssl.weights.checkpoint import ModelCard
    from sar_ssl.pretraining.step import Distillation, StepViews
    from sar_ssl.pretraining.config import PretrainConfig
    from sar_ssl.pretraining.setup import schedule_values, open_reader

    model, patch, sizes, sensors, batch = case
    method = "dino_mm" if sensors == "s1+s2" else "dino"
    config = PretrainConfig(chips=str(store), sensors=sensors, method=method, model=model, patch_size=patch,
                            batch_size=batch, steps=1000, precision="bf16", prototypes=65536, hidden=2048)
    reader = open_reader(config)
    card = ModelCard(config.method, config.recipe, model, sensors, sizes[0], patch, reader.contracts)
    accelerator = Accelerator(cpu=device.type == "cpu")
    state = Distillation(config, card, device)
    augmentation = Augmentation(Views(*sizes), sensor_drop=config.sensor_drop if len(reader.channels) > 1 else 0.0)
    context, about = StepContext(0, 0, slice(0, batch), batch, device), radiometry_of(reader.contracts)
    read = lambda: reader.images(range(batch), device)
    images = read()
    cut = lambda: make_views(images, augmentation, about, context)
    crops, now = cut(), schedule_values(config, 500, 10)
    step = lambda: state.train_step(StepViews(crops), now, accelerator, state.student, False)
    with FlopCounterMode(display=False) as counter:
        step()
    found = dict(batch=batch, work=counter.get_total_flops(), step=seconds(step, device, rounds),
                 views=seconds(cut, device, rounds), read=seconds(read, device, rounds))
    if device.type == "cuda":
        found["memory_gb"] = torch.cuda.max_memory_allocated(device) / 2**30
        torch.cuda.reset_peak_memory_stats(device)
    if plain:
        network = lambda: DinoNetwork(create_vit(model, card.bands, sizes[0], patch),
                                      DINOHead(state.student.backbone.embed_dim, 65536, 2048)).to(device)
        slow = PlainOnDevice(network, 65536, device)
        found["plain"] = seconds(lambda: slow.step(crops, True), device, rounds)
    return found


def report(peak: float, rows: dict[str, dict]) -> None:
    "The table, in chips per second."
    print(f"matrix peak {peak / 1e12:.0f} TFLOP/s\n\n{'chips/s, bfloat16':24}{'batch':>6}{'step':>8}{'TFLOP/s':>9}"
          f"{'of peak':>9}{'views':>8}"
          f"{'read':>8}{'one after another':>19}{'GB':>6}{'plain step':>12}{'ratio':>7}")
    for name, row in rows.items():
        rate = lambda *parts: row["batch"] / sum(row[part] for part in parts)
        speed = row["work"] / row["step"]
        beside = f"{rate('plain'):12.0f}{row['plain'] / row['step']:7.2f}" if "plain" in row else ""
        print(f"{name:24}{row['batch']:6}{rate('step'):8.0f}{speed / 1e12:9.1f}{speed / peak:9.1%}"
              f"{rate('views'):8.0f}{rate('read'):8.0f}"
              f"{rate('step', 'views', 'read'):19.0f}{row.get('memory_gb', 0):6.1f}{beside}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=2000, help="chips of the store that is measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to see that it runs")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not options.tiny:
        parser.error("no GPU was found; on a CPU use tools/bench.py, or --tiny to see that this runs")
    FOLDER.mkdir(parents=True, exist_ok=True)
    store = simulated(options.chips)
    peak = matrix_peak(device, 256 if options.tiny else 8192)
    cases = TINY if options.tiny else CASES
    rows = {name: measure(case, store, device, options.rounds, name.startswith(("Ti", "tiny")))
            for name, case in cases.items()}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}")
    report(peak, rows)
    described = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    commit = described.stdout.strip()
    result = dict(device=name, torch=torch.__version__, peak=peak, rows=rows, commit=commit)
    (FOLDER / "gpu.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
