from __future__ import annotations

import optuna
import pytest
from mnist_edge_trainer.tuning.optuna_extras import NetworkPruner, SeededSampler
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState


def trial(network: str, accuracies: list[float], state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    """A trial of six epochs that has come so far."""
    return optuna.create_trial(
        state=state,
        value=accuracies[-1] if state == TrialState.COMPLETE else None,
        params={"network": network},
        distributions={"network": CategoricalDistribution(("tiny", "nano"))},
        user_attrs={"recipe": {"epochs": 6}},
        intermediate_values=dict(enumerate(accuracies, start=1)),
    )


@pytest.fixture
def study() -> optuna.Study:
    """Five trials of one network, whose median is 0.3 in each epoch, and many better ones of another."""
    study = optuna.create_study(direction="maximize")
    study.add_trials([trial("nano", [accuracy] * 6) for accuracy in (0.1, 0.2, 0.3, 0.4, 0.5)])
    study.add_trials([trial("tiny", [0.9] * 6) for _ in range(4)])
    return study


@pytest.mark.parametrize(
    ("network", "accuracies", "pruned"),
    [
        ("nano", [0.1, 0.1, 0.29], True),
        ("nano", [0.1, 0.1, 0.3], False),
        ("nano", [0.4, 0.1, 0.1], False),  # it was better once
        ("nano", [0.1, 0.1], False),  # too early
        ("tiny", [0.1, 0.1, 0.1], False),  # too few of its network
    ],
)
def test_below_the_median_of_its_network(
    study: optuna.Study, network: str, accuracies: list[float], pruned: bool
) -> None:
    assert NetworkPruner().prune(study, trial(network, accuracies, TrialState.RUNNING)) is pruned


def test_before_the_first_epoch_nothing_is_pruned(study: optuna.Study) -> None:
    assert not NetworkPruner().prune(study, trial("nano", [], TrialState.RUNNING))


class TestSeededSampler:
    def numbers(self, seed: int, stops: int) -> list[float]:
        """Return what is proposed for twelve trials by a worker that is replaced after `stops` of them."""
        study, found = optuna.create_study(direction="maximize"), []
        for number in range(12):
            if number % stops == 0:
                study.sampler = SeededSampler(seed)
            trial = study.ask()
            found.append(trial.suggest_float("nano.learning_rate", 0, 1))
            study.tell(trial, -abs(found[-1] - 0.5))
        return found

    def test_a_resumed_study_proposes_the_same(self) -> None:
        whole = self.numbers(seed=3, stops=12)
        assert self.numbers(seed=3, stops=5) == whole
        assert len(set(whole)) == 12

    def test_another_seed_proposes_others(self) -> None:
        assert not set(self.numbers(seed=3, stops=12)) & set(self.numbers(seed=4, stops=12))
