#!/bin/sh
# Install the bundle beside this script, or go back to the version before:
#   sh install.sh [--prefix DIR] [--service DIR|serve] [--allowed-signers FILE] [--rollback]
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
# No Python of an unsigned bundle runs where there is a list of signers.
signers=${HOME:-}/.config/mnist-edge/allowed_signers named='' before='' sums=$here/SHA256SUMS
for word do
    case $before$word in
    --allowed-signers=*) signers=${word#*=} named=1 ;;
    --allowed-signers?*) signers=$word named=1 ;;
    esac
    before=''
    [ "$word" != --allowed-signers ] || before=$word
done
if [ -e "$sums" ] && { [ -n "$named" ] || [ -e "$signers" ]; }; then
    if [ ! -r "$signers" ]; then
        echo "error: $signers: cannot be read; name the list of signers that are allowed" >&2
        exit 3
    fi
    if ! command -v ssh-keygen >/dev/null; then
        echo "error: there is no ssh-keygen here to verify the signature; install the package openssh-client" >&2
        exit 3
    fi
    if [ ! -e "$sums.sig" ]; then
        echo "error: the bundle is unsigned, and $signers asks for a signature; make one with: mnist-edge bundle --sign KEY" >&2
        exit 4
    fi
    who=$(ssh-keygen -Y find-principals -f "$signers" -s "$sums.sig" 2>/dev/null | head -n 1)
    if [ -z "$who" ] || ! ssh-keygen -Y verify -n mnist-edge -I "$who" -f "$signers" -s "$sums.sig" <"$sums" >/dev/null 2>&1; then
        echo "error: nobody whom $signers allows now has signed this bundle; add its maker there, if you trust them" >&2
        exit 4
    fi
    # Python would take a module from a file that nobody signed.
    listed=$(sed 's/^[^ ]*  //' "$sums")
    foreign=$(cd "$here" && find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's|^\./||' | grep -vxF "$listed")
    if [ -n "$foreign" ]; then
        echo "error: $(printf '%s\n' "$foreign" | head -n 1) is not a file of the bundle; unpack it again, into an empty folder" >&2
        exit 4
    fi
fi
# Last in the path, and without what is installed here (-S): no file beside this script takes the place of Python's own.
main='import sys; sys.path.append(sys.argv.pop(1)); from installer.__main__ import main; sys.exit(main())'
exec python3 -I -S -B -c "$main" "$here" "$@"
