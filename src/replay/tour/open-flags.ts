/** Flags of open(2) as a 64-bit program's opens reach the server on this machine. */

import { constants } from 'node:fs';

/** The kernel adds it for every 64-bit program (`force_o_largefile`); its number is the architecture's. */
const O_LARGEFILE = process.arch === 'arm64' ? 0o400000 : 0o100000;

/** Flags by what the file is opened for. O_CREAT and O_EXCL reach CREATE only (`fuse_send_open`). */
export const OpenFor = {
  reading: constants.O_RDONLY | O_LARGEFILE,
  writing: constants.O_WRONLY | O_LARGEFILE,
  both: constants.O_RDWR | O_LARGEFILE,
  appending: constants.O_WRONLY | constants.O_APPEND | O_LARGEFILE,
  truncating: constants.O_WRONLY | constants.O_TRUNC | O_LARGEFILE,
  creating: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | O_LARGEFILE,
  /** opendir(3). */
  listing: constants.O_RDONLY | constants.O_NONBLOCK | constants.O_DIRECTORY | O_LARGEFILE,
} as const;

/** O_TRUNC by itself. */
export const { O_TRUNC } = constants;
