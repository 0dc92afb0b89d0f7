#!/usr/bin/env bash
# Builds the relying parties into a folder: ./build.sh DIR. What is there already and the same is not built again.
# Needs Go 1.26, Rust, Python 3 with venv, and their registries.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0

# made NAME COMMAND FILE…: has COMMAND make NAME anew if it is not there or was made of other files.
made() {
	local name=$1 command=$2 from new=$out/$1.new.$$ begun=$SECONDS
	shift 2
	from=$(cat "$@" | sha256sum)
	if [ -e "$out/$name" ] && [ "$(cat "$out/$name.made" 2>/dev/null)" = "$from" ]; then return; fi
	"$command" "$name" "$new" || { rm -rf "$new"; echo "$name could not be built"; exit 1; }
	rm -rf "${out:?}/$name"
	mv "$new" "$out/$name"
	echo "$from" >"$out/$name.made"
	echo "built $name in $((SECONDS - begun)) s"
}

go_module() { (cd "$1" && go build -trimpath -ldflags "-s -w" -o "$2" "$(go list tool)"); }
go_party() { (cd "$1" && go build -trimpath -o "$2" .); }
rust_party() { cargo build --quiet --locked --manifest-path "$1/Cargo.toml" --target-dir "$out/target" && cp "$out/target/debug/party" "$2"; }
python_party() { python3 -m venv "$2" && "$2/bin/python" -m pip install --quiet --require-hashes -r "$1/requirements.txt"; }

# What Rust downloads and what Go compiles go on side by side.
made rust rust_party rust/Cargo.* rust/src/* &
rust=$!
trap 'wait "$rust"' EXIT
python3 --version >"$out/python-version"
made authlib python_party authlib/requirements.txt "$out/python-version"
made go go_party go/*
made miniflux go_module miniflux/go.*
made oauth2-proxy go_module oauth2-proxy/go.*
wait "$rust"
