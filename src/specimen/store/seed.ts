/**
 * The initial tree: a function of the seed and the number of files, so that two incarnations present the same store.
 * Directories of the bulk part are filled on first use: a million files cost nothing until they are looked at.
 */

import { Content } from './content.js';
import { type Body, FileType, type Inode, type Time } from './inode.js';
import { emptyDirectory, entriesOf, isDirectory, ROOT_INO, type Store } from './store.js';
import { mix, textSource } from './text.js';

/** How large the tree is and which. */
export interface Seed {
  readonly seed: number;
  /** Number of regular files under /tree; 0 leaves only the fixed part. */
  readonly files: number;
  readonly uid: number;
  readonly gid: number;
}

/** Most files a tree may have; inos of the bulk part stay below 2^32, which `inode+generation` needs. */
export const FILES_MAX = 1_000_000;

const EPOCH = 1_700_000_000;

interface Planting extends Seed {
  readonly store: Store;
}

const timeOf = (seed: number, ino: number): Time => ({
  sec: BigInt(EPOCH + (mix(seed, ino) % 10_000_000)),
  nsec: mix(ino, seed) % 1_000_000_000,
});

const plant = (planting: Planting, ino: number, mode: number, body: Body): Inode => {
  const time = timeOf(planting.seed, ino);
  const { uid, gid } = planting;
  const nlink = ino === ROOT_INO ? 2 : 0;
  const inode: Inode = {
    ino,
    generation: 1,
    mode,
    nlink,
    uid,
    gid,
    rdev: 0,
    atime: time,
    mtime: time,
    ctime: time,
    body,
    xattrs: undefined,
    pins: 0,
  };
  planting.store.add(inode);
  return inode;
};

const name = (planting: Planting, directory: Inode, text: string, inode: Inode): Inode => {
  planting.store.restore({ kind: 'entry', directory: directory.ino, name: text, ino: inode.ino });
  return inode;
};

const file = (planting: Planting, ino: number, label: string, size: number): Inode =>
  plant(planting, ino, FileType.file | 0o644, {
    kind: 'file',
    content: size === 0 ? new Content() : new Content(size, textSource(label, planting.seed)),
  });

const folder = (planting: Planting, ino: number, fill?: () => void): Inode =>
  plant(planting, ino, FileType.directory | 0o755, emptyDirectory(fill));

const symlink = (planting: Planting, ino: number, target: string): Inode =>
  plant(planting, ino, FileType.symlink | 0o777, { kind: 'symlink', target });

/** Files and directories that every tree has, inos 2 to 15. */
const plantFixed = (planting: Planting, root: Inode): void => {
  const docs = name(planting, root, 'docs', folder(planting, 2));
  const deep = name(planting, docs, 'deep', folder(planting, 3));
  const deeper = name(planting, deep, 'deeper', folder(planting, 4));
  const hello = name(planting, root, 'hello.txt', file(planting, 5, 'hello.txt', 1_000));
  name(planting, root, 'empty', file(planting, 6, 'empty', 0));
  name(planting, root, 'big.bin', file(planting, 7, 'big.bin', 3_000_000));
  const script = name(planting, root, 'run.sh', file(planting, 8, 'run.sh', 300));
  script.mode = FileType.file | 0o755;
  name(planting, docs, 'guide.txt', file(planting, 9, 'guide.txt', 5_000));
  name(planting, deeper, 'end.txt', file(planting, 10, 'end.txt', 777));
  name(planting, root, 'to-hello', symlink(planting, 11, 'hello.txt'));
  name(planting, docs, 'to-end', symlink(planting, 12, 'deep/deeper/end.txt'));
  name(planting, root, 'dangling', symlink(planting, 13, 'no/such/file'));
  name(planting, docs, 'also-hello.txt', hello);
  const coloured = name(planting, root, 'coloured.txt', file(planting, 14, 'coloured.txt', 2_222));
  coloured.xattrs = new Map([
    ['user.colour', Buffer.from('green')],
    ['user.seed', Buffer.from(String(planting.seed))],
  ]);
};

const FIRST_BULK = 16;

/** Where the bulk part's numbers lie: /tree, its directories, then their files in order. */
interface Bulk {
  readonly fanout: number;
  readonly folders: number;
  readonly firstFolder: number;
  readonly firstFile: number;
}

const bulkOf = (files: number): Bulk => {
  const fanout = Math.max(1, Math.ceil(Math.sqrt(files)));
  const folders = Math.ceil(files / fanout);
  return { fanout, folders, firstFolder: FIRST_BULK + 1, firstFile: FIRST_BULK + 1 + folders };
};

/** Sizes differ for the first 65,521 files: steps of a number coprime to that prime. */
const sizeOfNth = (n: number): number => 64 + ((n * 37) % 65_521);

const fillFolder = (planting: Planting, bulk: Bulk, nth: number): void => {
  const directory = planting.store.find(bulk.firstFolder + nth);
  const end = Math.min(planting.files, (nth + 1) * bulk.fanout);
  for (let n = nth * bulk.fanout; directory && n < end; n++) {
    const label = `file-${String(n).padStart(6, '0')}`;
    name(planting, directory, label, file(planting, bulk.firstFile + n, label, sizeOfNth(n)));
  }
};

const plantBulk = (planting: Planting, root: Inode): void => {
  const bulk = bulkOf(planting.files);
  const tree = name(planting, root, 'tree', folder(planting, FIRST_BULK));
  for (let nth = 0; nth < bulk.folders; nth++) {
    const made = folder(planting, bulk.firstFolder + nth, () => fillFolder(planting, bulk, nth));
    name(planting, tree, `dir-${String(nth).padStart(4, '0')}`, made);
  }
  planting.store.reserve(bulk.firstFile + planting.files - 1);
  planting.store.expand = (ino) => {
    const nth = Math.floor((ino - bulk.firstFile) / bulk.fanout);
    const directory =
      nth < 0 || nth >= bulk.folders ? undefined : planting.store.known(bulk.firstFolder + nth);
    if (directory !== undefined && isDirectory(directory)) entriesOf(directory);
  };
};

/** Puts the initial tree into an empty store; the same seed gives the same inos, names, sizes, times and bytes. */
export const plantTree = (store: Store, seed: Seed): void => {
  const planting = { ...seed, store };
  const root = folder(planting, ROOT_INO);
  plantFixed(planting, root);
  plantBulk(planting, root);
};
