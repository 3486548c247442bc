"Packaging shim: every value comes from settings.ini, the file nbdev also reads."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ini = ConfigParser(delimiters=["="])
ini.read("settings.ini", encoding="utf-8")
cfg = ini["DEFAULT"]
extras = {name: cfg[f"{name}_requirements"].split() for name in ("lab", "cluster", "trackers")}
experiments = cfg["lib_path"] + ".runs.notebooks"  # an installed package brings its experiment notebooks
workflow = cfg["lib_path"] + ".runs.workflow"  # and its studies
shipped = cfg["lib_path"] + ".weights.shipped"  # and its trained weights

setup(
    name=cfg["lib_name"], version=cfg["version"], description=cfg["description"],
    author=cfg["author"], author_email=cfg["author_email"], url=cfg["git_url"],
    license="Apache-2.0", classifiers=["Programming Language :: Python :: 3 :: Only"],
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=" + cfg["min_python"],
    packages=[*find_packages(include=[cfg["lib_path"], cfg["lib_path"] + ".*"]), experiments, workflow, shipped],
    package_dir={experiments: cfg["nbs_path"] + "/experiments", workflow: "workflow", shipped: "data/weights"},
    package_data={cfg["lib_path"]: ["py.typed", "*.pyi"], experiments: ["[a-z]*.ipynb"],
                  workflow: ["Snakefile", "studies/*.yaml", "profiles/*/config.yaml"],
                  shipped: ["*/*.safetensors", "*/*.json", "*/*.md"],
                  cfg["lib_path"] + ".figures": ["*.j2"]},  # and the report's template
    install_requires=cfg["requirements"].split(),
    extras_require={**extras, "dev": [*cfg["dev_requirements"].split(), *extras["lab"], *extras["cluster"]]},
    entry_points={"console_scripts": cfg.get("console_scripts", "").split(),
                  "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"]},
)
