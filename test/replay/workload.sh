#!/usr/bin/env bash
# usage: RELIGHT_MOUNT=FOLDER workload.sh read|write
# A short session of everything that a shell can ask of a small tree, for recordings that are replayed many times.
set -u
cd "$RELIGHT_MOUNT" || exit 1
exec 2>/dev/null
ls -lR . >/dev/null
cat a0 a5 d/b3 absent >/dev/null
stat -f . >/dev/null
[ "$1" = write ] || exit 0
mkdir w w/x
echo one >w/new
echo two >>w/new
cp a4 w/copy
mv w/copy w/x/moved
ln w/new w/hard
ln -s new w/soft
readlink w/soft
cat w/soft >/dev/null
chmod 600 w/x/moved
touch -d @1577934245 w/new
truncate --size=5 w/new
truncate --size=9000 w/x/moved
dd if=a5 of=w/x/moved bs=100 seek=3 conv=notrunc,fsync
cmp w/x/moved a4 >/dev/null
rm w/hard
rm -r w/x
mv w v
ls -lR v >/dev/null
cat v/new >/dev/null
