from __future__ import annotations

import os
from pathlib import Path

import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.path_checks import check_file, check_folder


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_options_name_what_a_file_or_a_folder_can_be(tmp_path: Path) -> None:
    pipe, file, missing = tmp_path / "pipe", tmp_path / "file", tmp_path / "missing"
    os.mkfifo(pipe)
    file.write_bytes(b"")
    for path in (file, tmp_path, missing, None):
        assert check_file(path) == path
    for path in (tmp_path, missing, None):
        assert check_folder(path) == path
    with pytest.raises(InputError, match="pipe: is a named pipe, expected a regular file"):
        check_file(pipe)
    with pytest.raises(InputError, match="pipe: is a named pipe, expected a folder"):
        check_folder(pipe)
    with pytest.raises(InputError, match="file: is a file, expected a folder"):
        check_folder(file)
    with pytest.raises(InputError, match="is a device, expected a regular file"):
        check_file(Path(os.devnull))
