/** What it costs to revalidate a large cache after a restart, on a memfs whose nodeids survive it. */

import type { Replied } from '#relight/kernel/conversation.js';
import { lazy } from '#relight/kernel/strategies/lazy.js';
import { revalidateGetattr } from '#relight/kernel/strategies/revalidate-getattr.js';
import { revalidateLookup } from '#relight/kernel/strategies/revalidate-lookup.js';
import type { Strategy } from '#relight/kernel/strategies/strategy.js';
import { VirtualKernel } from '#relight/kernel/virtual-kernel.js';
import { encodeRequest } from '#relight/protocol/encode.js';
import { newestNegotiated } from '#relight/protocol/negotiated.js';
import { u64At } from '#relight/protocol/raw.js';
import { Driver } from '#relight/replay/driver.js';
import type { RequestSource } from '#relight/replay/request-source.js';
import { Launcher } from '#relight/transport/launch.js';
import { relightMain } from '../../support/root.js';
import { table } from '../bench.js';

const usualFiles = 1_000_000;
const depth = 64;
const ENTRY_NODEID_AT = 16;

/** Requests from an iterator; what came back is given to `onReply`. */
class Listed implements RequestSource {
  #left: Iterator<Uint8Array>;
  #open = 0;
  #isDrawn = false;
  #tag = 0;
  readonly #onReply: (replied: Replied) => void;

  constructor(requests: Iterable<Uint8Array>, onReply: (replied: Replied) => void = () => undefined) {
    this.#left = requests[Symbol.iterator]();
    this.#onReply = onReply;
  }

  next(): { bytes: Uint8Array; tag: number } | undefined {
    if (this.#isDrawn) return undefined;
    const { value, done } = this.#left.next();
    this.#isDrawn = done === true;
    if (value === undefined) return undefined;
    this.#open++;
    return { bytes: value, tag: this.#tag++ };
  }

  isDone(): boolean {
    return this.#isDrawn && this.#open === 0;
  }

  hear(command: Parameters<RequestSource['hear']>[0]): void {
    if (command.kind === 'withheld') this.#open--;
    if (command.kind !== 'replied') return;
    this.#open--;
    this.#onReply(command);
  }
}

const lookup = (parent: bigint, name: string): Uint8Array =>
  encodeRequest(
    { name: 'LOOKUP', header: { unique: 0n, nodeid: parent }, fields: { name } },
    newestNegotiated,
  );

const getattr = (nodeid: bigint): Uint8Array =>
  encodeRequest({ name: 'GETATTR', header: { unique: 0n, nodeid }, fields: {} }, newestNegotiated);

const mustDrive = async (driver: Driver, source: Listed): Promise<void> => {
  const end = await driver.drive(source);
  if (end.kind !== 'done') throw new Error(`the specimen could not be asked: ${end.kind}`);
};

const lookUpAll = async (driver: Driver, parent: bigint, names: Iterable<string>): Promise<bigint[]> => {
  const found: bigint[] = [];
  const requests = function* () {
    for (const name of names) yield lookup(parent, name);
  };
  const take = ({ tag, reply }: Replied) => {
    found[tag] = u64At(reply, ENTRY_NODEID_AT);
  };
  await mustDrive(driver, new Listed(requests(), take));
  return found;
};

const numbered = function* (prefix: string, digits: number, from: number, to: number) {
  for (let n = from; n < to; n++) yield `${prefix}-${String(n).padStart(digits, '0')}`;
};

/** Nodeids of the tree's files, all of them in the kernel's cache then. */
const fill = async (driver: Driver, files: number): Promise<bigint[]> => {
  const fanout = Math.ceil(Math.sqrt(files));
  const [tree] = await lookUpAll(driver, 1n, ['tree']);
  if (tree === undefined) throw new Error('the specimen has no tree');
  const folders = await lookUpAll(driver, tree, numbered('dir', 4, 0, Math.ceil(files / fanout)));
  const nodes: bigint[] = [];
  for (const [nth, folder] of folders.entries()) {
    const end = Math.min(files, (nth + 1) * fanout);
    for (const node of await lookUpAll(driver, folder, numbered('file', 6, nth * fanout, end)))
      nodes.push(node);
  }
  return nodes;
};

/** A strategy that waits for use is measured by using every node once. */
const useAll = async (driver: Driver, nodes: readonly bigint[]): Promise<void> => {
  const requests = function* () {
    for (const node of nodes) yield getattr(node);
  };
  await mustDrive(driver, new Listed(requests()));
};

const measure = async (driver: Driver, strategy: Strategy, nodes: readonly bigint[]): Promise<string[]> => {
  await driver.stop();
  await driver.start(strategy);
  const before = driver.messages;
  const started = performance.now();
  const end = await driver.recover(() => undefined);
  if (end.kind !== 'done') throw new Error(`${strategy.name}: ${end.kind}`);
  if (strategy === lazy) await useAll(driver, nodes);
  const seconds = (performance.now() - started) / 1000;
  const { tally } = driver.kernel;
  const sent = Object.entries(tally?.messages ?? {}).map(([name, count]) => `${count} ${name}`);
  console.error(`${strategy.name}: ${seconds.toFixed(1)} s`);
  return [
    strategy.name,
    String(tally?.nodes ?? 0),
    String(tally?.survived ?? 0),
    String(driver.messages - before),
    sent.join(', '),
    seconds.toFixed(1),
  ];
};

const rowsOf = async (files: number): Promise<string[][]> => {
  const command = [process.execPath, relightMain, 'specimen', 'memfs', '--files', String(files), '{mnt}'];
  const launcher = await Launcher.open({ command, mode: 'pretend' });
  const kernel = new VirtualKernel({ letGo: 'given' });
  const driver = new Driver({ launcher, kernel, depth, replyTimeoutMs: 30_000, startTimeoutMs: 120_000 });
  try {
    await driver.start();
    const nodes = await fill(driver, files);
    console.error(`${nodes.length} nodes are cached`);
    const rows: string[][] = [];
    for (const strategy of [revalidateGetattr, revalidateLookup, lazy])
      rows.push(await measure(driver, strategy, nodes));
    return rows;
  } finally {
    await driver.stop();
    await launcher.close();
  }
};

/** Markdown: one line for each strategy. `files` is how many inodes are cached. */
export const recoverySection = async (files?: string): Promise<string> => {
  const count = files === undefined ? usualFiles : Number(files);
  return [
    '## Recovery of a large cache',
    `relight specimen memfs with ${count} files, all of them cached, depth ${depth}. \`lazy\` sends nothing by itself: each inode was used once by GETATTR. ` +
      'Messages are those that crossed the channel, both ways; the sent column is on the account of the recovery.',
    table(['strategy', 'nodes', 'survived', 'messages', 'sent', 'seconds'], await rowsOf(count)),
  ].join('\n\n');
};
