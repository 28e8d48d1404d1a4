"""Run a command under a seccomp filter that hides the system calls which are newer than proot.

    python seccomp.py COMMAND...

proot 5.1 translates the paths of the calls it knows; through any other a program on the board would see this machine's
files. A C library that gets ENOSYS for a call takes an older one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

__all__ = ["hide_calls"]

# Numbers of Linux on x86_64: arch/x86/entry/syscalls/syscall_64.tbl.
_HIDDEN = {
    "renameat2": 316,
    "execveat": 322,
    "statx": 332,
    "openat2": 437,
    "faccessat2": 439,
    "fchmodat2": 452,
}
# include/uapi/linux/{prctl,seccomp,audit,filter}.h
_SET_SECCOMP, _SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_X86_64 = 0xC000003E
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def hide_calls() -> None:
    """Make those calls fail with ENOSYS in this process and its children.

    Raises:
        OSError: the kernel does not filter system calls.
    """
    jumps = [
        (_JUMP_IF_EQUAL, len(_HIDDEN) - place, 0, number) for place, number in enumerate(_HIDDEN.values())
    ]  # to the last step
    steps = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_IF_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        *jumps,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
    ]
    program = _Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    none = ctypes.c_ulong(0)
    if prctl(_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), none, none, none) or prctl(
        _SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program), none, none
    ):
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel does not filter system calls: {os.strerror(number)}")


if __name__ == "__main__":
    hide_calls()
    os.execvp(sys.argv[1], sys.argv[1:])
