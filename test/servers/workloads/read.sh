#!/usr/bin/env bash
# usage: RELIGHT_MOUNT=FOLDER read.sh FIXTURES RESULTS
# Real programs read the file system at RELIGHT_MOUNT, which holds the fixtures; RESULTS/output gets what they print and
# RESULTS/tree what is there, both the same for every run on the same server.
set -euo pipefail
results=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/servers/workloads/environment.sh
. "$here/environment.sh"

cd "$RELIGHT_MOUNT"
exec >"$results/output" 2>&1

step tar
archive tree | sha256sum

step cp -a
mkdir "$results/copied"
cp -r --no-dereference --preserve=mode,timestamps tree "$results/copied/"
diff -r --no-dereference tree "$results/copied/tree"

step git
git clone --quiet "$RELIGHT_MOUNT/repository.git" "$results/copied/clone"
git -C "$results/copied/clone" log --format='%H %an %ad %s'
git -C "$RELIGHT_MOUNT/repository.git" fsck --strict

step sqlite3
sqlite3 "file:$RELIGHT_MOUNT/sample.db?immutable=1" <"$here/read.sql"

step dd
dd if=big.bin bs=1M status=none | sha256sum
dd if=big.bin bs=4096 skip=1000 count=3 status=none | sha256sum

step find
find . | sort

step refused
touch tree/new 2>&1 || true
cat absent 2>&1 || true

rm -r "$results/copied"
"$here/digest.sh" . >"$results/tree"
