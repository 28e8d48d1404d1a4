from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.non_digits import NON_DIGITS, seen


@pytest.mark.parametrize("kind", NON_DIGITS)
def test_pictures_in_the_networks_form_the_same_each_time(kind: str) -> None:
    images, count = seen(kind)
    assert (images.dtype, images.shape[1:]) == (np.uint8, (28, 28))
    assert 200 < len(images) <= count
    assert len({image.tobytes() for image in images}) > 200
    np.testing.assert_array_equal(seen(kind)[0], images)
