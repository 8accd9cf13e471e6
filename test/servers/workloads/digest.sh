#!/usr/bin/env bash
# usage: digest.sh FOLDER
# One line for everything below FOLDER that does not change from run to run: type, mode, size, content hash, link target.
# Left out: sizes of folders (their server's business), times, git's index (it caches times and inode numbers), and files that
# high-level libfuse hides while they are open and removed.
set -euo pipefail
export LC_ALL=C
cd "$1"
skip=(-name lost+found -prune -o -path '*/.git/index' -o -name '.fuse_hidden*' -o)
find . -mindepth 1 "${skip[@]}" -type f -printf '%P\tfile\t%m\t%s\n' -o -type l -printf '%P\tlink\t%l\n' \
  -o -printf '%P\t%y\t%m\n' | sort
find . -mindepth 1 "${skip[@]}" -type f -print0 | sort -z | xargs -0 -r sha256sum
