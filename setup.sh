# Shared by ./run and ./test: says what is missing, installs it where we know how, and builds. Sourced, not run.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$root"

say() {
    printf '%s\n' "$*" >&2
}

# The packages of packages.txt with one of the given uses.
packages_for() {
    for use in "$@"; do
        sed -n "s/^\([a-z0-9][^ #]*\) $use\$/\1/p" packages.txt
    done
}

missing_packages() {
    for package in $(packages_for "$@"); do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "This step needs root: $*"
        return 1
    fi
}

install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
        say "Not a Debian system: these packages (Debian's names) are needed, and are taken as they are found:"
        say "  $(packages_for "$@" | tr '\n' ' ')"
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    say "Installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # A fresh system has no package lists, an old one has stale ones: fetch them first in both cases.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}

# build_into FOLDER MESON-OPTIONS...: sets up once, then builds. Quiet unless something fails.
build_into() {
    folder=$1
    shift
    log="$folder.log"
    if [ ! -f "$folder/build.ninja" ]; then
        meson setup "$folder" "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    fi
    ninja -C "$folder" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
    rm -f "$log"
}
