#!/usr/bin/env bash
# usage: [RELIGHT_LIMIT=SECONDS] bare.sh WORKLOAD -- SERVER...
# A session without relight, with the interface of `relight record --workload WORKLOAD -- SERVER...`: makes a folder for
# {mnt}, starts the server in the foreground, runs the shell command WORKLOAD with RELIGHT_MOUNT set once the mount is
# there, unmounts, waits for the server. Its exit status is the workload's, or 3 when there was no mount.
set -uo pipefail
workload=$1
shift 2
limit=${RELIGHT_LIMIT:-30}
mnt=$(mktemp -d)
server=

is_mounted() { grep -q " $mnt fuse" /proc/self/mounts; }
take_down() {
  if is_mounted; then
    umount "$mnt" 2>/dev/null || fusermount3 -u "$mnt" 2>/dev/null || fusermount3 -uz "$mnt"
  fi
  for _ in {1..200}; do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  rmdir "$mnt"
}
trap take_down EXIT
trap 'exit 130' INT TERM

"${@//\{mnt\}/$mnt}" &
server=$!
for ((i = 0; i < limit * 50; i++)); do
  is_mounted && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.02
done
if ! is_mounted; then
  echo "no mount within $limit s: $*" >&2
  exit 3
fi

RELIGHT_MOUNT=$mnt bash -c "$workload"
