#!/usr/bin/env bash
# Gives the tests the real servers they talk to: installs what is missing when it may, otherwise says what to install.
set -euo pipefail

PACKAGES=(postgresql-15 pgbouncer prometheus-alertmanager)

command -v dpkg-query >/dev/null || exit 0

missing=()
for package in "${PACKAGES[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Some tests want real servers that are not installed here: apt-get install ${missing[*]}" >&2
    exit 0
fi

# The tests start their own servers; the packages' own must not start on this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

echo "Installing for the tests: ${missing[*]} ..." >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt-get update -qq >"$log" 2>&1 || true
for package in "${missing[@]}"; do
    if ! apt-get install -qq -y --no-install-recommends "$package" >"$log" 2>&1; then
        tail -n 3 "$log" >&2
        echo "Could not install $package; the tests that need it will say so." >&2
    fi
done
rm -f "$log"
