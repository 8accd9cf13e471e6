/**
 * Traces as pcapng, for tools of the network people: one packet a frame, nanosecond times, direction, and what the frame
 * says as its comment. Format: draft-ietf-opsawg-pcapng; all numbers little-endian.
 */

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;
const BYTE_ORDER_MARK = 0x1a2b3c4d;
/** LINKTYPE_USER0: no number is registered for FUSE. */
const LINKTYPE = 147;

const END_OF_OPTIONS = 0;
const COMMENT = 1;
const APPLICATION = 4;
const OPERATING_SYSTEM = 3;
const INTERFACE_NAME = 2;
const TIME_RESOLUTION = 9;
const PACKET_FLAGS = 2;
const NANOSECONDS = 9;
const INBOUND = 1;
const OUTBOUND = 2;

/** Wireshark opens no file with a larger packet (WTAP_MAX_PACKET_SIZE_STANDARD). */
export const MAX_CAPTURED = 262_144;
const MAX_OPTION = 65_535;

const padded = (length: number): number => (length + 3) & ~3;

/** One option: its number and value. */
type Option = readonly [code: number, value: Uint8Array];

const text = (value: string): Uint8Array => Buffer.from(value).subarray(0, MAX_OPTION);

const optionBytes = (options: readonly Option[]): Uint8Array => {
  const pieces = options.map(([code, value]) => {
    const bytes = Buffer.alloc(4 + padded(value.length));
    bytes.writeUInt16LE(code, 0);
    bytes.writeUInt16LE(value.length, 2);
    bytes.set(value, 4);
    return bytes;
  });
  const end = Buffer.alloc(4);
  end.writeUInt16LE(END_OF_OPTIONS, 0);
  return Buffer.concat([...pieces, end]);
};

const block = (type: number, fixed: Uint8Array, options: readonly Option[]): Uint8Array => {
  const tail = optionBytes(options);
  const bytes = Buffer.alloc(12 + padded(fixed.length) + tail.length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.set(fixed, 8);
  bytes.set(tail, 8 + padded(fixed.length));
  bytes.writeUInt32LE(bytes.length, bytes.length - 4);
  return bytes;
};

/** What a file says of itself. */
export interface CaptureHead {
  /** The server's command. */
  readonly comment: string;
  readonly application: string;
  readonly operatingSystem: string;
  /** The mount point. */
  readonly interfaceName: string;
}

/** The beginning of a file: its section and its one interface. */
export const captureHead = (head: CaptureHead): Uint8Array => {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER_MARK, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const device = Buffer.alloc(8);
  device.writeUInt16LE(LINKTYPE, 0);
  return Buffer.concat([
    block(SECTION, section, [
      [COMMENT, text(head.comment)],
      [OPERATING_SYSTEM, text(head.operatingSystem)],
      [APPLICATION, text(head.application)],
    ]),
    block(INTERFACE, device, [
      [INTERFACE_NAME, text(head.interfaceName)],
      [TIME_RESOLUTION, Uint8Array.of(NANOSECONDS)],
    ]),
  ]);
};

/** One frame of a file. */
export interface CapturedFrame {
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly direction: 'toServer' | 'toKernel';
  readonly bytes: Uint8Array;
  /** On the wire. */
  readonly length: number;
  readonly comment: string;
}

/** The packet of a frame. Requests are inbound, as the server sees them. */
export const capturedPacket = (frame: CapturedFrame): Uint8Array => {
  const data = frame.bytes.subarray(0, MAX_CAPTURED);
  const fixed = Buffer.alloc(20 + data.length);
  fixed.writeUInt32LE(Number((frame.timeNs >> 32n) & 0xffff_ffffn), 4);
  fixed.writeUInt32LE(Number(frame.timeNs & 0xffff_ffffn), 8);
  fixed.writeUInt32LE(data.length, 12);
  fixed.writeUInt32LE(frame.length, 16);
  fixed.set(data, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(frame.direction === 'toServer' ? INBOUND : OUTBOUND, 0);
  return block(PACKET, fixed, [
    [COMMENT, text(frame.comment)],
    [PACKET_FLAGS, flags],
  ]);
};
