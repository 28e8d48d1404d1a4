from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from mnist_edge_exporters.c_source import project, proof
from mnist_edge_exporters.c_source.project import Project
from mnist_edge_exporters.integer.network import Network

Make = Callable[..., tuple[Project, Network]]


def test_a_folder_has_what_each_tool_looks_for(make: Make) -> None:
    made, _ = make(name="digits")
    assert set(made.files) == {
        *("README.md", "digits.json", "CMakeLists.txt", "library.properties", "library.json"),
        *("src/digits_prepare.h", "src/digits_prepare.c"),
        *("src/digits.h", "src/digits.c", "src/digits_accepted.c", "src/digits_golden.c", "examples/digits/digits.ino"),
    }
    assert not [path for path, text in made.files.items() if "@" in text]
    contract = json.loads(made.files["digits.json"])
    assert contract["labels"] == list("0123456789")
    assert contract["c"]["ram_bytes"] == made.ram
    assert f"Static RAM: {made.ram} bytes" in made.files["src/digits.h"]


def test_an_archive_is_the_folder_and_the_same_every_time(make: Make) -> None:
    made, _ = make(name="digits")
    data = project.archive(made)
    assert data == project.archive(made)
    with zipfile.ZipFile(BytesIO(data)) as packed:
        assert {path.removeprefix("digits/") for path in packed.namelist()} == set(made.files)


def test_two_networks_link_into_one_program_in_c_and_in_cpp(make: Make, tmp_path: Path) -> None:
    for name, seed in (("one", None), ("two", 5)):
        made, _ = make(seed, name=name)
        for path, text in made.files.items():
            if path.startswith("src/"):
                (tmp_path / Path(path).name).write_text(text)
    program = '#include "one.h"\n#include "two.h"\nint main(void) { return one_selftest() + two_selftest(); }\n'
    (tmp_path / "main.c").write_text(program)
    (tmp_path / "main.cpp").write_text(program)
    (compiler,) = proof.compiler()
    sources = ["one.c", "one_accepted.c", "one_golden.c", "two.c", "two_accepted.c", "two_golden.c"]
    subprocess.run([compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", *sources], cwd=tmp_path, check=True)
    objects = [source.replace(".c", ".o") for source in sources]
    for main in ("main.c", "main.cpp"):
        subprocess.run([compiler, "-o", "program", main, *objects], cwd=tmp_path, check=True)
        assert subprocess.run([tmp_path / "program"], check=False).returncode == 0


def test_labels_end_no_comment_and_no_script() -> None:
    assert project.spoken(("</script>", "*/", '"', "\\", "é", "7")) == "?/script> ?/ ? ? ? 7"
