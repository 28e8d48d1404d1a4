from __future__ import annotations

from mnist_edge_runtime.service.refusal import RefusalError


def test_it_says_its_sentence() -> None:
    error = RefusalError(429, "send it again later", {"Retry-After": "1"})
    assert (error.status, str(error), error.headers) == (429, error.sentence, {"Retry-After": "1"})
    assert RefusalError(400, "no").headers == {}
