/** In which fields two decoded replies to one request disagree, by the `compare` and `ids` columns: for people to read. */

import type { DecodedReply } from './decode.js';
import { isFields, isList, valueAt } from './fields.js';
import type { Fields, Value } from './layout.js';
import type { CompareRule, IdUse } from './operation.js';
import { holds } from './parts.js';

/** A field in which the replies disagree; the value is absent in the reply that lacks it. */
export interface Difference {
  /** Dotted path; records of a directory are told by their name, as in `entries[name].attr.mode`. */
  readonly path: string;
  readonly recorded: Value;
  readonly live: Value;
}

interface Rules {
  readonly ids: readonly IdUse[];
  readonly compare: readonly CompareRule[];
  readonly each: string | undefined;
}

const sameValue = (a: Value, b: Value): boolean => {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (isList(a) && isList(b))
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  if (isFields(a) && isFields(b)) return keysOf(a, b).every((key) => sameValue(a[key], b[key]));
  return a === b;
};

const keysOf = (a: Fields, b: Fields): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];

const isIgnored = ({ compare, each }: Rules, path: string, whole: Fields): boolean =>
  compare.some(
    (rule) =>
      rule.how === 'ignore' &&
      rule.field === path &&
      rule.each === each &&
      (rule.when === undefined || holds(rule.when, Number(valueAt(whole, rule.when.field)))),
  );

const idAt = ({ ids, each }: Rules, path: string): IdUse | undefined =>
  ids.find((use) => use.side === 'reply' && use.field === path && use.each === each);

const itemsByName = (items: readonly Value[]): Map<string, Value> =>
  new Map(items.map((item, index) => [String(isFields(item) ? (item.name ?? index) : index), item]));

const differentItems = (
  rules: Rules,
  field: string,
  a: readonly Value[],
  b: readonly Value[],
): Difference[] => {
  const inA = itemsByName(a);
  const inB = itemsByName(b);
  const names = [...new Set([...inA.keys(), ...inB.keys()])];
  return names.flatMap((name) => {
    const path = `${field}[${name}]`;
    const recorded = inA.get(name);
    const live = inB.get(name);
    if (!isFields(recorded) || !isFields(live)) return [{ path, recorded, live }];
    return differentFields({ ...rules, each: field }, recorded, live).map((one) => ({
      ...one,
      path: `${path}.${one.path}`,
    }));
  });
};

const differentAt = (rules: Rules, path: string, whole: readonly [Fields, Fields]): Difference[] => {
  const recorded = valueAt(whole[0], path);
  const live = valueAt(whole[1], path);
  const id = idAt(rules, path);
  if (isIgnored(rules, path, whole[0])) return [];
  // Another id is as good; one in place of none is not.
  if (id !== undefined && (recorded === id.none) === (live === id.none)) return [];
  if (isFields(recorded) && isFields(live))
    return keysOf(recorded, live).flatMap((key) => differentAt(rules, `${path}.${key}`, whole));
  if (rules.compare.some(({ how, field }) => how === 'unordered' && field === path))
    return differentItems(rules, path, isList(recorded) ? recorded : [], isList(live) ? live : []);
  return sameValue(recorded, live) ? [] : [{ path, recorded, live }];
};

const differentFields = (rules: Rules, recorded: Fields, live: Fields): Difference[] =>
  keysOf(recorded, live)
    // What fills a record up to 8 bytes, not the reserved fields of structs.
    .filter((key) => rules.each === undefined || key !== 'padding')
    .flatMap((key) => differentAt(rules, key, [recorded, live]));

/** The fields in which `live` disagrees with `recorded`; empty when `sameReply` would say that they agree. */
export const differences = (recorded: DecodedReply, live: DecodedReply): Difference[] => {
  const errors = { path: 'error', recorded: recorded.header.error, live: live.header.error };
  if (errors.recorded !== errors.live) return [errors];
  const { ids, compare } = recorded.op ?? { ids: [], compare: [] };
  return differentFields({ ids, compare, each: undefined }, recorded.fields, live.fields);
};
