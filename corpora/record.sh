#!/bin/bash
# Records the traces of this folder anew, on Debian 12 as root: bash corpora/record.sh
# Each server shows the same little tree; writable ones get the same little work. Paths are those of a scratch folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
relight="$here/../dist/cli/main.js"
scratch=/tmp/relight-corpus
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
trap 'rm -rf "$scratch"' EXIT

mkdir -p tree/docs && cd tree
for i in 0 1 2 3; do seq -f "line %g of file a$i" 1 $((i * 20 + 5)) > "a$i"; done
echo inner > docs/inner && ln -s a0 link && ln a1 hard && head -c 20000 /dev/zero | tr '\0' 'z' > docs/big
cd ..
mksquashfs tree image.sqfs -quiet -no-progress > /dev/null
truncate -s 4M image.ext4 && mke2fs -q -t ext4 -d tree image.ext4
echo secret > pass && mkdir vault && gocryptfs -q -init -scryptn 10 -passfile pass vault > /dev/null
gcc -O1 -w -o passthrough_ll /usr/share/doc/libfuse3-dev/examples/passthrough_ll.c $(pkg-config --cflags --libs fuse3)

read='cd $RELIGHT_MOUNT && ls -laR > /dev/null && exec 3< a0 4< a1 5< docs/big && cat a0 a2 docs/inner > /dev/null && readlink link && df . > /dev/null && kill -9 $$'
write='cd $RELIGHT_MOUNT && mkdir -p docs && for i in 1 2; do echo "new $i" > n$i; done && echo more >> n1 && mv n2 n3 && ln n1 n4 && ln -s n1 n5 && chmod 600 n3 && truncate -s 3 n3 && rm n4 && mkdir d && rmdir d && dd if=/dev/zero of=n6 bs=4k count=3 2> /dev/null && cat n1 n3 > /dev/null && ls -la > /dev/null && exec 3< n1 4<> n3 && kill -9 $$'

record() { # NAME WORKLOAD SERVER...
  local name=$1 work=$2
  shift 2
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$scratch" \
    node "$relight" record --json -o "$here/$name.rlt" -w "$work" -- "$@" 2> /dev/null > "$name.json"
}
cp -a tree b && record bindfs "$write" bindfs -f b '{mnt}'
cp -a tree p && record passthrough_ll "$read" ./passthrough_ll -f -o source="$scratch/p" '{mnt}'
record squashfuse_ll "$read" squashfuse_ll -f image.sqfs '{mnt}'
record squashfuse "$read" squashfuse -f image.sqfs '{mnt}'
record fuse2fs "$write" fuse2fs -f image.ext4 '{mnt}'
record gocryptfs "$write" gocryptfs -fg -q -passfile pass vault '{mnt}'

version() { dpkg-query -W -f='${Version}' "$1"; }
node - "$here" "$(uname -r)" "$read" "$write" \
  "$(version bindfs)" "$(version libfuse3-dev)" "$(version squashfuse)" "$(version fuse2fs)" "$(version gocryptfs)" << 'JS'
const { readFileSync, writeFileSync } = require('node:fs');
const [here, kernel, read, write, bindfs, libfuse3, squashfuse, fuse2fs, gocryptfs] = process.argv.slice(2);
const rows = [
  ['bindfs', bindfs, 'bindfs -f b {mnt}', write],
  ['passthrough_ll', libfuse3, './passthrough_ll -f -o source=p {mnt}', read],
  ['squashfuse_ll', squashfuse, 'squashfuse_ll -f image.sqfs {mnt}', read],
  ['squashfuse', squashfuse, 'squashfuse -f image.sqfs {mnt}', read],
  ['fuse2fs', fuse2fs, 'fuse2fs -f image.ext4 {mnt}', write],
  ['gocryptfs', gocryptfs, 'gocryptfs -fg -q -passfile pass vault {mnt}', write],
];
const traces = rows.map(([server, version, command, workload]) => {
  const { requests, replies, frames } = JSON.parse(readFileSync(`${server}.json`, 'utf8'));
  return { file: `${server}.rlt`, server, version, kernel, command, workload, frames, requests, replies };
});
writeFileSync(`${here}/manifest.json`, `${JSON.stringify({ traces }, undefined, 2)}\n`);
JS
