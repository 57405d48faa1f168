// Sessions of imapflow, which tell what they find as script() in process.go wants it:
// node session.mjs PORT USER PASSWORD DIR. Messages read go to DIR.
//
// The first has IMAP4rev2, CONDSTORE and QRESYNC enabled. The second, also so, changes
// things while the first idles; a third comes back and asks only what is new.

import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { inspect, isDeepStrictEqual } from 'node:util';
import { ImapFlow } from 'imapflow';

const [port, user, pass, out] = process.argv.slice(2);

function check(what, got, want) {
  const right = isDeepStrictEqual(got, want);
  console.log(right ? `ok ${what}` : `not ok ${what}: ${inspect(got)}, should be ${inspect(want)}`.replaceAll('\n', ' '));
}

async function session(options = {}) {
  const s = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false, auth: { user, pass }, logger: false, qresync: true, ...options });
  s.on('error', (err) => { throw err; });
  await s.connect();
  return s;
}

// told waits for an event, but not for ever.
const told = async (s, event) => (await once(s, event, { signal: AbortSignal.timeout(20000) }))[0];

// all is the messages of a range by UID, as `pick` sees them.
async function all(s, range, query, options, pick) {
  const found = new Map();
  for await (const m of s.fetch(range, query, options)) found.set(m.uid, pick(m));
  return found;
}

const first = await session();
check('enables what it knows', ['CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT', 'IMAP4REV2'].filter((e) => !first.enabled.has(e)), []);
check('lists the folders', (await first.list()).map((f) => f.path).sort(), ['Archive', 'Entwürfe', 'INBOX']);
const box = await first.mailboxOpen('INBOX');
const { uidValidity, highestModseq } = box;

const sizes = await all(first, '1:*', { uid: true, source: true, size: true, bodyStructure: true, envelope: true }, {}, (m) => m);
for (const [uid, m] of sizes) {
  if (m.size !== m.source.length) check(`finds the size of message ${uid} right`, m.source.length, m.size);
  await writeFile(`${out}/${uid}`, m.source);
}
check('reads an envelope', sizes.get(10).envelope.subject, 'Grüße🚀');
check('reads a structure', sizes.get(18).bodyStructure.childNodes.map((n) => n.type), ['text/plain', 'application/octet-stream']);
const part = await first.download('18', '2', { uid: true });
let length = 0;
for await (const chunk of part.content) length += chunk.length;
check('downloads an attachment', [length, part.meta.filename], [1024, 'a.bin']);

check('searches a body', await first.search({ body: 'after a blank' }, { uid: true }), [15]);
check('searches in UTF-8', await first.search({ or: [{ subject: 'привет' }, { from: 'nobody' }] }, { uid: true }), [9]);
check('searches what is new', await first.search({ unKeyword: '$Work', larger: 90000, seen: false }, { uid: true }), [19]);

check('flags', await first.messageFlagsAdd('4', ['\\Flagged', '$Work'], { uid: true }), true);
check('sees the flags', [...(await first.fetchOne('4', { flags: true }, { uid: true })).flags].sort(), ['$Work', '\\Flagged']);
const moved = await first.messageMove('2', 'Archive', { uid: true });
check('moves', [...moved.uidMap], [[2, 1]]);
const appended = await first.append('Entwürfe', 'Subject: saved by imapflow\r\n\r\nsaved\r\n', ['\\Seen', '\\Draft'], new Date(1136214245000));
check('appends', [appended.uid, appended.uidValidity > 0n], [1, true]);
check('asks for a status', (await first.status('Entwürfe', { messages: true, unseen: true, uidNext: true })).uidNext, 2);

// Another session changes things under it.
const idle = first.idle();
const exists = told(first, 'exists');
console.log('deliver comes while idle');
check('hears of a delivery', (await exists).count, 19);
const second = await session({ qresync: false, disableIMAP4rev2: true });
await second.mailboxOpen('INBOX');
const flags = told(first, 'flags');
await second.messageFlagsAdd('1', ['\\Answered'], { uid: true });
const change = await flags;
check('hears of flags', [change.uid ?? change.seq, [...change.flags], change.modseq > highestModseq], [1, ['\\Answered'], true]);
const expunge = told(first, 'expunge');
await second.messageDelete('3', { uid: true });
check('hears of an expunge', (await expunge).uid, 3);
await second.logout();
await first.logout();
await idle;

// Back again, with what was known at the first look.
const third = await session();
const vanished = [];
third.on('expunge', (e) => vanished.push(e.uid));
const changes = [];
await third.mailboxOpen('INBOX', { changedSince: highestModseq, uidValidity });
for await (const m of third.fetch('1:*', { uid: true, flags: true }, { uid: true, changedSince: highestModseq })) changes.push(m.uid);
check('is told what vanished', [...new Set(vanished)].sort(), [2, 3]);
check('is told what changed, and no more', changes.sort((a, b) => a - b), [1, 4, 20]);
await third.logout();
