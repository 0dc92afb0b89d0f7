# Sourced by scripts that build what tests need: what is there already and made of the same files is not built again.

# made NAME COMMAND FILE…: has COMMAND make NAME in $out anew if it is not there or was made of other files.
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

go_program() { (cd "$1" && go build -trimpath -o "$2" .); }
python_program() { python3 -m venv "$2" && "$2/bin/python" -m pip install --quiet --require-hashes -r "$1/requirements.txt"; }
