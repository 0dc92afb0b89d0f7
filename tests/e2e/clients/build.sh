#!/usr/bin/env bash
# Builds the LDAP clients into a folder: ./build.sh DIR. What is there already and the same is not built again.
# Needs Go 1.26, Python 3 with venv, their registries, and for SSSD Debian's.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0

. ../made.sh

sssd_tree() { "$1/fetch.sh" "$2"; }

python3 --version >"$out/python-version"
made ldap3 python_program ldap3/requirements.txt "$out/python-version"
made go go_program go/*
if sssd/fetch.sh --list >"$out/sssd-packages"; then
	made sssd sssd_tree sssd/fetch.sh "$out/sssd-packages"
else
	rm -rf "$out/sssd"
	echo "built no SSSD: apt-get knows no package sssd-ldap here"
fi
