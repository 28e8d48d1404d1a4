"""Raspberry Pis that are not there: the runtime's real wheels for a board under qemu, in a Debian root of one's own.

recipes.py says what each board is, packages.py fetches, root.py unpacks and keeps, emulator.py runs, command.py is
`scripts/emulated-pi`.
"""
