/** The protocol's 64-bit numbers, branded so that a nodeid cannot be passed where a file handle is meant. */

declare const brand: unique symbol;
type U64<Name extends string> = bigint & { readonly [brand]: Name };

/** Number that the server gave to an inode (`fuse_entry_out.nodeid`); 1 is the root, 0 never names a node. */
export type NodeId = U64<'NodeId'>;
/** Number that the server gave to an open file or directory (`fuse_open_out.fh`). */
export type FileHandle = U64<'FileHandle'>;
/** Number that the kernel gave to a request (`fuse_in_header.unique`); steps of 2, bit 0 marks INTERRUPT, bit 63 a resend. */
export type Unique = U64<'Unique'>;
/** Opaque number of a lock owner, minted by the kernel (`lock_owner` fields). */
export type LockOwner = U64<'LockOwner'>;

const mask = (1n << 64n) - 1n;

/** Brands a number as a nodeid; taken modulo 2^64. */
export const nodeId = (value: bigint): NodeId => (value & mask) as NodeId;
/** Brands a number as a file handle; taken modulo 2^64. */
export const fileHandle = (value: bigint): FileHandle => (value & mask) as FileHandle;
/** Brands a number as a request's unique; taken modulo 2^64. */
export const unique = (value: bigint): Unique => (value & mask) as Unique;
/** Brands a number as a lock owner; taken modulo 2^64. */
export const lockOwner = (value: bigint): LockOwner => (value & mask) as LockOwner;

/** Nodeid of the root of every FUSE file system (FUSE_ROOT_ID). */
export const ROOT_ID: NodeId = nodeId(1n);
