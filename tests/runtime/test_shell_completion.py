from __future__ import annotations

import shutil
import subprocess

import pytest
from mnist_edge_runtime.__main__ import build_parser, main
from mnist_edge_runtime.shell_completion import SHELLS, script

PARSER = build_parser("mnist-edge-runtime", "Model.")


def _completed(*words: str) -> list[str]:
    """Return what bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=(mnist-edge-runtime {line}); COMP_CWORD={len(words)}; _mnist_edge_runtime"
    code = f'{script(PARSER, "bash")}\n{asked}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("cl",), ["classify"]),
        (("--ve",), ["--version"]),
        (("classify", "--show"), ["--show-input"]),
        (("--debug", "classify", "--show"), ["--show-input"]),
        (("classify", "--preprocess", ""), ["auto", "mnist", "none"]),
        (("benchmark", "--engine", "li"), ["litert"]),
        (("selftest", "--show"), []),
        (("classify", "pict"), []),
        (("classify", "classify", "--cs"), ["--csv"]),
        (("--print-completion", ""), list(SHELLS)),
    ],
)
def test_what_bash_offers(words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(_completed(*words)) == sorted(offered)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_option_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", shell])
    assert ended.value.code == 0
    found = capsys.readouterr().out
    assert found == script(PARSER, shell)
    assert ("bashcompinit" in found) == (shell == "zsh")
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=found, text=True, check=False).returncode == 0
