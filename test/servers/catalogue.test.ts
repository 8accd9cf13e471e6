/** The catalogue against itself: what its rows name exists and can be installed. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/root.js';
import { catalogue } from './catalogue.js';

const packages: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, 'test/servers/packages.json'), 'utf8'),
);

describe('catalogue', () => {
  test('every program that a row needs has its package', () => {
    const needs = catalogue.flatMap(({ needs }) => needs);
    expect(needs.filter((need) => packages[need] === undefined)).toEqual([]);
  });

  test('names are unique, and commands mount at the placeholder', () => {
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
    const commands = catalogue.flatMap(({ command, userCommand = command }) => [command, userCommand]);
    expect(commands.filter((command) => !command.includes('{mnt}'))).toEqual([]);
  });

  test('three servers or more serve an ordinary user', () => {
    expect(catalogue.filter(({ userCommand }) => userCommand).length).toBeGreaterThanOrEqual(3);
  });
});
