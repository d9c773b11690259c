// Run by src/hardening/install.test.ts in a process of its own: Baileys is loaded before the
// hardening, which must be found out.
const baileys = await import('baileys');
await import('../src/hardening/install.ts');
const { assertHardened } = await import('../src/hardening/assert-hardened.ts');
try {
  assertHardened(baileys);
  console.log('not noticed');
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
