/** The options that confine a server under test, the same for every verb that runs one to be spoiled. */

import { type StoreOrders, sandboxFor } from '../replay/sandbox.js';
import type { Sandbox } from '../transport/sandbox.js';

/** The options. */
export const sandboxOptions = {
  sandbox: {
    type: 'boolean',
    describe: 'everything but its store is read-only to the server; --no-sandbox lets it write anywhere',
    default: true,
  },
  writable: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'a path that the server may change besides its store; again for more',
  },
} as const;

/** The sandbox that was asked for; `undefined` for none. */
export const sandboxFrom = (
  given: { readonly sandbox: boolean; readonly writable: readonly string[] | undefined },
  store: Omit<StoreOrders, 'writable'>,
): Sandbox | undefined =>
  given.sandbox ? sandboxFor({ ...store, writable: given.writable ?? [] }) : undefined;
