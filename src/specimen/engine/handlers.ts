/** The table of all handlers by operation. A planted bug is this table with one entry replaced. */

import type { Handlers } from './handler.js';
import * as attributes from './handlers/attributes.js';
import * as data from './handlers/data.js';
import * as devices from './handlers/devices.js';
import * as directories from './handlers/directories.js';
import * as locking from './handlers/locking.js';
import * as names from './handlers/names.js';
import * as opening from './handlers/opening.js';
import * as session from './handlers/session.js';
import * as xattrs from './handlers/xattrs.js';

const { openOut: _notAnOperation, ...openings } = opening;

/** A faithful server. */
export const faithful: Handlers = {
  ...attributes,
  ...data,
  ...devices,
  ...directories,
  ...locking,
  ...names,
  ...openings,
  ...session,
  ...xattrs,
};
