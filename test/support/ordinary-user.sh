#!/usr/bin/env bash
# usage: unshare --mount --propagation private ordinary-user.sh CHECKOUT MODE COMMAND...
# Runs COMMAND as nobody, who finds /dev/fuse with MODE (666, as udev makes it, or 600) and can read the checkout. The device and
# the folders are covered in this mount namespace alone, so the machine stays as it is.
set -euo pipefail
checkout=$1
mode=$2
shift 2

cover=$(mktemp -d /dev/shm/relight-cover-XXXXXX)
mount -t tmpfs -o mode=755 relight-cover "$cover"
rmdir_cover() { umount --lazy "$cover" && rmdir "$cover"; }

mknod -m "$mode" "$cover/fuse" c 10 229
mount --bind "$cover/fuse" /dev/fuse

# fusermount3 looks the user up by number; nobody is in every Debian.
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

if ! "${as_nobody[@]}" test -r "$checkout/package.json"; then
  # A clone below /root: cover its closed parents and put the clone back at the same path.
  mkdir "$cover/checkout"
  mount --bind "$checkout" "$cover/checkout"
  parent=/$(cut -d/ -f2 <<<"$checkout")
  mount -t tmpfs -o mode=755 relight-cover "$parent"
  mkdir -p "$checkout"
  mount --bind "$cover/checkout" "$checkout"
fi

rmdir_cover
exec "${as_nobody[@]}" env HOME=/nonexistent USER=nobody LOGNAME=nobody "$@"
