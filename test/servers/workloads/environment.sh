# Sourced by the workloads: an environment in which real programs print the same on every machine and at any time.
export LC_ALL=C TZ=UTC HOME=$results
export GIT_CONFIG_GLOBAL=$results/gitconfig GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=relight GIT_AUTHOR_EMAIL=relight@example.org GIT_AUTHOR_DATE='2020-01-02T03:04:05Z'
export GIT_COMMITTER_NAME=relight GIT_COMMITTER_EMAIL=relight@example.org GIT_COMMITTER_DATE='2020-01-02T03:04:05Z'
# A repository belongs to whoever the server says; one thread, since packs depend on how the work was split. In a file,
# because git does not hand settings of the environment on to the process that serves a clone.
cat >"$GIT_CONFIG_GLOBAL" <<'END'
[safe]
  directory = *
[pack]
  threads = 1
[gc]
  auto = 0
END
umask 022

step() { echo "== $*"; }
lacks() { [[ " ${LACKS:-} " == *" $1 "* ]]; }
# The archive without what differs from run to run. Status 1 is tar's word for a file whose times changed while it was read,
# as happens where attributes of hard links are cached apart.
archive() {
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --warning=no-file-changed -cf - "$1" || [ $? = 1 ]
}

# High-level libfuse renames an open file that is removed, until its RELEASE arrives, which the kernel sends after close(2)
# has returned: whether a look finds it is chance.
without_hidden() { sed '/\.fuse_hidden/d'; }
