from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.runs.exports import newest_int8, remember


class TestNewestExport:
    def publish(self, tmp_path: Path, files: list[str]) -> None:
        """Make the files, each a second younger than the one before."""
        for age, name in enumerate(files):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
            os.utime(file, (1_000_000 + age, 1_000_000 + age))

    @pytest.mark.parametrize(
        "files",
        [
            ["a/exports/a-tflite-int8.tflite"],
            ["a/exports/a-tflite-int8.tflite", "b/exports/b-onnx-int8.onnx"],
            ["b/exports/b-onnx-int8.onnx", "a/exports/a-tflite-int8.tflite"],
        ],
    )
    def test_it_is_the_one_published_last(self, tmp_path: Path, files: list[str]) -> None:
        self.publish(tmp_path, files)
        assert newest_int8(tmp_path) == tmp_path / files[-1]

    @pytest.mark.parametrize(
        "file", ["a/exports/a-tflite-none.tflite", "a/exports/a-tflite-int8.json", "a/x-int8.onnx"]
    )
    def test_what_is_no_int8_export_does_not_count(self, tmp_path: Path, file: str) -> None:
        self.publish(tmp_path, ["a/exports/a-onnx-int8.onnx", file])
        assert newest_int8(tmp_path) == tmp_path / "a/exports/a-onnx-int8.onnx"

    @pytest.mark.parametrize("files", [[], ["a/exports/a-tflite-none.tflite"]], ids=["nothing", "float only"])
    def test_none_is_there(self, tmp_path: Path, files: list[str]) -> None:
        self.publish(tmp_path, files)
        with pytest.raises(InputError, match="no int8 export yet; make one with mnist-edge export"):
            newest_int8(tmp_path)
        assert newest_int8(tmp_path, or_none=True) is None

    def test_that_of_a_model_of_ones_own_counts_while_it_is_there(self, tmp_path: Path) -> None:
        self.publish(tmp_path, ["runs/a/exports/a-onnx-int8.onnx", "own/exports/own-tflite-int8.tflite"])
        runs, own = tmp_path / "runs", tmp_path / "own/exports/own-tflite-int8.tflite"
        assert newest_int8(runs).name == "a-onnx-int8.onnx"
        remember(runs, own)
        assert newest_int8(runs) == own
        os.utime(runs / "a/exports/a-onnx-int8.onnx")
        assert newest_int8(runs).name == "a-onnx-int8.onnx"
        (runs / "a/exports/a-onnx-int8.onnx").unlink()
        own.unlink()
        with pytest.raises(InputError, match="no int8 export yet"):
            newest_int8(runs)

    def test_of_one_run(self, tmp_path: Path) -> None:
        self.publish(tmp_path, ["a/exports/a-onnx-int8.onnx", "b/exports/b-onnx-int8.onnx", "c/model.keras"])
        for name in "abc":
            (tmp_path / name / "model.keras").touch()
            record = dict.fromkeys(("architecture", "parameters", "macs", "seed", "split", "labels", "metrics"), 0)
            dataset = {"name": "digits", "sha256": "0", "warning": None}
            (tmp_path / name / "run.json").write_text(json.dumps({**record, "seconds": 1, "dataset": dataset}))
        assert newest_int8(tmp_path, "a").name == "a-onnx-int8.onnx"
        with pytest.raises(InputError, match="c: no int8 export yet; make one with mnist-edge export --run c"):
            newest_int8(tmp_path, "c")
        with pytest.raises(InputError, match="no run 'd'"):
            newest_int8(tmp_path, "d")
