/** File types in a mode (`mode & S_IFMT`, uapi/linux/stat.h). */

/** Mask of the type. */
export const S_IFMT = 0xf000;
/** Named pipe. */
export const S_IFIFO = 0x1000;
/** Directory. */
export const S_IFDIR = 0x4000;
/** Regular file. */
export const S_IFREG = 0x8000;
/** Symbolic link. */
export const S_IFLNK = 0xa000;
