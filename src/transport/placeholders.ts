/** `{mnt}` and `{fd}` in a server's command. */

/** Descriptor number under which a server inherits its end of the channel. */
export const HAND_OVER_FD = 3;

/** Whether the command takes its channel as an open descriptor instead of opening /dev/fuse. */
export const takesDescriptor = (command: readonly string[]): boolean =>
  command.some((word) => word.includes('{fd}'));

/** Whether the command wants a directory of relight's making as its mount point. */
export const takesMountPoint = (command: readonly string[]): boolean =>
  command.some((word) => word.includes('{mnt}'));

/** The command as it is started. */
export const fillPlaceholders = (command: readonly string[], mountPoint: string | undefined): string[] =>
  command.map((word) =>
    word.replaceAll('{fd}', String(HAND_OVER_FD)).replaceAll('{mnt}', mountPoint ?? '{mnt}'),
  );
