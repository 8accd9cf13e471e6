/** Starts servers behind a channel, by interposition or by hand-over, one incarnation after the other. */

import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelightError } from '../base/error.js';
import { type ChannelPair, closeEnd, openChannel } from './channel.js';
import { Interposer } from './interpose/interposer.js';
import type { FromServing, FromSpawning, MountMode, SpawnCommand } from './interpose/messages.js';
import { removePollFile } from './interpose/poll-file.js';
import { fillPlaceholders, takesDescriptor, takesMountPoint } from './placeholders.js';
import { RunningServer } from './running-server.js';
import { spawnCommand } from './spawn.js';
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
  readonly stdout?: 'inherit' | 'ignore';
  readonly detached?: boolean;
}

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

/** Starts one command as often as wanted; one incarnation at a time. */
export class Launcher {
  readonly options: LaunchOptions;
  /** The directory that stands for `{mnt}`, or where a real mount of a handed-over channel may go; else `undefined`. */
  readonly mountPoint: string | undefined;
  /** The command with its placeholders filled. */
  readonly argv: readonly string[];
  readonly #interposer: Interposer | undefined;
  #theirs = -1;

  private constructor(options: LaunchOptions, interposer: Interposer | undefined) {
    this.options = options;
    this.#interposer = interposer;
    this.mountPoint = needsMountPoint(options) ? mkdtempSync(join(tmpdir(), 'relight-mnt-')) : undefined;
    this.argv = fillPlaceholders(options.command, this.mountPoint);
  }

  /** Makes ready to start the command. Throws `usage` for an empty command, `environment` where interposition fails. */
  static async open(options: LaunchOptions): Promise<Launcher> {
    if (options.command.length === 0)
      throw new RelightError('usage', 'no server command', { remedy: "put the server's command after --" });
    becomeSubreaper();
    return new Launcher(options, takesDescriptor(options.command) ? undefined : await Interposer.start());
  }

  /** True when the server gets its channel as an open descriptor and mounts nothing itself. */
  get handsOver(): boolean {
    return this.#interposer === undefined;
  }

  /** Starts the next incarnation. Throws `server` when the command cannot be started. The caller closes our end. */
  async launch(events: LaunchEvents = {}): Promise<RunningServer> {
    if (this.options.mode === 'pretend' && this.mountPoint !== undefined) removePollFile(this.mountPoint);
    const channel = openChannel();
    this.#theirs = channel.theirs;
    const strangers = new Set(adopted());
    try {
      return this.#interposer === undefined
        ? await this.#handOver(channel, strangers, events)
        : await this.#interpose(this.#interposer, { channel, strangers, events });
    } catch (error) {
      closeEnd(channel.ours);
      this.handedOver();
      throw error;
    }
  }

  /** The server has its end: our copy goes, so that its death shows as end of file. Call once INIT was answered. */
  handedOver(): void {
    this.#interposer?.handedOver();
    closeEnd(this.#theirs);
    this.#theirs = -1;
  }

  /** The real mount is gone without the server's doing; its own unmounting has nothing left to do. */
  mountGone(): void {
    this.#interposer?.mountGone();
  }

  /** Ends threads and removes the temporary mount point. Every server must have been ended before. */
  async close(): Promise<void> {
    closeEnd(this.#theirs);
    this.#theirs = -1;
    await this.#interposer?.close();
    if (this.mountPoint === undefined) return;
    if (this.options.mode === 'pretend') removePollFile(this.mountPoint);
    rmdirSync(this.mountPoint);
  }

  #command(handOver: number | undefined): SpawnCommand {
    const {
      cwd,
      env,
      aslr = 'on',
      cpus,
      stdin = 'ignore',
      stdout = 'ignore',
      detached = true,
    } = this.options;
    return { argv: this.argv, cwd, env, aslr, cpus, stdin, stdout, detached, handOver };
  }

  async #handOver(
    channel: ChannelPair,
    strangers: ReadonlySet<number>,
    events: LaunchEvents,
  ): Promise<RunningServer> {
    const child = spawnCommand(this.#command(channel.theirs));
    const failure = new Promise<Error>((resolve) => child.once('error', resolve));
    if (child.pid === undefined) throw this.#cannotStart((await failure).message);
    const pid = child.pid;
    ownChild(pid);
    const server = new RunningServer(pid, channel, strangers);
    child.stderr?.on('data', (chunk: Buffer) => {
      server.stderr.append(chunk);
      events.onStderr?.(chunk);
    });
    child.once('exit', (code, signal) => exited(server, { code, signal }, events));
    this.handedOver();
    return server;
  }

  #interpose(
    interposer: Interposer,
    {
      channel,
      strangers,
      events,
    }: { channel: ChannelPair; strangers: ReadonlySet<number>; events: LaunchEvents },
  ): Promise<RunningServer> {
    return new Promise((resolve, reject) => {
      let server: RunningServer | undefined;
      const onSpawning = (event: FromSpawning): void => {
        if (event.kind === 'failed') reject(this.#cannotStart(event.error));
        else if (event.kind === 'spawned') {
          ownChild(event.pid);
          server = new RunningServer(event.pid, channel, strangers);
          resolve(server);
        } else if (event.kind === 'stderr') {
          server?.stderr.append(event.chunk);
          events.onStderr?.(event.chunk);
        } else if (event.kind === 'exited' && server !== undefined && event.pid === server.pid)
          exited(server, event, events);
      };
      const onServing = (event: FromServing): void => {
        if (event.kind === 'mounted') events.onMounted?.(event);
        else if (event.kind === 'unmounted') events.onUnmounted?.(event);
      };
      interposer.begin(
        {
          socket: channel.theirs,
          inode: channel.theirInode,
          mode: this.options.mode,
          temporary: this.mountPoint,
        },
        { onServing, onSpawning },
      );
      interposer.spawn(this.#command(undefined));
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
