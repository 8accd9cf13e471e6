/** The notifications of a recording, each with the kernel's answer if it asked for one. */

import { errorOf, OUT_HEADER_SIZE, uniqueOf } from '../protocol/header.js';
import { fieldAt } from '../protocol/layout.js';
import { notificationNamed } from '../protocol/notifications.js';
import { u64At } from '../protocol/raw.js';
import { notifyRetrieveOut } from '../protocol/structs.js';
import type { Notice } from './plan.js';

const RETRIEVE = notificationNamed('RETRIEVE').code;
const NOTIFY_UNIQUE_AT = OUT_HEADER_SIZE + (fieldAt(notifyRetrieveOut, 'notifyUnique')?.offset ?? 0);

/** Collects notifications and joins answers to them. */
export class Notices {
  readonly #list: Notice[] = [];
  /** Index of the RETRIEVE that waits for an answer with this unique. */
  readonly #asked = new Map<bigint, number>();

  get list(): readonly Notice[] {
    return this.#list;
  }

  /** Adds a notification. */
  add(notice: Notice): void {
    if (errorOf(notice.bytes) === RETRIEVE)
      this.#asked.set(u64At(notice.bytes, NOTIFY_UNIQUE_AT), this.#list.length);
    this.#list.push(notice);
  }

  /** Joins a NOTIFY_REPLY to its notification; false when none asked for it. */
  answer(bytes: Uint8Array): boolean {
    const unique = uniqueOf(bytes);
    const index = this.#asked.get(unique);
    const asked = index === undefined ? undefined : this.#list[index];
    if (index === undefined || asked === undefined) return false;
    this.#asked.delete(unique);
    this.#list[index] = { ...asked, answer: bytes };
    return true;
  }
}
