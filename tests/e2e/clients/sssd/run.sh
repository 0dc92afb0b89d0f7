#!/usr/bin/env bash
# Runs SSSD: run.sh TREE CONFIG DIR. It sees this machine's files with those of TREE and CONFIG laid over them, and what it writes goes
# into memory: all of that is gone when it ends. DIR is an empty folder to mount on. Others come in by `nsenter --mount --root`.
set -euo pipefail
if [ "${4:-}" != apart ]; then exec unshare --mount --propagation private "$0" "$1" "$2" "$3" apart; fi
mount -t tmpfs none "$3"
mkdir "$3/work" "$3/all"
cp -a "$1" "$3/over"
cp -a "$2/." "$3/over"
mount -t overlay overlay -o "lowerdir=/,upperdir=$3/over,workdir=$3/work" "$3/all"
for name in proc dev sys; do mount --rbind "/$name" "$3/all/$name"; done
exec chroot "$3/all" sssd --interactive --logger=stderr
