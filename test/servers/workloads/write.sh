#!/usr/bin/env bash
# usage: RELIGHT_MOUNT=FOLDER [LACKS="symlinks hardlinks attributes folder-renames"] write.sh FIXTURES RESULTS
# Real programs change the file system at RELIGHT_MOUNT; RESULTS/output gets what they print and RESULTS/tree what is
# there in the end, both the same for every run on the same server.
set -euo pipefail
fixtures=$1
results=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/servers/workloads/environment.sh
. "$here/environment.sh"

cd "$RELIGHT_MOUNT"
mkdir work
cd work
exec >"$results/output" 2>&1

step tar
mkdir tree
leave_out=()
lacks symlinks && leave_out+=(--exclude='*.link')
lacks hardlinks && leave_out+=(--exclude='*.hard')
tar -xf "$fixtures/tree.tar" -C tree --no-same-owner "${leave_out[@]}"
archive tree | sha256sum

step cp -a
if lacks attributes; then cp -r --preserve=timestamps tree copy; else cp -a tree copy; fi
diff -r --no-dereference tree copy

step git
git clone --quiet "$fixtures/repository.git" clone
echo 'a new line' >clone/new.txt
git -C clone add new.txt
git -C clone commit --quiet --message 'add a line'
git -C clone log --format='%H %an %ad %s'
git -C clone status --porcelain
git -C clone fsck --strict 2>&1 | without_hidden

step sqlite3
sqlite3 data.db <"$here/write.sql"

step dd
dd if="$fixtures/big.bin" of=big.bin bs=1M count=64 conv=fsync status=none
dd if=big.bin bs=1M status=none | sha256sum

step in place
printf 'appended\n' >>copy/README
dd if="$fixtures/big.bin" of=big.bin bs=4096 seek=1000 count=3 conv=notrunc status=none
truncate --size=40000001 big.bin
truncate --size=70000 tree/empty
chmod 600 copy/README
mv copy/README copy/renamed
if lacks folder-renames; then mkdir moved; else mv --no-target-directory tree/sub moved; fi
mv copy/renamed moved/over
lacks hardlinks || ln moved/over moved/hard
lacks symlinks || ln -s ../copy moved/soft
rmdir_answer=0
rmdir copy || rmdir_answer=$?
echo "rmdir of a full folder: $rmdir_answer"

step find
find . -name .git -prune -o -print | without_hidden | sort

step rm -r
rm -r copy/sub
rm big.bin.absent || true
find copy | without_hidden | sort

"$here/digest.sh" . >"$results/tree"
