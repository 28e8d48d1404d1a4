from __future__ import annotations

import pytest
from mnist_edge_exporters.parity.tolerance import TOLERANCES
from mnist_edge_exporters.spec import VARIANTS, Quantization
from mnist_edge_runtime import UsageError

FLOAT, INT8 = TOLERANCES[Quantization.NONE], TOLERANCES[Quantization.INT8]


def test_every_variant_has_a_tolerance() -> None:
    assert {quantization for _, quantization in VARIANTS} <= set(TOLERANCES)


def test_two_files_within_a_tolerance_are_within_its_double() -> None:
    doubled = INT8.doubled()
    assert (doubled.agreement, doubled.accuracy_loss) == (pytest.approx(0.99), 0.006)
    assert (FLOAT.doubled().agreement, FLOAT.doubled().sqnr_db) == (1.0, 74)


def test_figures_of_a_tolerance_are_replaced_by_name() -> None:
    replaced = INT8.replaced(["agreement=0.5", "probability-difference=0.25", "sqnr-db=30"])
    assert replaced.sqnr_db == 30
    assert (replaced.agreement, replaced.accuracy_loss, replaced.probability_difference) == (0.5, 0.003, 0.25)


@pytest.mark.parametrize(
    "figure", ["accord=0.9", "agreement", "agreement=most", "agreement=1.5", "agreement=nan", "sqnr-db=201"]
)
def test_other_figures_are_refused(figure: str) -> None:
    with pytest.raises(UsageError, match=f"--tolerance {figure}"):
        INT8.replaced([figure])
