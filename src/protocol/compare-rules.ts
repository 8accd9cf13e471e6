/** The rules for comparing a reply with the recorded one that many rows of the operation table share. */

import type { CompareReason, CompareRule } from './operation.js';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

const ignore = (why: CompareReason, ...fields: string[]): CompareRule[] =>
  fields.map((field) => ({ how: 'ignore', field, why }));

const each = (field: string, rules: readonly CompareRule[]): CompareRule[] =>
  rules.map((rule) => ({ ...rule, each: field }));

const ofDirectory = (mode: string, ...fields: string[]): CompareRule[] =>
  fields.map((field) => ({
    how: 'ignore',
    field,
    why: 'directory',
    when: { field: mode, mask: S_IFMT, is: S_IFDIR },
  }));

/** A `fuse_attr` in the field `attr`. */
export const attributes: readonly CompareRule[] = [
  ...ignore('inode', 'attr.ino'),
  ...ignore('space', 'attr.blocks'),
  ...ignore('time', 'attr.atime', 'attr.mtime', 'attr.ctime'),
  ...ignore('time', 'attr.atimensec', 'attr.mtimensec', 'attr.ctimensec'),
  ...ofDirectory('attr.mode', 'attr.size', 'attr.nlink'),
];

/** A `fuse_attr_out`. */
export const attributeReply: readonly CompareRule[] = [...attributes, ...ignore('padding', 'dummy')];
/** A `fuse_entry_out`. */
export const entryReply: readonly CompareRule[] = [...ignore('generation', 'generation'), ...attributes];
/** A `fuse_open_out`. */
export const openReply: readonly CompareRule[] = ignore('backing', 'backingId');
/** Records of READDIR. */
export const directory: readonly CompareRule[] = [
  { how: 'unordered', field: 'entries', why: 'order' },
  ...each('entries', ignore('inode', 'ino')),
];
/** Records of READDIRPLUS. */
export const directoryPlus: readonly CompareRule[] = [...directory, ...each('entries', entryReply)];
/** A reply that ends in an unused u32. */
export const padded: readonly CompareRule[] = ignore('padding', 'padding');
/** A `fuse_lk_out`. */
export const lockReply: readonly CompareRule[] = ignore('process', 'lk.pid');
/** A `fuse_bmap_out`. */
export const blockReply: readonly CompareRule[] = ignore('space', 'block');

/** A `fuse_statfs_out`. */
export const statfsReply: readonly CompareRule[] = [
  ...ignore('space', 'st.blocks', 'st.bfree', 'st.bavail', 'st.files', 'st.ffree'),
  ...ignore('padding', 'st.padding', 'st.spare'),
];

/** A `fuse_statx_out`. */
export const statxReply: readonly CompareRule[] = [
  ...ignore('inode', 'stat.ino'),
  ...ignore('space', 'stat.blocks'),
  ...ignore('time', 'stat.atime', 'stat.btime', 'stat.ctime', 'stat.mtime'),
  ...ignore('device', 'stat.devMajor', 'stat.devMinor'),
  ...ignore('padding', 'spare', 'stat.spare0', 'stat.spare2'),
  ...ofDirectory('stat.mode', 'stat.size', 'stat.nlink'),
];
