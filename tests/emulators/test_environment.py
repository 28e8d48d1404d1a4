from __future__ import annotations

import pytest
from mnist_edge_emulators import environment


def test_where_the_product_is_installed_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    environment.require_product("emulated-pi")
    assert capsys.readouterr() == ("", "")


def test_where_it_is_not_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        environment.require_product("emulated-pi")
    assert ended.value.code == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("emulated-pi: mnist_edge_runtime is not installed in this Python (")
    assert err.count("\n") == 1
