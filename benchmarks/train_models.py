"""Train the networks of docs/models.md: a teacher, then students that learn from it, each with several seeds.

    python benchmarks/train_models.py --runs-dir runs/models

Every training is the command that it prints. What is finished is skipped and what was cut short is resumed, so the
same line goes on after a kill or a reboot. Each training takes one thread, as the published networks did: a second
gains a small network little, and another number of threads gives other weights. `--networks small nano` and
`--networks tiny pico base` share a machine of two cores, once the teacher is there. All but `classic`, which is trained
as in its tutorial, see generated handwriting.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TEACHER = "teacher"
UNTAUGHT = ("classic", "base")  # classic as its tutorial has it; base gains nothing from a teacher of its own size
NETWORKS = (*UNTAUGHT, "small", "nano", "tiny", "pico")
HANDWRITING = ("--handwriting", "0.15")


def plan(networks: list[str], seeds: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the options of each training; the teacher comes first."""
    yield TEACHER, ["--arch", TEACHER, "--seed", "1001", *HANDWRITING]
    for seed in range(seeds):
        for architecture in networks:
            written = [] if architecture == "classic" else HANDWRITING
            taught = [] if architecture in UNTAUGHT else ["--teacher", TEACHER]
            yield f"{architecture}-{seed}", ["--arch", architecture, "--seed", str(seed), *written, *taught]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs-dir", type=Path, required=True, help="Folder of the runs.")
    parser.add_argument("--data", default="mnist", help="Data set, as in mnist-edge train.")
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, default=NETWORKS, help="Networks besides the teacher."
    )
    parser.add_argument("--seeds", type=int, default=3, help="Number of seeds of each network.")
    options = parser.parse_args()
    one_thread = {f"TF_NUM_{kind}_THREADS": "1" for kind in ("INTRAOP", "INTEROP")}
    for name, chosen in plan(options.networks, options.seeds):
        if (options.runs_dir / name / "run.json").is_file():
            print(f"{name} is there", file=sys.stderr)
            continue
        command = ["mnist-edge", "train", "--data", options.data, *chosen, "--name", name]
        command += ["--runs-dir", str(options.runs_dir), "--resume"]
        print(shlex.join(command), file=sys.stderr, flush=True)
        subprocess.run(
            [sys.executable, "-m", "mnist_edge.cli", *command[1:]], env={**os.environ, **one_thread}, check=True
        )


if __name__ == "__main__":
    main()
