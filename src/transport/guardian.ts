/** A shell that cleans up after us when we are killed without a chance to: it holds a pipe from us and sleeps until that ends. */

import { spawn } from 'node:child_process';
import { disownChild, ownChild } from './subreaper.js';

/** What shall not outlive us. */
export interface Guarded {
  /** Mount point and device number (`major:minor`) of our mount. */
  readonly target: string;
  readonly device: string;
  readonly serverPid: number;
  /** A directory to remove when it is empty; `undefined` for none. */
  readonly directory: string | undefined;
}

// A line on the pipe means that all went well. The mount is compared by its device number, for somebody else may have
// mounted there since. The server sees its channel end and has five seconds to leave.
const script = `
IFS= read -r line && exit 0
while read -r _ _ device _; do
  [ "$device" = "$2" ] || continue
  if [ "$(id -u)" = 0 ]; then umount -l -- "$1"; else fusermount3 -u -z -q -- "$1"; fi
  break
done < /proc/self/mountinfo 2>/dev/null
n=0
while kill -0 "$3" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
[ $n -lt 50 ] || kill -9 "$3" 2>/dev/null
[ -z "$4" ] || rmdir -- "$4" 2>/dev/null
`;

/** Starts to guard; call the result when everything was cleaned up in the ordinary way. */
export const guard = ({ target, device, serverPid, directory }: Guarded): (() => Promise<void>) => {
  const child = spawn(
    '/bin/sh',
    ['-c', script, 'relight-guardian', target, device, String(serverPid), directory ?? ''],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    },
  );
  const { pid } = child;
  if (pid !== undefined) ownChild(pid);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => {
      if (pid !== undefined) disownChild(pid);
      resolve();
    });
  });
  child.stdin?.on('error', () => undefined);
  return () => {
    child.stdin?.end('done\n');
    return ended;
  };
};
