import { describe, expect, it } from 'vitest';
import { InitFlag, initFlagNames } from '#relight/protocol/flags.js';
import { hasFlag, negotiatedFrom } from '#relight/protocol/negotiated.js';

const low = (flags: bigint): number => Number(flags & 0xffff_ffffn);
const high = (flags: bigint): number => Number(flags >> 32n);
const both = (flags: bigint) => ({ flags: low(flags), flags2: high(flags) });

describe('what INIT settles', () => {
  const offer = InitFlag.INIT_EXT | InitFlag.SETXATTR_EXT | InitFlag.HAS_RESEND | InitFlag.MAX_PAGES;
  const request = { major: 7, minor: 45, maxReadahead: 131072, ...both(offer) };

  it('is the lower minor and what both want', () => {
    const accept = InitFlag.INIT_EXT | InitFlag.HAS_RESEND | InitFlag.POSIX_ACL;
    const settled = negotiatedFrom(request, {
      major: 7,
      minor: 38,
      maxWrite: 1 << 20,
      timeGran: 1,
      ...both(accept),
    });
    expect(settled).toMatchObject({ minor: 38, maxWrite: 1 << 20, maxPages: 32, maxReadahead: 0 });
    expect(initFlagNames(settled.flags)).toEqual(['INIT_EXT', 'HAS_RESEND']);
    expect(hasFlag(settled, 'HAS_RESEND')).toBe(true);
    expect(hasFlag(settled, 'POSIX_ACL')).toBe(false);
  });

  it('takes the second word of flags only with INIT_EXT', () => {
    const settled = negotiatedFrom(request, {
      minor: 45,
      flags: low(InitFlag.SETXATTR_EXT),
      flags2: 0xffff_ffff,
    });
    expect(settled.flags).toBe(InitFlag.SETXATTR_EXT);
  });

  it('counts pages only with MAX_PAGES', () => {
    expect(negotiatedFrom(request, { minor: 45, ...both(InitFlag.MAX_PAGES), maxPages: 256 }).maxPages).toBe(
      256,
    );
    expect(negotiatedFrom(request, { minor: 45, maxPages: 256 }).maxPages).toBe(32);
  });

  it('reads no flags and no sizes of very old servers', () => {
    const settled = negotiatedFrom(request, { major: 7, minor: 4 });
    expect(settled).toMatchObject({ minor: 4, flags: 0n, maxWrite: 4096, timeGran: 1 });
  });
});
