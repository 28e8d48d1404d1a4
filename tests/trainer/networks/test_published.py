from __future__ import annotations

from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file


def test_each_published_network_is_in_the_table_and_has_its_file() -> None:
    assert set(PUBLISHED) <= set(ARCHITECTURES)
    folder = weights_file("base").parent
    assert sorted(file.stem for file in folder.glob("*.keras")) == sorted(PUBLISHED)
    assert all(weights_file(network).is_file() for network in PUBLISHED)
