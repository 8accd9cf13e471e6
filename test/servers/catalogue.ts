/**
 * The real servers under test, one row each. Rows are data: what a server needs, which store it shows, how it is started.
 * Nothing here knows relight.
 */

import { join } from 'node:path';
import { cache } from '../support/root.js';
import { gocryptfsOptions, type stores } from './stores.js';

/** What a server cannot do, which workloads then leave out; `attributes` are modes and access lists copied by `cp -a`. */
type Lack = 'symlinks' | 'hardlinks' | 'attributes' | 'folder-renames';

/** One server. */
export interface CatalogueServer {
  readonly name: string;
  /** Programs and files that have to be there; each has its package in packages.json. */
  readonly needs: readonly string[];
  readonly store: keyof typeof stores;
  readonly access: 'writable' | 'read-only';
  readonly lacks?: readonly Lack[];
  /** Foreground command. `{store}` is the store's folder, `{mnt}` the mount point, `{built}` the folder of compiled servers. */
  readonly command: readonly string[];
  /** The command of an ordinary user where it differs; absent when the server cannot serve one. */
  readonly userCommand?: readonly string[];
  /** Files are stored some seconds after they were closed, and not at all when the server ends before. */
  readonly storesLate?: true;
  /** From start to mount on a quiet machine. */
  readonly startMs: number;
  /** How the server's ids come about, for tests that choose by it. */
  readonly ids: { readonly node: string; readonly file: string };
  /** What surprised when it was tried. */
  readonly quirks: readonly string[];
}

/** Folder of the servers that are compiled from source; see examples.ts. */
export const built = join(cache, 'servers');

const libfuseExample = (name: string): readonly string[] => [
  ...['gcc', 'pkg-config', '/usr/include/stdio.h', '/usr/include/fuse3/fuse.h'],
  `/usr/share/doc/libfuse3-dev/examples/${name}.c`,
];

const highLevel = 'counter from 2 in order of lookup; unknown: abort';

/** Every server, in the order of their names in the tests' output. */
export const catalogue: readonly CatalogueServer[] = [
  {
    name: 'bindfs',
    needs: ['bindfs'],
    store: 'folder',
    access: 'writable',
    command: ['bindfs', '-f', '{store}/tree', '{mnt}'],
    userCommand: ['bindfs', '-f', '--no-allow-other', '{store}/tree', '{mnt}'],
    startMs: 20,
    ids: { node: highLevel, file: 'fd' },
    quirks: [
      'asks for allow_other by itself, which fusermount3 refuses an ordinary user: --no-allow-other',
      'attributes of hard links are cached apart, so tar may find that a file changed while it was read',
    ],
  },
  {
    name: 'passthrough_ll',
    needs: libfuseExample('passthrough_ll'),
    store: 'folder',
    access: 'writable',
    command: ['{built}/passthrough_ll', '-f', '-o', 'source={store}/tree', '{mnt}'],
    userCommand: ['{built}/passthrough_ll', '-f', '-o', 'source={store}/tree', '{mnt}'],
    startMs: 20,
    ids: { node: 'pointer', file: 'fd; directories: pointer' },
    quirks: ['libfuse 3.14 prints a warning about the number of threads at each start'],
  },
  {
    name: 'squashfuse',
    needs: ['squashfuse', 'mksquashfs'],
    store: 'squashfs',
    access: 'read-only',
    command: ['squashfuse', '-f', '{store}/image.squashfs', '{mnt}'],
    userCommand: ['squashfuse', '-f', '{store}/image.squashfs', '{mnt}'],
    startMs: 20,
    ids: { node: highLevel, file: 'pointer' },
    quirks: [],
  },
  {
    name: 'squashfuse_ll',
    needs: ['squashfuse_ll', 'mksquashfs'],
    store: 'squashfs',
    access: 'read-only',
    command: ['squashfuse_ll', '-f', '{store}/image.squashfs', '{mnt}'],
    userCommand: ['squashfuse_ll', '-f', '{store}/image.squashfs', '{mnt}'],
    startMs: 20,
    ids: { node: 'position of the inode in the image', file: 'pointer' },
    quirks: [],
  },
  {
    name: 'fuse2fs',
    needs: ['fuse2fs', 'mke2fs'],
    store: 'ext4',
    access: 'writable',
    command: ['fuse2fs', '-f', '-o', 'fakeroot', '{store}/image.ext4', '{mnt}'],
    startMs: 20,
    ids: { node: highLevel, file: 'pointer to a struct with a magic word' },
    quirks: [
      'removed files that are open become .fuse_hidden files until their RELEASE arrives',
      'fakeroot, or files of other owners cannot be changed',
    ],
  },
  {
    name: 'fuse-overlayfs',
    needs: ['fuse-overlayfs'],
    store: 'overlay',
    access: 'writable',
    command: [
      ...['fuse-overlayfs', '-f', '-o', 'lowerdir={store}/lower,upperdir={store}/upper,workdir={store}/work'],
      '{mnt}',
    ],
    userCommand: [
      ...['fuse-overlayfs', '-f', '-o', 'lowerdir={store}/lower,upperdir={store}/upper,workdir={store}/work'],
      '{mnt}',
    ],
    startMs: 20,
    ids: { node: 'pointer', file: 'fd; directories: pointer' },
    quirks: ['as root it prints that lazytime is ignored'],
  },
  {
    name: 'gocryptfs',
    needs: ['gocryptfs', 'fusermount3'],
    store: 'gocryptfs',
    access: 'writable',
    command: ['gocryptfs', '-fg', ...gocryptfsOptions, '{store}/cipher', '{mnt}'],
    userCommand: ['gocryptfs', '-fg', ...gocryptfsOptions, '{store}/cipher', '{mnt}'],
    startMs: 100,
    ids: { node: 'counter', file: 'index' },
    quirks: [
      'prints a line with the time when the kernel sends an operation that it does not know',
      'key derivation takes a second unless -scryptn is small',
    ],
  },
  {
    name: 'mergerfs',
    needs: ['mergerfs'],
    store: 'branches',
    access: 'writable',
    command: ['mergerfs', '-f', '-o', 'minfreespace=0,category.create=ff', '{store}/a:{store}/b', '{mnt}'],
    startMs: 20,
    ids: { node: 'counter', file: 'pointer' },
    quirks: ['attributes of hard links are cached apart, as in bindfs'],
  },
  {
    name: 'ntfs-3g',
    needs: ['ntfs-3g', 'mkntfs'],
    store: 'ntfs',
    access: 'writable',
    command: ['ntfs-3g', '-o', 'no_detach', '{store}/image.ntfs', '{mnt}'],
    startMs: 20,
    ids: { node: highLevel, file: 'small numbers; data requests go by path' },
    quirks: ['modes are 777 throughout', 'names its store on standard error'],
  },
  {
    name: 'lowntfs-3g',
    needs: ['lowntfs-3g', 'ntfs-3g', 'mkntfs'],
    store: 'ntfs',
    access: 'writable',
    command: ['lowntfs-3g', '-o', 'no_detach', '{store}/image.ntfs', '{mnt}'],
    startMs: 20,
    ids: { node: 'number of the record in the file table', file: 'pointer' },
    quirks: ['modes are 777 throughout', 'names its store on standard error'],
  },
  {
    name: 'rclone',
    needs: ['rclone', 'fusermount3'],
    store: 'folder',
    access: 'writable',
    lacks: ['symlinks', 'hardlinks', 'attributes', 'folder-renames'],
    command: [
      ...[
        'rclone',
        'mount',
        '--config',
        '/dev/null',
        '--cache-dir',
        '{store}/cache',
        '--vfs-cache-mode',
        'writes',
      ],
      ...['{store}/tree', '{mnt}'],
    ],
    storesLate: true,
    startMs: 100,
    ids: { node: 'index', file: 'index' },
    quirks: [
      'extended attributes give EIO, so cp -a fails',
      'a folder whose files are not written back yet can be renamed, then they cannot be read',
      'writes to the store in the background, done at its exit',
      'needs a user name for its number, through fusermount',
    ],
  },
];
