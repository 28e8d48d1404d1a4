#!/bin/sh
# Install the bundle beside this script, or go back to the version before:
#   sh install.sh [--prefix DIR] [--service DIR|serve] [--rollback]
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 3
if ! command -v python3 >/dev/null; then
    echo "error: there is no python3 on this machine; install the package python3" >&2
    exit 3
fi
if ! python3 -I -c ''; then
    echo "error: the python3 on this machine does not start; install the package python3 again" >&2
    exit 3
fi
if [ -e "$here/SHA256SUMS" ] && ! wrong=$(cd "$here" && LC_ALL=C sha256sum -c --strict --quiet SHA256SUMS 2>/dev/null); then
    first=${wrong%%: *} more=$(($(printf '%s\n' "$wrong" | wc -l) - 1))
    [ "$more" -eq 0 ] || first="$first, and $more more"
    echo "error: the bundle is damaged (${first:-SHA256SUMS}); copy it again" >&2
    exit 4
fi
main='import sys; sys.path.insert(0, sys.argv.pop(1)); from installer.__main__ import main; sys.exit(main())'
exec python3 -I -B -c "$main" "$here" "$@"
