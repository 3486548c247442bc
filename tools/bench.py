"""Measure what the project promises about speed, beside a reference, and print ratios.

    python tools/bench.py                    everything, on 20,000 simulated chips
    python tools/bench.py --chips 2000       the same on fewer, in two minutes
    python tools/bench.py store              one group: chips out of the store
    python tools/bench.py step               one group: a step of pre-training and its parts, some minutes

Times on shared machines are noise; ratios of two things measured in one run, in turns, are not. Each measurement runs
in a process of its own. Results go to runs/bench/GROUP.json; the chips are kept in runs/bench for the next time.
"""
import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "runs" / "bench"
SIZE, BATCH, ROUNDS = 128, 64, 3


def simulated(chips: int) -> Path:
    "The store of simulated chips, made when it is not there."
    from sar_ssl.data.simulation.sensors import simulate_store

    return simulate_store(FOLDER / f"chips-{chips}.zarr", chips, SIZE, seed=0).path


def scale_to_bytes(values, contract):
    "Mean ± 2 standard deviations to 0..255, per band (last axis), as the DINO-MM code does."
    import numpy as np

    mean, std = np.array(contract.stats.mean, np.float32), np.array(contract.stats.std, np.float32)
    return ((values - (mean - 2 * std)) / (4 * std) * 255).clip(0, 255).astype(np.uint8)


def as_lmdb(store: Path) -> Path:
    "The same chips in the layout of DINO-MM's LMDB: pickled uint8 of S2 and float32 of S1, one record per chip."
    import lmdb
    import numpy as np
    from sar_ssl.data.store import contract_of, open_store
    from sar_ssl.data.packing import decode
    from sar_ssl.data.shards import ShardedArray, read_rows
    from tqdm import trange

    path = store.with_suffix(".lmdb")
    if path.exists():
        return path
    dataset, temporary = open_store(store), path.with_suffix(".partial")
    contracts = {sensor: contract_of(dataset, sensor) for sensor in ("s1", "s2")}
    arrays = {sensor: ShardedArray(store / sensor) for sensor in contracts}
    temporary.unlink(missing_ok=True)
    target = np.zeros(19, np.float32)
    with lmdb.open(str(temporary), map_size=2**40, subdir=False, sync=False) as env:
        for start in trange(0, dataset.sizes["chip"], 256, desc="writing LMDB", unit="batch"):
            rows = range(start, min(start + 256, dataset.sizes["chip"]))
            with env.begin(write=True) as transaction:
                s1, s2 = (decode(read_rows(arrays[sensor], rows), contracts[sensor]) for sensor in ("s1", "s2"))
                for row, radar, optical in zip(rows, s1.transpose(0, 2, 3, 1), s2.transpose(0, 2, 3, 1)):
                    optical = scale_to_bytes(np.nan_to_num(optical), contracts["s2"])
                    radar = np.nan_to_num(radar, nan=-30).astype(np.float32)
                    record = (optical.tobytes(), optical.shape, radar.tobytes(), radar.shape, target.tobytes())
                    transaction.put(str(row).encode(), pickle.dumps(record))
    os.replace(temporary, path)
    return path


def as_geotiffs(store: Path, chips: int = 400) -> Path:
    "Some of the same chips in the layout of BigEarthNet: a folder per chip, a GeoTIFF per band at its own resolution."
    import numpy as np
    import rasterio
    from sar_ssl.data.simulation.optics import FOOTPRINT
    from sar_ssl.data.store import contract_of, open_store
    from sar_ssl.data.packing import decode
    from sar_ssl.data.shards import ShardedArray, read_rows

    folder = store.with_suffix(".tifs")
    if folder.exists():
        return folder
    dataset, temporary = open_store(store), store.with_suffix(".tifs.partial")
    for sensor in ("s1", "s2"):
        contract = contract_of(dataset, sensor)
        stored = read_rows(ShardedArray(store / sensor), range(min(chips, dataset.sizes["chip"])))
        for row, chip in enumerate(stored):
            place = temporary / f"{row:06d}"
            place.mkdir(parents=True, exist_ok=True)
            for band, image in zip(contract.bands, decode(chip, contract) if sensor == "s1" else chip):
                image = np.ascontiguousarray(image[:: FOOTPRINT.get(band, 1), :: FOOTPRINT.get(band, 1)])
                rows, columns = image.shape[:2]
                with rasterio.open(place / f"{band}.tif", "w", driver="GTiff", height=rows, width=columns,
                                   count=1, dtype=image.dtype, crs="EPSG:32632",
                                   transform=rasterio.Affine(10, 0, 0, 0, -10, 0)) as file:
                    file.write(image, 1)
    os.replace(temporary, folder)
    return folder


def batches(chips: int, limit: int):
    "Random rows in batches, the same for everything that is measured, twice: the first pass fills the system's memory."
    import numpy as np

    order = np.random.default_rng(0).permutation(chips)[:limit]
    return 2 * [order[i : i + BATCH] for i in range(0, len(order), BATCH)]


def read_store_integers(store: Path, chips: int):
    "Chips as stored: integers of both sensors and their masks, as tensors."
    import torch
    from sar_ssl.data.shards import ShardedArray, read_rows

    arrays = [ShardedArray(store / name) for name in ("s2", "s1", "valid_s2", "valid_s1")]
    for rows in batches(chips, 4096):
        yield [torch.from_numpy(read_rows(array, rows)) for array in arrays]


def read_store_scaled(store: Path, chips: int, sensors: str = "s1+s2"):
    "Chips as a network sees them: float32, standardised, with masks."
    from sar_ssl.data.reader import ChipDataset

    reader = ChipDataset(store, sensors, split=None)
    for rows in batches(chips, 4096):
        yield reader.images(rows).pixels


def read_store_radar(store: Path, chips: int):
    "Integers and masks of Sentinel-1 alone: 2 of 14 bands."
    import torch
    from sar_ssl.data.shards import ShardedArray, read_rows

    arrays = [ShardedArray(store / name) for name in ("s1", "valid_s1")]
    for rows in batches(chips, 4096):
        yield [torch.from_numpy(read_rows(array, rows)) for array in arrays]


def read_zarr(store: Path, chips: int):
    "The same integers by zarr-python, chip by chip (its fastest way)."
    import numpy as np
    import torch
    import zarr

    group = zarr.open_group(store, mode="r")
    for rows in batches(chips, 256):
        yield [torch.from_numpy(np.stack([group[name][int(row)] for row in rows])) for name in ("s2", "s1")]


def read_lmdb(store: Path, chips: int):
    "Chips out of the LMDB, scaled as the DINO-MM code does, as float32 tensors."
    import lmdb
    import numpy as np
    import torch
    from sar_ssl.data.store import contract_of, open_store

    radar_contract = contract_of(open_store(store), "s1")
    env = lmdb.open(str(as_lmdb(store)), subdir=False, readonly=True, lock=False, readahead=False)
    with env.begin() as transaction:
        for rows in batches(chips, 2048):
            images = []
            for row in rows:
                # our own file, written above; a foreign pickle would never be opened
                s2, s2_shape, s1, s1_shape, _ = pickle.loads(transaction.get(str(row).encode()))
                optical = np.frombuffer(s2, np.uint8).reshape(s2_shape)
                radar = np.frombuffer(s1, np.float32).reshape(s1_shape)
                low, high = np.quantile(radar, [0.01, 0.99], axis=(0, 1))
                radar = scale_to_bytes(radar.clip(low, high), radar_contract)
                images.append(torch.from_numpy(np.concatenate([optical, radar], 2).transpose(2, 0, 1).copy()).div(255))
            yield torch.stack(images)


def read_geotiffs(store: Path, chips: int):
    "Chips out of one GeoTIFF per band, resampled to 10 m on reading, as float32 tensors."
    import numpy as np
    import rasterio
    import torch
    from rasterio.enums import Resampling

    folders = sorted(as_geotiffs(store).iterdir())
    for start in 2 * list(range(0, len(folders), BATCH)):
        images = []
        for folder in folders[start : start + BATCH]:
            bands = []
            for path in sorted(folder.iterdir()):
                with rasterio.open(path) as file:
                    bands.append(file.read(1, out_shape=(SIZE, SIZE), resampling=Resampling.bilinear))
            images.append(np.stack(bands).astype(np.float32))
        yield torch.from_numpy(np.stack(images))


# A step of pre-training. The reference is ours too: the same model and crops, driven as plain PyTorch code does it.
HEAD = dict(prototypes=65536, hidden=2048)
STEPS = {
    "S/16 224/96": dict(model="vit_small_patch16_224", patch=16, sizes=(224, 96), batch=8, head=HEAD),
    "Ti/16 112/48": dict(model="vit_tiny_patch16_224", patch=16, sizes=(112, 48), batch=32, head=HEAD),
    "Ti/8 56/24": dict(model="vit_tiny_patch16_224", patch=8, sizes=(56, 24), batch=64,
                       head=dict(prototypes=4096, hidden=1024)),
}
WAYS = ("plain fp32", "ours fp32", "plain bf16", "ours bf16")


class Plain:
    "A step the plain way: timm's forward, a loss pair by pair, and loops over the parameters."

    def __init__(self, state: dict):
        import torch
        from sar_ssl.models.dino import decay_groups, make_teacher

        self.student = state["network"]()
        self.teacher = make_teacher(self.student)
        self.centre = torch.zeros(state["head"]["prototypes"])
        self.optimiser = torch.optim.AdamW(decay_groups(self.student), lr=1e-5, weight_decay=0.04, **self.adamw)

    adamw = dict(foreach=False, fused=False)

    def network(self, which, crops):
        return which(crops).float()

    def loss(self, logits, raw):
        targets, total, terms = ((raw - self.centre) / 0.04).softmax(-1), 0.0, 0
        for g, target in enumerate(targets):
            for s in range(len(logits)):
                if s != g:
                    total, terms = total - (target * (logits[s] / 0.1).log_softmax(-1)).sum(-1).mean(), terms + 1
        return total / terms

    def clip(self):
        for p in self.student.parameters():
            if p.grad is not None and (factor := 3.0 / (p.grad.norm(2).item() + 1e-6)) < 1:
                p.grad.mul_(factor)

    def average(self):
        for t, s in zip(self.teacher.parameters(), self.student.parameters()):
            t.mul_(0.996).add_(0.004 * s.detach())

    def autocast(self, bf16: bool):
        import torch

        return torch.autocast("cpu", torch.bfloat16, enabled=bf16)

    def step(self, crops, bf16: bool) -> dict[str, float]:
        "Seconds of one step, and the loss."
        import torch

        began = time.perf_counter()
        with self.autocast(bf16):
            with torch.no_grad():
                raw = self.network(self.teacher, crops[:2])
            logits = self.network(self.student, crops)
        loss = self.loss(logits, raw)
        self.optimiser.zero_grad()
        loss.backward()
        with torch.no_grad():
            self.clip()
            self.optimiser.step()
            self.average()
            self.centre = self.centre * 0.9 + raw.mean((0, 1)) * 0.1
        return dict(step=time.perf_counter() - began, loss=loss.item())


class Ours:
    "The step of the training loop itself."

    def __init__(self, case: dict, bf16: bool):
        import torch
        from accelerate import Accelerator
        from sar_ssl.data.radiometry import S1_BANDS, Contract
        from sar_ssl.weights.checkpoint import ModelCard
        from sar_ssl.pretraining.step import Distillation
        from sar_ssl.pretraining.config import PretrainConfig
        from sar_ssl.pretraining.setup import schedule_values

        radar = Contract("s1", "GRD", S1_BANDS, "sigma0", "dB", 10.0)
        card = ModelCard("dino", "repaired", case["model"], "s1", case["sizes"][0], case["patch"], {"s1": radar})
        self.config = PretrainConfig(model=case["model"], patch_size=case["patch"], batch_size=case["batch"],
                                     drop_path=0.0, precision="bf16" if bf16 else "fp32", **case["head"])
        self.state = Distillation(self.config, card, torch.device("cpu"))
        self.accelerator, self.now = Accelerator(cpu=True), schedule_values(self.config, 10, 5)

    def step(self, crops) -> dict[str, float]:
        "Seconds of one step, and the loss."
        from sar_ssl.models.fast_vit import use_fast_products
        from sar_ssl.pretraining.step import StepViews

        with use_fast_products():  # the loop checks the products once a run, so that is no part of a step
            began = time.perf_counter()
            numbers = self.state.train_step(StepViews(crops), self.now, self.accelerator, self.state.student, False)
            spent = time.perf_counter() - began
        return dict(step=spent, loss=float(numbers["loss"]))


def crops_of(store: Path, case: dict, turn: int, sensors: str = "s1"):
    "Chips of the store as the crops of one step; and the seconds of decoding and of cutting."
    from sar_ssl.data.reader import ChipDataset
    from sar_ssl.augment.context import StepContext
    from sar_ssl.augment.views import Augmentation, Views, make_views, radiometry_of

    reader, batch = ChipDataset(store, sensors, split=None), case["batch"]
    began = time.perf_counter()
    images = reader.images([(turn * batch + i) % len(reader) for i in range(batch)])
    decoded = time.perf_counter()
    context = StepContext(seed=0, step=turn, part=slice(0, batch), batch_size=batch)
    crops = make_views(images, Augmentation(Views(*case["sizes"])), radiometry_of(reader.contracts), context)
    return crops, dict(decode=decoded - began, views=time.perf_counter() - decoded)


def plain_trainer(case: dict) -> Plain:
    "The plain way on the network of a case."
    import torch
    from sar_ssl.models.dino import DinoNetwork, DINOHead
    from sar_ssl.models.vit import create_vit

    def network():
        backbone = create_vit(case["model"], 2, case["sizes"][0], case["patch"])
        torch.manual_seed(1)
        return DinoNetwork(backbone, DINOHead(backbone.embed_dim, **case["head"]))

    return Plain(case | {"network": network})


def measure_step(name: str, store: Path, rounds: int, ways: tuple[str, ...] = WAYS) -> dict:
    "Median seconds of each part of a step, for each way; the ways take turns, after one step each to warm up."
    import torch

    case = STEPS[name]
    trainers = {way: Ours(case, way.endswith("bf16")) if way.startswith("ours") else plain_trainer(case)
                for way in ways}
    found = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, trainer in trainers.items():
            crops, parts = crops_of(store, case, turn)
            parts |= trainer.step(crops) if way.startswith("ours") else trainer.step(crops, way.endswith("bf16"))
            found[way].append(parts | {"whole": sum(seconds for part, seconds in parts.items() if part != "loss")})
    first = {way: steps[0]["loss"] for way, steps in found.items()}
    medians = {way: {part: statistics.median(step[part] for step in steps[1:]) for part in steps[0]}
               for way, steps in found.items()}
    return dict(ways=medians, first_loss=first, memory_mb=peak_mb(), threads=torch.get_num_threads())


def measure_neighbour(name: str, store: Path, rounds: int) -> dict:
    "Seconds of our bf16 step, alone and beside one other process that fills a core."
    alone = measure_step(name, store, rounds, ("ours bf16",))["ways"]["ours bf16"]["whole"]
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = measure_step(name, store, rounds, ("ours bf16",))["ways"]["ours bf16"]["whole"]
    finally:
        busy.kill()
        busy.wait()
    return dict(alone=alone, beside=beside)


def plain_views(images, sizes, generator):
    "Ten crops of one chip in plain torch: window, bicubic resize, flips, blur, gain."
    import torch
    import torch.nn.functional as F

    made = []
    for number in range(10):
        out, share = (sizes[0], 0.7) if number < 2 else (sizes[1], 0.2)
        side = int((share * images.shape[-1] ** 2) ** 0.5)
        top, left = torch.randint(images.shape[-1] - side + 1, (2,), generator=generator).tolist()
        window = images[None, :, top : top + side, left : left + side]
        view = F.interpolate(window, size=(out, out), mode="bicubic", antialias=True)
        flips = [axis for axis in (2, 3) if torch.rand((), generator=generator) < 0.5]
        view = view.flip(flips) if flips else view
        if torch.rand((), generator=generator) < 0.5:
            line = torch.exp(-0.5 * (torch.arange(-4, 5) / 0.8) ** 2)
            line = (line / line.sum()).expand(len(images), 1, 1, 9)
            view = F.conv2d(F.pad(view, (4, 4, 4, 4), mode="reflect"), line, groups=len(images))
            view = F.conv2d(view, line.mT, groups=len(images))
        made.append(view * (1 + 0.1 * torch.randn(len(images), 1, 1, generator=generator)))
    return made


def measure_views(store: Path, rounds: int) -> dict:
    "Chips per second and core: ten crops of 112 and 48 pixels of 14 channels, by our matrices and chip by chip."
    import torch
    from sar_ssl.data.reader import ChipDataset
    from sar_ssl.models.fast_vit import use_fast_products

    one_core()
    case = dict(sizes=(112, 48), batch=64)
    images = ChipDataset(store, "s1+s2", split=None).images(range(16)).pixels
    generator = torch.Generator().manual_seed(0)
    ours, plain = [], []
    for turn in range(rounds + 1):
        with use_fast_products():
            ours.append(case["batch"] / crops_of(store, case, turn, "s1+s2")[1]["views"])
        began = time.perf_counter()
        for image in images:
            plain_views(image, case["sizes"], generator)
        plain.append(len(images) / (time.perf_counter() - began))
    return dict(ours=statistics.median(ours[1:]), plain=statistics.median(plain[1:]))


def measure_maps(patch: int, rounds: int) -> dict:
    "Seconds of the attention map of one chip of 448 px by ViT-S, ours and with all N x N matrices formed."
    import torch
    from sar_ssl.models.fast_vit import use_fast_products
    from sar_ssl.models.attention import attention
    from sar_ssl.models.vit import create_vit

    vit = create_vit("vit_small_patch16_224", 2, 448, patch).eval()
    image = torch.randn(1, 2, 448, 448, generator=torch.Generator().manual_seed(0))

    def formed():
        "Every block forms the weights of all pairs of tokens."
        x = vit.norm_pre(vit._pos_embed(vit.patch_embed(image)))
        for block in vit.blocks:
            layer, y = block.attn, block.norm1(x)
            q, k, v = layer.qkv(y).reshape(1, y.shape[1], 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4)
            weights = (q @ k.mT * layer.scale).softmax(-1)
            x = x + layer.proj((weights @ v).transpose(1, 2).flatten(2))
            x = x + block.mlp(block.norm2(x))
        return weights[:, :, 0, 1:]

    seconds = {"ours": [], "plain": []}
    with torch.no_grad():
        for _ in range(rounds + 1):
            began = time.perf_counter()
            with use_fast_products():
                ours = attention(vit, image)
            middle = time.perf_counter()
            plain = formed()
            seconds["ours"].append(middle - began)
            seconds["plain"].append(time.perf_counter() - middle)
    error = float((ours.flatten(2) - plain).abs().max() / plain.max())
    return {key: statistics.median(values[1:]) for key, values in seconds.items()} | dict(error=error)


def measure_knn(classes: int, rounds: int, bank: int = 20_000, queries: int = 2000, width: int = 384,
                k: int = 20) -> dict:
    "Seconds of kNN scores, ours and the plain way: all similarities sorted by topk, a row of 0 and 1 per neighbour."
    import torch
    from sar_ssl.evaluation.knn import knn_scores
    from torch.nn import functional as F

    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(classes, width, generator=generator)
    label = torch.randint(0, classes, (bank + queries,), generator=generator)
    features = centres[label] + 2 * torch.randn(bank + queries, width, generator=generator)
    known, asked, label = features[:bank], features[bank:], label[:bank]

    def plain():
        "In parts of a hundredth of the queries."
        target, part = F.normalize(known, dim=1), []
        for some in F.normalize(asked, dim=1).chunk(100):
            similarity, index = (some @ target.T).topk(k, dim=1)
            weight = (similarity / 0.07).exp()
            hot = torch.zeros(index.numel(), classes).scatter_(1, label[index].view(-1, 1), 1)
            hot = hot.view(*index.shape, classes)
            part.append((hot * weight[:, :, None]).sum(1) / weight.sum(1, keepdim=True))
        return torch.cat(part).numpy()

    seconds = {"ours": [], "plain": []}
    for _ in range(rounds + 1):
        began = time.perf_counter()
        ours = knn_scores(known, label, asked, k, n_classes=classes)
        middle = time.perf_counter()
        theirs = plain()
        seconds["ours"].append(middle - began)
        seconds["plain"].append(time.perf_counter() - middle)
    found = {key: statistics.median(values[1:]) for key, values in seconds.items()}
    return found | dict(error=float(abs(ours - theirs).max()),
                        other_classes=int((ours.argmax(1) != theirs.argmax(1)).sum()))


READERS = {f.__name__: f for f in (read_store_integers, read_store_scaled, read_store_radar, read_zarr, read_lmdb,
                                   read_geotiffs)}


def one_core() -> None:
    "Keep this process on one core."
    import torch

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)


def peak_mb() -> float:
    "Largest memory of this process so far (what the system reports to a parent also counts the parent's)."
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3


def measure_reader(name: str, store: Path, chips: int, single: bool) -> dict:
    "Chips per second of a second pass over the same chips, and the memory that the process gained in it."
    os.cpu_count = (lambda: 1) if single else os.cpu_count
    if single:
        one_core()
    marks = [(time.perf_counter(), 0, peak_mb())]
    for batch in READERS[name](store, chips):
        count = len(batch[0] if isinstance(batch, list) else batch)
        marks.append((time.perf_counter(), marks[-1][1] + count, peak_mb()))
    (began, first, before), (ended, last, after) = marks[len(marks) // 2], marks[-1]
    return dict(chips_per_s=(last - first) / (ended - began), growth_mb=after - before)


def open_many(path: Path) -> dict:
    "Seconds and memory to open a store and see the splits of all its chips."
    began = time.perf_counter()
    from sar_ssl.data.store import open_store

    imported = time.perf_counter()
    dataset = open_store(path)
    n_train = int((dataset.split.values == "train").sum())
    return dict(seconds=time.perf_counter() - imported, import_s=imported - began, chips=dataset.sizes["chip"],
                n_train=n_train, memory_mb=peak_mb())


def many_chips(n: int = 600_000) -> Path:
    "A store of BigEarthNet's size with its metadata, and no pixel."
    import numpy as np
    import xarray as xr
    from sar_ssl.data.build import create_store, write_small
    from sar_ssl.data.chip import make_layout
    from sar_ssl.data.classes import BIGEARTHNET_19
    from sar_ssl.data.simulation.sensors import CONTRACTS

    path = FOLDER / f"metadata-{n}.zarr"
    if path.exists():
        return path
    layout, random = make_layout(CONTRACTS, 120, BIGEARTHNET_19), np.random.default_rng(0)
    text = np.dtypes.StringDType()
    words = dict(id=[f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_{i // 1000}_{i % 1000}" for i in range(n)],
                 crs=["EPSG:32633"] * n, orbit=["descending"] * n, source=["bigearthnet-v2/Austria"] * n,
                 split=random.choice(["train", "val", "test"], n).tolist())
    coords = {name: ("chip", np.array(values, text)) for name, values in words.items()}
    coords |= dict(longitude=("chip", random.uniform(5, 30, n)), latitude=("chip", random.uniform(40, 65, n)),
                   checksum=("chip", random.integers(0, 2**32, n, dtype=np.uint32)),
                   transform=(("chip", "coefficient"), random.normal(size=(n, 6))))
    coords |= {name: ("chip", np.full(n, np.datetime64("2017-06-13", "s"))) for name in ("time_s1", "time_s2")}
    coords |= {f"band_{sensor}": np.array(contract.bands, text) for sensor, contract in CONTRACTS.items()}
    labels = random.integers(0, 2, (n, 19), dtype=np.uint8)
    dataset = xr.Dataset(dict(scene_label=(("chip", "scene_class"), labels)), coords)
    create_store(path.with_suffix(".partial"), layout, n, True, {})
    write_small(path.with_suffix(".partial"), dataset)
    os.replace(path.with_suffix(".partial"), path)
    return path


def disk_bytes(path: Path) -> int:
    "Bytes that a file or a folder holds on disk."
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_blocks * 512 for file in files)


def call(function: str, *arguments, file: str = __file__) -> dict:
    "Run a function of a bench in a process of its own."
    done = subprocess.run([sys.executable, file, "--call", function, *map(str, arguments)], stdout=subprocess.PIPE,
                          text=True, check=True, env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"})
    return json.loads(done.stdout.splitlines()[-1])


def called(function: str, arguments: list[str]) -> dict:
    "What `call` asks for, in the new process."
    if function == "open_many":
        return open_many(Path(arguments[0]))
    if function in ("measure_step", "measure_neighbour"):
        return globals()[function](arguments[0], Path(arguments[1]), int(arguments[2]))
    if function == "measure_views":
        return measure_views(Path(arguments[0]), int(arguments[1]))
    if function in ("measure_maps", "measure_knn"):
        return globals()[function](*map(int, arguments))
    name, store, chips, single = arguments
    return measure_reader(name, Path(store), int(chips), single == "1")


def in_turns(cases: dict[str, tuple]) -> dict[str, dict]:
    "Measure all cases in turns, some rounds; the median of each number."
    rounds = [{title: call("measure_reader", *case) for title, case in cases.items()} for _ in range(ROUNDS)]
    return {title: {key: statistics.median(one[title][key] for one in rounds) for key in rounds[0][title]}
            for title in cases}


def table(rows: list[tuple[str, str, str, str, str]]) -> None:
    "Print rows with a head, in columns."
    rows = [("what", "measured", "reference", "ratio", "goal"), *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def bench_store(chips: int) -> dict:
    "How fast chips come out of the store, and what it costs to keep and to open one."
    store = simulated(chips)
    lmdb, _ = as_lmdb(store), as_geotiffs(store)
    cases = {
        "store, integers": ("read_store_integers", store, chips, 0),
        "LMDB": ("read_lmdb", store, chips, 0),
        "store, scaled": ("read_store_scaled", store, chips, 0),
        "GeoTIFF per band": ("read_geotiffs", store, chips, 0),
        "store, S1 only": ("read_store_radar", store, chips, 0),
        "zarr-python": ("read_zarr", store, chips, 0),
        "store, integers, one core": ("read_store_integers", store, chips, 1),
        "store, scaled, one core": ("read_store_scaled", store, chips, 1),
        "LMDB, one core": ("read_lmdb", store, chips, 1),
    }
    found = in_turns(cases)
    speed = {title: numbers["chips_per_s"] for title, numbers in found.items()}
    opened = call("open_many", many_chips())
    pixels = sum(disk_bytes(store / name) for name in ("s1", "s2", "valid_s1", "valid_s2"))
    files = sum(file.is_file() for file in store.rglob("*"))

    def row(title: str, reference: str, goal: str) -> tuple:
        return (f"{title}, chips/s", f"{speed[title]:,.0f}", f"{speed[reference]:,.0f} {reference}",
                f"{speed[title] / speed[reference]:.2f}", goal)

    print(f"\n{chips} simulated chips of {SIZE} px, 14 bands; random order, batches of {BATCH}; "
          f"medians of {ROUNDS} rounds\n")
    table([
        row("store, integers", "LMDB", ">= 3"),
        row("store, scaled", "LMDB", ">= 3"),
        row("store, integers", "GeoTIFF per band", ">= 30"),
        row("store, scaled", "GeoTIFF per band", ">= 30"),
        row("store, integers", "zarr-python", ""),
        row("store, integers, one core", "LMDB, one core", ""),
        row("store, scaled, one core", "LMDB, one core", ""),
        row("store, S1 only", "store, integers", "about 7: 2 of 14 bands"),
        ("pixels and masks on disk, KB/chip", f"{pixels / chips / 1e3:.0f}",
         f"{disk_bytes(lmdb) / chips / 1e3:.0f} LMDB",
         f"{pixels / disk_bytes(lmdb):.2f}", "<= 1"),
        ("chips per file", f"{chips / files:.0f}", "", "", ">= 256"),
        (f"opening {opened['chips']:,} chips, s", f"{opened['seconds']:.2f}", "", "", "< 2"),
        ("  and its memory, MB", f"{opened['memory_mb']:.0f}", "", "", "< 300"),
        ("memory gained in the second epoch, MB", f"{found['store, integers']['growth_mb']:.0f}", "", "", "flat"),
    ])
    return dict(chips=chips, chips_per_s=speed, bytes_per_chip=pixels / chips, chips_per_file=chips / files,
                opening=opened)


PARTS = ("decode", "views", "step", "whole")
GOALS = {"S/16 224/96": ("P1 >= 2.1", "P3 >= 1.35", "P2 >= 3.5"),
         "Ti/16 112/48": ("P1 >= 2.0", "P3 >= 1.35", "P2 >= 3")}


def processor() -> str:
    "The name of the processor, as Linux tells it, with its model: names of virtual machines say little."
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return f"{said.get('model name', 'unknown')}, family {said.get('cpu family')}, model {said.get('model')}"


def bench_step(chips: int) -> dict:
    "How fast a step of pre-training is, part by part, with crops, views, attention maps and kNN scores."
    store = simulated(min(chips, 512))
    steps = {name: call("measure_step", name, store, ROUNDS) for name in STEPS}
    beside = call("measure_neighbour", "Ti/16 112/48", store, ROUNDS)
    views = call("measure_views", store, ROUNDS)
    maps = {patch: call("measure_maps", patch, ROUNDS) for patch in (16, 8)}
    knn = {classes: call("measure_knn", classes, ROUNDS) for classes in (19, 1000)}
    threads = next(iter(steps.values()))["threads"]
    print(f"\n{processor()}; {threads} threads; medians of {ROUNDS} rounds in turns; simulated chips, 2 bands. "
          "The reference is our\nown plain way (timm's forward, PyTorch's default products, loops over parameters), "
          "not the code of others, for which\nthe goals were set.\n")
    for name, found in steps.items():
        head = f"{name}, batch {STEPS[name]['batch']}, ms".ljust(28)
        print(head + "".join(part.rjust(10) for part in PARTS) + "first loss".rjust(12))
        for way, parts in found["ways"].items():
            numbers = "".join(f"{parts[part] * 1e3:10.0f}" for part in PARTS)
            print(f"  {way}".ljust(28) + numbers + f"{found['first_loss'][way]:12.5f}")
    print()
    rows = []
    for name, found in steps.items():
        pairs = (("fp32", "ours fp32", "plain fp32"), ("bf16", "ours bf16", "plain bf16"),
                 ("bf16", "ours bf16", "plain fp32"))
        for (title, ours, plain), goal in zip(pairs, GOALS.get(name, ("", "", ""))):
            a, b = (found["ways"][way]["whole"] for way in (ours, plain))
            rows.append((f"{name} {title}, s per step", f"{a:.2f}", f"{b:.2f} {plain}", f"{b / a:.2f}", goal))
    ratio = beside["beside"] / beside["alone"]
    rows.append(("Ti/16 bf16 beside a busy process, s", f"{beside['beside']:.2f}", f"{beside['alone']:.2f} alone",
                 f"{ratio:.2f}", "P6 <= 1.5"))
    rows.append(("ten views, 14 bands, chips/s and core", f"{views['ours']:.0f}", f"{views['plain']:.0f} chip by chip",
                 f"{views['ours'] / views['plain']:.2f}", "P7 >= 2"))
    for patch, goal in ((16, "P9 >= 2.4"), (8, "P9 >= 4")):
        found = maps[patch]
        rows.append((f"attention map of 448 px, S/{patch}, s", f"{found['ours']:.2f}",
                     f"{found['plain']:.2f} all matrices",
                     f"{found['plain'] / found['ours']:.2f}", goal))
    for classes, found in knn.items():
        rows.append((f"kNN of 2,000 chips in 20,000, {classes} classes, s", f"{found['ours']:.2f}",
                     f"{found['plain']:.2f} topk and one-hot", f"{found['plain'] / found['ours']:.2f}", "P8 >= 2.8"))
    table(rows)
    return dict(processor=processor(), threads=threads, steps=steps, beside=beside, views=views, maps=maps, knn=knn)


GROUPS = {"store": bench_store, "step": bench_step}


def main():
    if sys.argv[1:2] == ["--call"]:
        print(json.dumps(called(sys.argv[2], sys.argv[3:])))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--chips", type=int, default=20_000, help="chips of the store that is measured")
    options = parser.parse_args()
    if set(options.groups) - set(GROUPS):
        parser.error(f"groups: expected some of {', '.join(GROUPS)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    described = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    commit = described.stdout.strip()
    for group in options.groups:
        result = GROUPS[group](options.chips)
        (FOLDER / f"{group}.json").write_text(json.dumps(result | dict(commit=commit, cores=os.cpu_count()), indent=1))
        print(f"\n{FOLDER.relative_to(ROOT) / group}.json, commit {commit}")


if __name__ == "__main__":
    main()
