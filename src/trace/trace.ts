/** What a reader finds in a trace. */

import type { BlockInfo } from './block-head.js';
import type { InitFacts, MapsFacts, MountFacts, TraceHeader } from './context.js';
import type { RecordedEnd, RecordedStart } from './context-codec.js';
import type { Direction, Frame } from './frame.js';
import type { Ending } from './part-writer.js';
import type { Damage } from './scan.js';

/** One start of the server, as far as it was recorded. */
export interface Incarnation {
  readonly incarnation: number;
  readonly start?: RecordedStart;
  readonly init?: InitFacts;
  readonly end?: RecordedEnd;
}

/** Which frames to read. Bounds are inclusive at `from` and exclusive at `to`. */
export interface FrameRange {
  readonly fromSeq?: number;
  readonly toSeq?: number;
  readonly fromTimeNs?: bigint;
  readonly toTimeNs?: bigint;
  readonly direction?: Direction;
  readonly incarnation?: number;
  /** Blocks for which this is false are not read; frames of the others all come. */
  readonly blocks?: (block: BlockInfo) => boolean;
}

/** An open trace, or one part of it. Nothing it holds was checked for sense beyond its own form: a trace may come from a stranger. */
export interface Trace {
  readonly path: string;
  readonly header: TraceHeader;
  /** As often as it was mounted; the last is the latest. */
  readonly mounts: readonly MountFacts[];
  readonly incarnations: readonly Incarnation[];
  /** The files of a rotated trace that are read here, in order; the trace itself when it is one file. */
  readonly parts: readonly Trace[];
  /** In the order of the file. */
  readonly blocks: readonly BlockInfo[];
  /** Whether the file has its index; without, it was walked, and `relight repair` mends it. */
  readonly hasIndex: boolean;
  /** How the recording ended; absent when its writer was killed. */
  readonly ending: Ending | undefined;
  /** Frames in intact blocks, by their heads. */
  readonly frameCount: number;
  /** Frames that the recorder itself lost, marked between the others. */
  readonly dropped: number;
  /** What cannot be read, with its offset in its part. Grows when reading frames finds more. */
  readonly damage: readonly Damage[];
  /** Frames in order; damaged blocks are left out and noted in `damage`. */
  frames(range?: FrameRange): Generator<Frame>;
  /** All frames of one block; none when it is damaged. */
  framesOf(block: BlockInfo): readonly Frame[];
  /** The server's memory, as often as it was looked at. */
  maps(incarnation: number): MapsFacts[];
  close(): void;
}
