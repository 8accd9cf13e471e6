/** Thread that answers the traps of a server which carries our filter. It must carry none itself. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { POLLIN, PollSet } from '../libc.js';
import { thisMachine } from '../machine.js';
import { takeWake } from '../wake.js';
import { Answers, type Session } from './answers.js';
import { Listener } from './listener.js';
import type { FromServing, ToServing } from './messages.js';

const port = parentPort;
const { listenerFd, wakeFd } = workerData as { listenerFd: number; wakeFd: number };
const listener = new Listener(listenerFd);
const answers = new Answers(listener, thisMachine(), (message: FromServing) => port?.postMessage(message));

let session: Session | undefined;

/** False when the thread shall end. */
const obey = (message: ToServing): boolean => {
  switch (message.kind) {
    case 'session':
      session = {
        socket: message.socket,
        inode: message.inode,
        mode: message.mode,
        temporary: message.temporary,
        targets: new Map(),
        gone: false,
      };
      return true;
    case 'handedOver':
      if (session !== undefined) session.socket = undefined;
      return true;
    case 'mountGone':
      if (session !== undefined) session.gone = true;
      return true;
    case 'stop':
      return false;
    default:
      return message satisfies never;
  }
};

const obeyAll = (): boolean => {
  takeWake(wakeFd);
  for (let next = port && receiveMessageOnPort(port); next; next = port && receiveMessageOnPort(port))
    if (!obey(next.message as ToServing)) return false;
  return true;
};

const serve = (): void => {
  const fds = new PollSet([listenerFd, wakeFd]);
  for (;;) {
    if (fds.wait(-1) < 0) continue;
    if (fds.ready(1) & POLLIN && !obeyAll()) return;
    if (fds.ready(0) & POLLIN) {
      const trap = listener.receive();
      if (trap !== undefined) answers.answer(trap, session);
    }
  }
};

serve();
// Its port would keep the thread alive.
port?.close();
