import { curve } from './curve.ts';
import { curveModule } from './libsignal-modules.ts';
import { bindNoiseCertificates, type NowMs } from './noise-certificate.ts';
import { quietSessions } from './quiet-sessions.ts';
import { shareAsyncLocalStorage } from './shared-async-local-storage.ts';

/** Marks the one libsignal of the process, so that a second copy of this module (source and build) does not patch the patch. */
const INSTALLED = Symbol.for('ponte.hardening.installed');

/** RFC 7748 section 6.1: Alice's private and public key. */
const KNOWN_PRIVATE = '77076d0a7318a57d3c16c17251b26645df4c2f92ebc0992ac177fba51db92c2a';
const KNOWN_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';

/**
 * Puts the layer under Baileys that makes it safe to run, for the whole process and for good:
 * own curve functions with verification that fails closed (`curve.ts`), server certificates bound to the server's key
 * (`noise-certificate.ts`), libsignal silent (`quiet-sessions.ts`), one AsyncLocalStorage (`shared-async-local-storage.ts`).
 *
 * Must run before anything loads Baileys: ES modules copy libsignal's functions at that moment. Importing this module runs
 * it, so `import './hardening/install.ts'` in front of the import of Baileys is enough; `assertHardened` proves that the
 * order was right. Calling it again does nothing; `nowMs` of the first call counts.
 */
export function installHardening(nowMs: NowMs = Date.now): void {
  if (INSTALLED in curveModule) return;
  const derived = curve.getPublicFromPrivateKey(Buffer.from(KNOWN_PRIVATE, 'hex')).subarray(1).toString('hex');
  if (derived !== KNOWN_PUBLIC) {
    throw new Error(
      `node:crypto of Node ${process.versions.node} imports an X25519 key differently than expected; use a tested Node version`,
    );
  }
  Object.assign(curveModule, curve, { [INSTALLED]: true });
  quietSessions();
  bindNoiseCertificates(nowMs);
  shareAsyncLocalStorage();
}

installHardening();
