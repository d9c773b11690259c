// Run by src/hardening/quiet-sessions.test.ts in a process of its own, with `hardened` or `stock`.
if (process.argv[2] === 'hardened') await import('../src/hardening/install.ts');
const { createLibsignalDevice, meet, libsignal } = await import('./libsignal-device.ts');

const alice = createLibsignalDevice('alice');
const bob = createLibsignalDevice('bob');

// A conversation; then alice starts afresh while a message of the first session is still on its
// way.
await alice.startSession(bob);
await meet(alice, bob);
const late = await alice.encrypt(bob, 'late');
await alice.startSession(bob);
await bob.decrypt(alice, await alice.encrypt(bob, 'first of the second session'));
await bob.decrypt(alice, late);

// A message no session can read.
late.body[20] = (late.body[20] ?? 0) ^ 1;
await bob.decrypt(alice, late).then(
  () => console.log('a forged message was accepted'),
  () => undefined,
);

// More sessions than a record holds, then one that is opened, closed and closed again.
for (let i = 0; i < 45; i++) await alice.startSession(bob);
await alice.encrypt(bob, 'more');
const record = libsignal.SessionRecord.deserialize(JSON.parse(alice.stored(bob)));
const [session] = Object.values(record.sessions);
if (session) {
  record.openSession(session);
  record.closeSession(session);
  record.closeSession(session);
}

if (process.argv[2] === 'hardened') console.log('console still works');
console.log('done');
