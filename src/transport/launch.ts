/** Starts servers behind a channel, by interposition or by hand-over, one incarnation after the other. */

import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { errnoName } from '../base/errno.js';
import { RelightError } from '../base/error.js';
import { type ChannelPair, closeEnd, openChannel } from './channel.js';
import { makeExpendable } from './expendable.js';
import { Interposer } from './interpose/interposer.js';
import type { FromServing, FromSpawning, MountMode, SpawnCommand } from './interpose/messages.js';
import { removePollFile } from './interpose/poll-file.js';
import { fillPlaceholders, takesDescriptor, takesMountPoint } from './placeholders.js';
import { RunningServer } from './running-server.js';
import { type Sandbox, Scratch } from './sandbox.js';
import { Spawner } from './spawner.js';
import { adopted, becomeSubreaper, disownChild, ownChild } from './subreaper.js';

/** How servers are started; what is left out is as this process has it. */
export interface LaunchOptions {
  /** The server's command, placeholders not yet filled. */
  readonly command: readonly string[];
  readonly mode: MountMode;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly aslr?: 'on' | 'off';
  readonly cpus?: readonly number[];
  readonly stdin?: 'inherit' | 'ignore';
  readonly stdout?: 'inherit' | 'stderr' | 'ignore';
  readonly detached?: boolean;
  /** What the server may change, when it is not to be trusted. */
  readonly sandbox?: Sandbox | undefined;
}

/** What one start has otherwise than the launcher's options say. */
export type LifeChanges = Partial<Pick<LaunchOptions, 'aslr' | 'env'>>;

/** What a start tells its listener, on the main thread. */
export interface LaunchEvents {
  readonly onMounted?: (event: Extract<FromServing, { kind: 'mounted' }>) => void;
  readonly onUnmounted?: (event: Extract<FromServing, { kind: 'unmounted' }>) => void;
  /** What the server wrote to standard error, as it came. */
  readonly onStderr?: (chunk: Uint8Array) => void;
  /** The command's own process ended; a daemon may serve on. */
  readonly onRootExit?: () => void;
}

const needsMountPoint = ({ command, mode }: LaunchOptions): boolean =>
  takesMountPoint(command) || (mode === 'real' && takesDescriptor(command));

/** The parts of a launcher, each with an end of its own. */
interface Equipment {
  readonly mountPoint: string | undefined;
  readonly scratch: Scratch | undefined;
  readonly spawner: Spawner;
  readonly interposer: Interposer | undefined;
}

/** Starts one command as often as wanted; one incarnation at a time. */
export class Launcher {
  readonly options: LaunchOptions;
  /** The command with its placeholders filled. */
  readonly argv: readonly string[];
  readonly #equipment: Equipment;
  #theirs = -1;

  private constructor(options: LaunchOptions, equipment: Equipment) {
    this.options = options;
    this.#equipment = equipment;
    this.argv = fillPlaceholders(options.command, equipment.mountPoint);
  }

  /** Makes ready to start the command. Throws `usage` for an empty command, `environment` where interposition fails. */
  static async open(options: LaunchOptions): Promise<Launcher> {
    if (options.command.length === 0)
      throw new RelightError('usage', 'no server command', { remedy: "put the server's command after --" });
    becomeSubreaper();
    const mountPoint = needsMountPoint(options) ? mkdtempSync(join(tmpdir(), 'relight-mnt-')) : undefined;
    const scratch = options.sandbox && new Scratch();
    try {
      const own = [mountPoint, scratch?.path].filter((path) => path !== undefined);
      const spawner = await Spawner.start({
        intercepts: !takesDescriptor(options.command),
        writable: options.sandbox && [...options.sandbox.writable, ...own],
      });
      const interposer = await interposerFor(spawner);
      return new Launcher(options, { mountPoint, scratch, spawner, interposer });
    } catch (error) {
      scratch?.discard();
      if (mountPoint !== undefined) rmdirSync(mountPoint);
      throw error;
    }
  }

  /** The directory that stands for `{mnt}`, or where a real mount of a handed-over channel may go; else `undefined`. */
  get mountPoint(): string | undefined {
    return this.#equipment.mountPoint;
  }

  /** True when the server gets its channel as an open descriptor and mounts nothing itself. */
  get handsOver(): boolean {
    return this.#equipment.interposer === undefined;
  }

  /** Why the server may write anywhere although a sandbox was asked for, in words; `undefined` when all is well. */
  get sandboxTrouble(): string | undefined {
    const { confinement } = this.#equipment.spawner;
    return confinement === 0 ? undefined : errnoName(confinement);
  }

  /** Starts the next incarnation. Throws `server` when the command cannot be started. The caller closes our end. */
  async launch(events: LaunchEvents = {}, changes: LifeChanges = {}): Promise<RunningServer> {
    if (this.options.mode === 'pretend' && this.mountPoint !== undefined) removePollFile(this.mountPoint);
    const channel = openChannel();
    this.#theirs = channel.theirs;
    try {
      const server = await this.#spawn(channel, events, changes);
      if (this.options.sandbox !== undefined) makeExpendable(server.pid);
      if (this.handsOver) this.handedOver();
      return server;
    } catch (error) {
      closeEnd(channel.ours);
      this.handedOver();
      throw error;
    }
  }

  /** The server has its end: our copy goes, so that its death shows as end of file. Call once INIT was answered. */
  handedOver(): void {
    this.#equipment.interposer?.handedOver();
    closeEnd(this.#theirs);
    this.#theirs = -1;
  }

  /** The real mount is gone without the server's doing; its own unmounting has nothing left to do. */
  mountGone(): void {
    this.#equipment.interposer?.mountGone();
  }

  /** Ends threads and removes the temporary mount point. Every server must have been ended before. */
  async close(): Promise<void> {
    closeEnd(this.#theirs);
    this.#theirs = -1;
    const { interposer, spawner, scratch, mountPoint } = this.#equipment;
    await spawner.close();
    await interposer?.close();
    scratch?.discard();
    if (mountPoint === undefined) return;
    if (this.options.mode === 'pretend') removePollFile(mountPoint);
    rmdirSync(mountPoint);
  }

  #command(handOver: number, changes: LifeChanges): SpawnCommand {
    const options = { ...this.options, ...changes };
    const { aslr = 'on', cpus, stdin = 'ignore', stdout = 'ignore', detached = true } = options;
    const env = this.#equipment.scratch?.environment(options.env ?? process.env) ?? options.env;
    // The thread that starts it may see the file system in its own way: only a full path leads there.
    const cwd = resolve(this.options.cwd ?? '');
    const given = this.handsOver ? handOver : undefined;
    return { argv: this.argv, cwd, env, aslr, cpus, stdin, stdout, detached, handOver: given };
  }

  #spawn(channel: ChannelPair, events: LaunchEvents, changes: LifeChanges): Promise<RunningServer> {
    const { interposer, spawner, mountPoint } = this.#equipment;
    const strangers = new Set(adopted());
    const session = { socket: channel.theirs, inode: channel.theirInode, mode: this.options.mode };
    interposer?.begin({ ...session, temporary: mountPoint }, (event: FromServing) => {
      if (event.kind === 'mounted') events.onMounted?.(event);
      else if (event.kind === 'unmounted') events.onUnmounted?.(event);
    });
    return new Promise((started, reject) => {
      let server: RunningServer | undefined;
      spawner.spawn(this.#command(channel.theirs, changes), (event: FromSpawning) => {
        if (event.kind === 'failed') reject(this.#cannotStart(event.error));
        else if (event.kind === 'spawned') {
          ownChild(event.pid);
          server = new RunningServer(event.pid, channel, strangers);
          started(server);
        } else if (event.kind === 'stderr') {
          server?.stderr.append(event.chunk);
          events.onStderr?.(event.chunk);
        } else if (event.kind === 'exited' && server !== undefined && event.pid === server.pid)
          exited(server, event, events);
      });
    });
  }

  #cannotStart(why: string): RelightError {
    return new RelightError('server', `cannot start ${this.argv[0]}: ${why}`, {
      remedy: 'check the command after -- and that it is on the PATH',
    });
  }
}

const exited = (
  server: RunningServer,
  { code, signal }: { code: number | null; signal: NodeJS.Signals | null },
  events: LaunchEvents,
): void => {
  disownChild(server.pid);
  server.rootExited({ pid: server.pid, code: code ?? undefined, signal: signal ?? undefined });
  events.onRootExit?.();
};

/** What answers a filter, when there is one. Throws `environment` where seccomp notification is not to be had. */
const interposerFor = async (spawner: Spawner): Promise<Interposer | undefined> => {
  const { listener } = spawner;
  if (listener === undefined) return undefined;
  if (listener >= 0) return new Interposer(listener);
  await spawner.close();
  throw new RelightError('environment', `the kernel refuses a seccomp listener: ${errnoName(-listener)}`, {
    remedy:
      'give the server its channel by {fd}, or run where seccomp user notification is allowed (see relight doctor)',
  });
};
