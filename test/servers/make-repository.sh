#!/usr/bin/env bash
# usage: make-repository.sh PATH.git
# A small bare git repository with the same object names on every machine.
set -euo pipefail
bare=$1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
. "$(dirname "$0")/workloads/environment.sh"

git init --quiet --initial-branch=main "$results/work"
cd "$results/work"
for commit in 1 2 3; do
  for file in 1 2 3 4 5 6 7 8 9 10; do
    mkdir -p "part-$file"
    seq "$((file * commit))" "$((file * 100 + commit))" >"part-$file/numbers.txt"
  done
  git add .
  git commit --quiet --message "commit $commit"
done
git tag first HEAD~2
git clone --quiet --bare --no-local "$results/work" "$bare"
git -C "$bare" remote remove origin
