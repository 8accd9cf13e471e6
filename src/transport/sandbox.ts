/** What a server may change when it is run to be spoiled, and what it is told about that. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server's limits. */
export interface Sandbox {
  /** Absolute paths of files and directories that it may change; those that do not exist yet are looked for at each start. */
  readonly writable: readonly string[];
}

/** A directory for a sandboxed server's temporary files and caches, which nobody wants to keep. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'relight-scratch-'));

  /** The environment that leads programs there; what they keep in other places they cannot write. */
  environment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const kept = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    return { ...Object.fromEntries(kept), TMPDIR: this.path, XDG_CACHE_HOME: this.path };
  }

  /** Removes the directory and what servers left in it. */
  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
