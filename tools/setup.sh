# Sourced by demo.sh and check.sh: prints a command, then runs it; installs what is missing.

say() { printf '%s\n' "$*"; }
run() { printf '+ %s\n' "$*"; "$@"; }

# install PACKAGE...: those of Debian's packages that are missing, with apt-get. Nothing when all are
# there.
install() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "not a Debian or Ubuntu system: please install the equivalents of:$missing" >&2
        exit 1
    fi
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    export DEBIAN_FRONTEND=noninteractive
    run $sudo apt-get update -qq
    # shellcheck disable=SC2086 # a list
    run $sudo apt-get install -y -qq --no-install-recommends $missing
}
