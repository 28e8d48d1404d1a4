"""List the PCs: processors that lack instructions of newer ones, on which an engine's answers may depend."""

from __future__ import annotations

from ..board import SYSTEM, WHEELS, Board

__all__ = ["PROCESSORS"]

PROCESSORS = (
    # onnxruntime multiplies uint8 by int8 in 16 bits here, unless it is told otherwise.
    Board(
        name="haswell",
        title="x86 without VNNI: most PCs of 2013 to 2020, with Haswell or a later Core, or AMD Zen 1 to 3; Bookworm",
        # Without what qemu does not emulate, of which it would warn.
        cpu="Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid",
        qemu="qemu-x86_64",
        processor=(
            ("vendor_id", "GenuineIntel"),
            ("model name", "Intel Core Processor (Haswell, no TSX)"),
            ("flags", "fpu cx16 sse sse2 ssse3 sse4_1 sse4_2 popcnt avx f16c fma movbe bmi1 avx2 bmi2"),
        ),
        codename="bookworm",
        architecture="amd64",
        python="3.11",
        packages=SYSTEM,
        platforms=tuple(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 17)),
        wheels=(*WHEELS, "numpy==2.4.6"),
    ),
)
