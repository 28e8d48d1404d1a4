"""Compare the preprocessing in C with the runtime's, picture by picture; write a section of docs/hardening.md.

    python benchmarks/fuzz_prepare.py

The pictures are those of the proof at export, of other seeds, up to 320 x 240 pixels: digits in scenes, ruled lines,
dots, noise. Fails where a single pixel, or the verdict that a picture is blank, differs.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from mnist_edge_exporters.c_source import pictures, proof, template
from mnist_edge_runtime import BlankError, models, to_mnist
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray
from page_sections import write_section

PAGE = Path(__file__).parent.parent / "docs" / "hardening.md"
FIRST = 1_000  # seed; those below are the proof's
CHUNK = 500  # pictures between two lines of progress
TEXT = """\
By `python benchmarks/fuzz_prepare.py --cases {cases}`: grey pictures of up to 320 x 240 pixels, digits in uneven light,
on ruled paper, in dots, lines, shadows and noise, prepared by `NAME_prepare` of the C export and by the runtime. Time
is the mean.

| pictures | differ | blank in both | C, ms | runtime, ms |
|---|---|---|---|---|
"""


def compiled(folder: Path, sanitize: bool) -> ctypes.CDLL:
    """Return the preprocessing in C, named net."""
    values = {"name": "net", "upper": "NET", "version": "0"}
    for end in ("h", "c"):
        (folder / f"net_prepare.{end}").write_text(template.fill(f"prepare.{end}", **values))
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover"] if sanitize else []
    command = [*proof.compiler(), "-std=c99", "-O2", *flags, "-shared", "-fPIC", "-o", "net.so", "net_prepare.c"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "net.so"))


def expected(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the runtime's image; None for a blank picture."""
    try:
        return to_mnist(picture)
    except BlankError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000, help="Number of pictures.")
    parser.add_argument(
        "--sanitize", action="store_true", help="Compile with sanitizers; LD_PRELOAD must name libasan."
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="Page to write.")
    options = parser.parse_args()
    images = sealed_model.read(models.bundled_models("litert")[0]).golden.images
    differ: list[int] = []
    blank = 0
    spent = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        loaded = compiled(Path(folder), options.sanitize)
        for seed in range(FIRST, FIRST + options.cases):
            picture = np.ascontiguousarray(pictures.draw(seed, images))
            start = time.process_time()
            code, image = proof.prepared(loaded, "net", picture)
            middle = time.process_time()
            wanted = expected(picture)
            spent[0], spent[1] = spent[0] + middle - start, spent[1] + time.process_time() - middle
            blank += wanted is None
            if (code, wanted is None) not in ((0, False), (1, True)) or (code == 0 and (image != wanted).any()):
                differ.append(seed)
            if (seed + 1 - FIRST) % CHUNK == 0:
                print(f"{seed + 1 - FIRST:,} pictures, {len(differ)} differ", file=sys.stderr, flush=True)
    means = [f"{1e3 * each / options.cases:.1f}" for each in spent]
    cells = [f"{options.cases:,}", f"{len(differ):,}", f"{blank:,}", *means]
    write_section(
        options.page, "The preprocessing in C", TEXT.format(cases=options.cases) + f"| {' | '.join(cells)} |\n"
    )
    if differ:
        print(f"pictures that differ, by seed: {differ[:20]}", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
