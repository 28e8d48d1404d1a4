from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("bundle x.tflite", 2, "--target"),
        ("bundle x.tflite --target buster-arm64", 2, "--target buster-arm64 is unknown"),
        ("bundle x.tflite --target bookworm-arm64 --out x.zip", 2, "ends in .tar.gz"),
        ("bundle 'a b.tflite' --target bookworm-arm64", 2, "cannot be the name of a bundle's model"),
        ("bundle none.tflite --target bookworm-arm64", 3, "none.tflite"),
        ("bundle none.tflite --target armv6 --engine c", 3, "none.tflite"),
        ("bundle none.tflite --target mips --engine c", 2, "--target mips is unknown for --engine c"),
        ("bundle none.tflite --target armv6 --engine rust", 2, "--engine rust is unknown"),
        ("bundle none.tflite --target armv6 --engine c --with serve", 2, "--with is for the packages"),
        ("bundle x.tflite --target bookworm-arm64 --with watch", 2, "--with watch is unknown"),
        ("bundle none.tflite --target armv6 --engine c --constraint none", 2, "--constraint is for the packages"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)
