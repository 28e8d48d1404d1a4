from __future__ import annotations

import optuna
import pytest
from mnist_edge_trainer.tuning import plots
from mnist_edge_trainer.tuning.study import TrialResult
from optuna.trial import TrialState, create_trial


def _result(trial: int, accuracy: float, macs: int, architecture: str = "small") -> TrialResult:
    return TrialResult("study", trial, architecture, {}, {}, 0, accuracy, parameters=macs // 10, macs=macs)


def test_the_best_so_far_never_falls() -> None:
    study = optuna.create_study(study_name="digits", direction="maximize")
    for accuracy in (0.5, 0.9, 0.7):
        study.add_trial(create_trial(value=accuracy))
    study.add_trial(create_trial(value=0.2, state=TrialState.PRUNED))
    (axes,) = plots.history(study).axes
    lines = {line.get_label(): line for line in axes.lines}

    assert axes.get_title() == "Study digits"
    assert list(lines["complete"].get_ydata()) == [0.5, 0.9, 0.7]
    assert list(lines["the best so far"].get_ydata()) == [0.5, 0.9, 0.9]
    assert list(lines["pruned, its last accuracy"].get_xdata()) == [3]


def test_a_study_without_trials_is_an_empty_plot() -> None:
    (axes,) = plots.history(optuna.create_study()).axes

    assert not axes.lines
    assert axes.get_legend() is None


def test_the_importances_are_twenty_bars_without_those_of_nothing() -> None:
    shares = {"nothing": 0.0, **{f"part {number}": 1 / (number + 1) for number in range(25)}}
    (axes,) = plots.importances(shares).axes

    assert [label.get_text() for label in axes.get_yticklabels()] == [f"part {number}" for number in range(20)]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([1 / (number + 1) for number in range(20)])


def test_the_front_is_marked_over_each_cost() -> None:
    trials = [_result(0, 0.9, 1000), _result(1, 0.8, 2000), _result(2, 0.95, 4000, "base")]
    macs, parameters = plots.trade_off(trials, [trials[0], trials[2]], ["macs", "parameters"]).axes

    assert [list(line.get_xdata()) for line in macs.lines] == [[1000, 2000, 4000], [1000, 4000]]
    assert [list(line.get_xdata()) for line in parameters.lines] == [[100, 200, 400], [100, 400]]
    assert (macs.get_xlabel(), parameters.get_xlabel()) == ("Multiply-accumulates", "Parameters")
    assert sorted(text.get_text() for text in macs.texts) == ["base", "small"]
