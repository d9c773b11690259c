import { curve } from './curve.ts';
import { curveModule } from './libsignal-modules.ts';
import { bindNoiseCertificates, type NowMs } from './noise-certificate.ts';
import { quietSessions } from './quiet-sessions.ts';

/**
 * Marks the one libsignal of the process, so that a second copy of this module (source and build)
 * does not patch the patch.
 */
const INSTALLED = Symbol.for('ponte.hardening.installed');

/** RFC 7748 section 5.2, first iteration: the private key 9 and its public key. */
const KNOWN_PRIVATE = Buffer.alloc(32).fill(9, 0, 1);
const KNOWN_PUBLIC = '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079';

/**
 * Puts the layer under Baileys that makes it safe to run, for the whole process and for good: own
 * curve functions with verification that fails closed (`curve.ts`), server certificates bound to
 * the server's key (`noise-certificate.ts`), libsignal silent (`quiet-sessions.ts`).
 *
 * Must run before anything loads Baileys: ES modules copy libsignal's functions at that moment.
 * Importing this module runs it, so `import './hardening/install.ts'` in front of the import of
 * Baileys is enough; `assertHardened` proves that the order was right. Calling it again does
 * nothing; `nowMs` of the first call counts.
 */
export function installHardening(nowMs: NowMs = Date.now): void {
  if (INSTALLED in curveModule) return;
  const derived = curve.getPublicFromPrivateKey(KNOWN_PRIVATE).subarray(1).toString('hex');
  if (derived !== KNOWN_PUBLIC) {
    throw new Error(
      `node:crypto of Node ${process.versions.node} imports an X25519 key differently than expected; use a tested Node version`,
    );
  }
  Object.assign(curveModule, curve, { [INSTALLED]: true });
  quietSessions();
  bindNoiseCertificates(nowMs);
}

installHardening();
