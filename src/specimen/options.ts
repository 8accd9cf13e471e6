/** The options of `relight specimen memfs`: one table, in the form that yargs takes, and from parsed values to `MemfsOptions`. */

import { RelightError } from '../base/error.js';
import { NEWEST_MINOR } from '../protocol/negotiated.js';
import { operationNamed } from '../protocol/operations.js';
import type { Resent } from './engine/server.js';
import { type HandleCheck, type HandlePolicyName, handlePolicies } from './handles/policies.js';
import { type IdPolicyName, idPolicies, type UnknownNode } from './ids/policies.js';
import { FILES_MAX } from './store/seed.js';

/** How a memfs is to be. */
export interface MemfsOptions {
  /** A directory to mount on, or `/dev/fd/N`: a descriptor that was handed over. */
  readonly mountPoint: string;
  /** Options of the mount itself, comma-separated. */
  readonly mountOptions: string;
  readonly ids: IdPolicyName;
  /** `undefined`: what goes with `ids`. */
  readonly handles: HandlePolicyName | undefined;
  readonly unknown: UnknownNode | undefined;
  readonly check: HandleCheck | undefined;
  /** File that keeps the tree over restarts; `undefined` for memory only. */
  readonly store: string | undefined;
  readonly reusesInos: boolean;
  readonly resent: Resent;
  readonly seed: number;
  readonly files: number;
  readonly entryTimeoutS: number;
  readonly attrTimeoutS: number;
  readonly negativeTimeoutS: number;
  /** Bytes. */
  readonly maxWrite: number;
  readonly minor: number;
  /** Milliseconds by operation name; `*` for all others. */
  readonly delays: ReadonlyMap<string, number>;
}

/** An option as yargs and `util.parseArgs` understand it. */
export interface OptionSpec {
  readonly type: 'string' | 'number' | 'boolean';
  readonly describe: string;
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
  readonly alias?: string;
}

const listed = (policies: Readonly<Record<string, { readonly text: string }>>): string =>
  Object.entries(policies)
    .map(([name, { text }]) => `${name}: ${text}`)
    .join('; ');

const HANDLE_CHECKS: readonly HandleCheck[] = ['none', 'known', 'match'];
const RESENT: readonly Resent[] = ['repeat', 'recall'];
const UNKNOWN_NODES: readonly UnknownNode[] = ['estale', 'abort'];

/** All options by name. */
export const memfsOptionTable = {
  ids: {
    type: 'string',
    describe: `nodeids; ${listed(idPolicies)}`,
    choices: Object.keys(idPolicies),
    default: 'inode',
  },
  handles: {
    type: 'string',
    describe: `file handles; ${listed(handlePolicies)} (default: what suits --ids)`,
    choices: Object.keys(handlePolicies),
  },
  unknown: {
    type: 'string',
    describe: 'what an unknown nodeid does (default: by --ids)',
    choices: UNKNOWN_NODES,
  },
  check: {
    type: 'string',
    describe:
      'of a request with a handle: trust the handle, want its nodeid known, or want both to match (default: by --ids)',
    choices: HANDLE_CHECKS,
  },
  store: { type: 'string', describe: 'file that keeps the tree over restarts' },
  'reuse-inos': { type: 'boolean', describe: 'give the numbers of removed files to new ones', default: true },
  resent: {
    type: 'string',
    describe:
      'a request that is sent again (FUSE_NOTIFY_RESEND): repeat it, or recall the answer (with --store also over restarts)',
    choices: RESENT,
    default: 'repeat',
  },
  seed: { type: 'number', describe: 'which initial tree', default: 1 },
  files: { type: 'number', describe: `files under /tree, up to ${FILES_MAX}`, default: 32 },
  'entry-timeout': { type: 'number', describe: 'seconds that a name may be cached', default: 1 },
  'attr-timeout': { type: 'number', describe: 'seconds that attributes may be cached', default: 1 },
  'negative-timeout': { type: 'number', describe: 'seconds that a missing name may be cached', default: 0 },
  'max-write': { type: 'number', describe: 'largest WRITE in bytes', default: 1 << 20 },
  minor: { type: 'number', describe: 'newest protocol minor to answer', default: NEWEST_MINOR },
  delay: { type: 'string', describe: 'milliseconds before answering: MS, or OP=MS,…' },
  options: { type: 'string', alias: 'o', describe: 'mount options', default: '' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

type Parsed = Readonly<Record<string, unknown>>;

const usage = (message: string): RelightError => new RelightError('usage', message);

const numberIn = (
  parsed: Parsed,
  name: keyof typeof memfsOptionTable,
  least: number,
  most: number,
): number => {
  const value = Number(parsed[name]);
  if (value >= least && value <= most) return value;
  throw usage(`--${name} must be a number from ${least} to ${most}`);
};

const wholeIn = (
  parsed: Parsed,
  name: keyof typeof memfsOptionTable,
  least: number,
  most: number,
): number => {
  const value = numberIn(parsed, name, least, most);
  if (Number.isInteger(value)) return value;
  throw usage(`--${name} must be a whole number`);
};

const choiceIn = <T extends string>(parsed: Parsed, name: string, choices: readonly T[]): T | undefined => {
  const value = parsed[name];
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw usage(`--${name} must be one of ${choices.join(', ')}`);
  return found;
};

const namesOf = <T extends string>(table: Readonly<Record<T, unknown>>): readonly T[] =>
  Object.keys(table).filter((name): name is T => name in table);

const textIn = (parsed: Parsed, name: string): string | undefined => {
  const value = parsed[name];
  return value === undefined ? undefined : String(value);
};

/** `5`, or `READ=5,LOOKUP=0.5`. */
const delaysFrom = (text: string | undefined): ReadonlyMap<string, number> =>
  new Map(
    (text ?? '').split(',').flatMap((item): [string, number][] => {
      if (item === '') return [];
      const [name, ms] = item.includes('=') ? item.split('=') : ['*', item];
      if (name === undefined || !(Number(ms) >= 0)) throw usage(`--delay does not understand ${item}`);
      if (name !== '*' && operationNamed(name) === undefined)
        throw usage(`--delay: there is no operation ${name}`);
      return [[name, Number(ms)]];
    }),
  );

/** From parsed values (yargs' argv, or parseArgs' with defaults) and the mount point; RelightError `usage` names what is wrong. */
export const memfsOptionsFrom = (parsed: Parsed, mountPoint: string): MemfsOptions => ({
  mountPoint,
  mountOptions: textIn(parsed, 'options') ?? '',
  ids: choiceIn(parsed, 'ids', namesOf(idPolicies)) ?? 'inode',
  handles: choiceIn(parsed, 'handles', namesOf(handlePolicies)),
  unknown: choiceIn(parsed, 'unknown', UNKNOWN_NODES),
  check: choiceIn(parsed, 'check', HANDLE_CHECKS),
  store: textIn(parsed, 'store'),
  reusesInos: parsed['reuse-inos'] !== false,
  resent: choiceIn(parsed, 'resent', RESENT) ?? 'repeat',
  seed: wholeIn(parsed, 'seed', 0, 0xffff_ffff),
  files: wholeIn(parsed, 'files', 0, FILES_MAX),
  entryTimeoutS: numberIn(parsed, 'entry-timeout', 0, 1e9),
  attrTimeoutS: numberIn(parsed, 'attr-timeout', 0, 1e9),
  negativeTimeoutS: numberIn(parsed, 'negative-timeout', 0, 1e9),
  maxWrite: wholeIn(parsed, 'max-write', 4096, 1 << 28),
  minor: wholeIn(parsed, 'minor', 8, NEWEST_MINOR),
  delays: delaysFrom(textIn(parsed, 'delay')),
});
