from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("deploy x.tar.gz", 2, "no host; name them as ssh takes them, or in a file with --hosts"),
        ("deploy x.tar.gz pi pi", 2, "pi is named twice"),
        ("deploy x.tar.gz -- -oProxyCommand=true", 2, "is not a host"),
        ("deploy x.tar.gz pi --timeout 0", 2, "--timeout is 0, expected"),
        ("deploy x.tar.gz --hosts none", 3, "none: No such file"),
        ("deploy none.tar.gz pi", 3, "none.tar.gz"),
        ("deploy", 2, "no bundle; name the file that mnist-edge bundle has written, or ask hosts with --status"),
        ("deploy pi", 2, "pi: no such bundle; name the file that mnist-edge bundle has written before the hosts"),
        ("deploy --status", 2, "no host; name them as ssh takes them"),
        ("deploy --status pi garden pi", 2, "pi is named twice"),
        ("deploy --status x.tar.gz pi", 2, "--status takes hosts alone; leave out x.tar.gz"),
        ("deploy --status pi --dry-run", 2, "--status changes nothing; leave out --dry-run and --batch"),
        ("deploy --status pi --batch 1", 2, "--status changes nothing; leave out --dry-run and --batch"),
        ("deploy /dev/null pi", 3, "/dev/null: is a device, expected a regular file"),
        ("deploy x.tar.gz --inventory none", 3, "none: No such file"),
        ("deploy x.tar.gz --inventory /dev/null", 3, "/dev/null: is a device, expected a regular file"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)
