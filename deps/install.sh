#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# install.sh build|test|bench [--dry-run]
#
# Installs from the distribution what the build, the tests or the benchmarks need and is missing, with sudo when
# not root. Says what it does; does nothing, and asks nothing of the network, when all is there.
# With --dry-run it only says. Knows apt-get (Debian, Ubuntu, Raspberry Pi OS), dnf (Fedora) and
# apk (Alpine). README.md beside this file says what each package is for.
set -eu

usage() {
    echo "usage: $0 build|test|bench [--dry-run]" >&2
    exit 2
}

case "${1:-}" in build | test | bench) purpose=$1 ;; *) usage ;; esac
case "${2:-}" in '') dry_run= ;; --dry-run) dry_run=1 ;; *) usage ;; esac

say() { echo "deps: $*"; }

# $wanted must be there in the end; $helpful is taken where the distribution has it.
wanted="" helpful=""
choose() { # choose "wanted of build" "helpful of build", the same of test, helpful of bench
    case "$purpose" in
    build) wanted=$1 helpful=$2 ;;
    test) wanted=$3 helpful=$4 ;;
    bench) helpful=$5 ;;
    esac
}
# A program that may come from elsewhere: its package only if the program is not found.
package_of() { command -v "$1" >/dev/null 2>&1 || echo "$2"; }

if command -v apt-get >/dev/null 2>&1; then
    manager=apt-get
    clang_major() {
        clang --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/\1/p' && return
        apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p'
    }
    clang_runtime() {
        major=$(clang_major | head -n 1)
        [ -n "$major" ] || major=$(apt-cache depends clang 2>/dev/null |
            sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        [ -z "$major" ] || echo "libclang-rt-$major-dev"
    }
    list_packages() {
        choose \
            "gcc make libc6-dev pkg-config" \
            "libjemalloc-dev libssl-dev liburing-dev libedit-dev liblua5.4-dev libsystemd-dev" \
            "libcmocka-dev python3 python3-pytest python3-redis python3-pexpect redis-server redis-tools
             openssl clang cmake clang-format gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" \
            "python3-pytest-xdist redis-sentinel clang-tidy cppcheck valgrind util-linux $(clang_runtime)
             $(package_of node nodejs)" \
            "python3 python3-matplotlib redis-server redis-tools util-linux"
    }
    has_package() {
        dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
    }
    is_offered() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }
    refresh() { as_root apt-get update -q; }
    install_packages() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
    }
elif command -v dnf >/dev/null 2>&1; then
    manager=dnf
    list_packages() {
        choose \
            "gcc make glibc-devel pkgconf-pkg-config" \
            "jemalloc-devel openssl-devel liburing-devel libedit-devel lua-devel systemd-devel" \
            "libcmocka-devel python3 python3-pytest python3-redis python3-pexpect openssl
             clang cmake clang-tools-extra libasan libubsan libtsan" \
            "python3-pytest-xdist compiler-rt redis valkey-compat-redis cppcheck valgrind gcc-aarch64-linux-gnu
             sysroot-aarch64-fc$(rpm -E '%{fedora}')-glibc qemu-user $(package_of node nodejs)" \
            "python3 python3-matplotlib redis valkey-compat-redis util-linux"
    }
    has_package() { rpm -q --quiet --whatprovides "$1"; }
    is_offered() { [ -n "$(dnf -q repoquery --whatprovides "$1" 2>/dev/null)" ]; }
    refresh() { :; }
    install_packages() { as_root dnf install -q -y "$@"; }
elif command -v apk >/dev/null 2>&1; then
    manager=apk
    list_packages() {
        choose \
            "gcc make musl-dev pkgconf linux-headers" \
            "jemalloc-dev openssl-dev liburing-dev libedit-dev lua5.4-dev" \
            "bash coreutils cmocka-dev python3 py3-pytest py3-redis py3-pexpect openssl redis clang cmake
             clang-extra-tools" \
            "py3-pytest-xdist compiler-rt cppcheck valgrind util-linux-misc qemu-aarch64 $(package_of node nodejs)" \
            "python3 py3-matplotlib redis util-linux-misc"
    }
    has_package() { apk info -q -e "$1"; }
    is_offered() { [ -n "$(apk search -q -x "$1" 2>/dev/null)" ]; }
    refresh() { as_root apk update -q; }
    install_packages() { as_root apk add -q "$@"; }
else
    say "neither apt-get, dnf nor apk is here; install what deps/README.md lists by hand" >&2
    exit 0
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this needs root, and there is no sudo: $*" >&2
        exit 1
    fi
}

missing() { # the packages among the arguments that are not installed
    for package in "$@"; do
        has_package "$package" || printf '%s ' "$package"
    done
}

# Packages that bring a server would start it, on the port that ours wants. For the time of the
# installation Debian's policy says no; what other managers install does not start by itself.
policy=/usr/sbin/policy-rc.d
policy_is_ours=
forbid_services() {
    [ "$manager" = apt-get ] && [ ! -e "$policy" ] || return 0
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    policy_is_ours=1
}
allow_services() {
    [ -z "$policy_is_ours" ] || as_root rm -f "$policy"
    policy_is_ours=
}
# Nor shall they start with the machine, if it was we who brought them.
disable_services() {
    command -v systemctl >/dev/null 2>&1 || return 0
    for service in redis-server redis-sentinel; do
        case " $1 " in
            *" $service "*)
                [ ! -d /run/systemd/system ] || as_root systemctl stop -q "$service" || true
                as_root systemctl disable -q "$service" >/dev/null 2>&1 || true
                say "$service stays off: the tests start what they need"
                ;;
        esac
    done
}

list_packages
# shellcheck disable=SC2086
needed=$(missing $wanted $helpful)
[ -n "$needed" ] || exit 0

say "missing for $purpose: $needed"
if [ -n "$dry_run" ]; then
    say "would run: $manager install $needed"
    exit 0
fi

refresh
list_packages # some names depend on what is offered
# shellcheck disable=SC2086
needed=$(missing $wanted)
# shellcheck disable=SC2086
for package in $(missing $helpful); do
    if is_offered "$package"; then
        needed="$needed$package "
    else
        say "$package is not offered here; going on without it"
    fi
done
[ -n "$needed" ] || exit 0

say "$manager install $needed"
trap allow_services EXIT
forbid_services
# shellcheck disable=SC2086
install_packages $needed
allow_services
disable_services "$needed"
