#!/usr/bin/env bash
# Lays SSSD, its tools and pamtester, as far as this machine lacks them, into a folder: fetch.sh DIR. `fetch.sh --list` says which packages that
# are. Nothing is installed: SSSD's packages would change how this machine looks people up and lets them in.
set -euo pipefail
readonly PACKAGES=(sssd-ldap sssd-tools pamtester)

lacking() { apt-get --simulate --no-install-recommends -o Debug::NoLocking=1 install "${PACKAGES[@]}" | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1 \2/p'; }

if [ "$1" = --list ]; then
	lacking && exit
	apt-get -qq update >/dev/null && lacking
	exit
fi

mkdir -p "$1" "$1.debs/partial"
trap 'rm -rf "$1.debs"' EXIT
apt-get -qq -y --download-only --no-install-recommends -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::Cache::archives="$1.debs" install "${PACKAGES[@]}" >/dev/null
# Packages may speak of /lib where this machine has only /usr/lib.
for name in bin sbin lib; do
	mkdir -p "$1/usr/$name"
	ln -s "usr/$name" "$1/$name"
done
for package in "$1.debs"/*.deb; do
	[ ! -e "$package" ] || dpkg-deb --fsys-tarfile "$package" | tar -x -C "$1" --keep-directory-symlink
done
rm "$1/bin" "$1/sbin" "$1/lib"
