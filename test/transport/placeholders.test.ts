import { expect, test } from 'vitest';
import { fillPlaceholders, takesDescriptor, takesMountPoint } from '#relight/transport/placeholders.js';

test('each placeholder is found and filled wherever it stands in a word', () => {
  const command = ['server', '--at={mnt}/sub', '/dev/fd/{fd}', '{mnt}'];
  expect([takesMountPoint(command), takesDescriptor(command)]).toEqual([true, true]);
  expect(fillPlaceholders(command, '/m')).toEqual(['server', '--at=/m/sub', '/dev/fd/3', '/m']);
});

test('a command without them stays as it is', () => {
  const command = ['server', '{other}', '/data'];
  expect([takesMountPoint(command), takesDescriptor(command)]).toEqual([false, false]);
  expect(fillPlaceholders(command, undefined)).toEqual(command);
});
