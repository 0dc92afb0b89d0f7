#!/usr/bin/env bash
# Builds the relying parties into a folder: ./build.sh DIR. What is there already and the same is not built again.
# Needs Go 1.26, Rust, Python 3 with venv, and their registries.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0

. ../made.sh

go_module() { (cd "$1" && go build -trimpath -ldflags "-s -w" -o "$2" "$(go list tool)"); }
rust_party() { cargo build --quiet --locked --manifest-path "$1/Cargo.toml" --target-dir "$out/target" && cp "$out/target/debug/party" "$2"; }

# What Rust downloads and what Go compiles go on side by side.
made rust rust_party rust/Cargo.* rust/src/* &
rust=$!
trap 'wait "$rust"' EXIT
python3 --version >"$out/python-version"
made authlib python_program authlib/requirements.txt "$out/python-version"
made go go_program go/*
made miniflux go_module miniflux/go.*
made oauth2-proxy go_module oauth2-proxy/go.*
wait "$rust"
