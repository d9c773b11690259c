import type { Command } from 'commander';
import { fetchLiveVersion, WHATSAPP_PAGE } from '../client-version/fetch-version.ts';
import { refreshVersion, toKnown } from '../client-version/version-desk.ts';
import { formatVersion, type KnownVersion, parseVersion } from '../core/client-version.ts';
import { systemClock } from '../core/clock.ts';
import { builtInVersion } from '../endpoints.ts';
import type { Installation } from '../installation.ts';
import { createOutboundGuard } from '../outbound-guard.ts';
import { changeVersionRecord, readVersionRecord } from '../store/access/version-record.ts';
import { CommandFailed, isoTime, type Output, print, UsageError } from './output.ts';

type WithInstallation = (work: (at: Installation) => Promise<void>) => Promise<void>;
interface Given {
  json?: boolean;
}

const FROM: Record<KnownVersion['source'], string> = {
  operator: 'set by the operator (ponte whatsapp-version set)',
  environment: 'from WHATSAPP_VERSION',
  whatsapp: 'from WhatsApp’s own page',
  built_in: 'built in; WhatsApp’s page has not been read yet',
};
const DAY_MS = 86_400_000;

const sources = ({ config }: Installation) => ({ environment: config.whatsappVersion, builtIn: builtInVersion });

export async function knownVersion(at: Installation): Promise<KnownVersion> {
  return toKnown(await readVersionRecord(at.store.db), sources(at));
}

/** What is known, in a sentence for people. */
export function describeVersion(known: KnownVersion, nowMs: number): string {
  const { version, source, fetchedAt, expiresAt, problem } = known;
  return [
    `${formatVersion(version)}, ${FROM[source]}`,
    ...(fetchedAt === null ? [] : [`page read ${Math.floor((nowMs - fetchedAt) / DAY_MS)} days ago`]),
    ...(expiresAt === null ? [] : [`WhatsApp takes it until ${String(isoTime(expiresAt))}`]),
    ...(problem === null ? [] : [`the last look at the page failed: ${problem}`]),
  ].join('; ');
}

function show(known: KnownVersion, given: Given, out: Output): void {
  const { version, source, fetchedAt, expiresAt, problem } = known;
  const value = {
    version: formatVersion(version),
    source,
    fetched_at: isoTime(fetchedAt),
    expires_at: isoTime(expiresAt),
    problem,
  };
  print(out, given.json, value, () => describeVersion(known, systemClock.now()));
}

/** `ponte whatsapp-version …`: a running server follows within ten seconds, without a restart. */
export function addWhatsappVersion(program: Command, out: Output, withInstallation: WithInstallation): void {
  const command = program
    .command('whatsapp-version')
    .description('the version of WhatsApp Web that live lines announce; WhatsApp refuses old ones');
  command
    .command('show')
    .option('--json', 'one JSON document')
    .action((given: Given) => withInstallation(async (at) => show(await knownVersion(at), given, out)));
  command
    .command('set')
    .description('announce this one from now on, whatever WhatsApp’s page says; "auto" ends that')
    .argument('<version>', `such as 2.3000.1053512345: the client_revision of ${WHATSAPP_PAGE}; or auto`)
    .option('--json', 'one JSON document')
    .action((text: string, given: Given) => {
      const version = text === 'auto' ? null : parseVersion(text);
      if (version === undefined) {
        throw new UsageError(`the version is "${text}", but it takes three numbers such as 2.3000.1053512345, or auto`);
      }
      return withInstallation(async (at) => {
        const record = await changeVersionRecord(at.store, () => ({ override: version }));
        show(toKnown(record, sources(at)), given, out);
      });
    });
  command
    .command('refresh')
    .description('read WhatsApp’s page now')
    .option('--json', 'one JSON document')
    .action((given: Given) =>
      withInstallation(async (at) => {
        const guard = createOutboundGuard(at.config);
        const fetchLive = () => fetchLiveVersion(guard);
        const record = await refreshVersion({ store: at.store, clock: systemClock, fetchLive });
        if (record.problem) {
          throw new CommandFailed(
            `${record.problem}; read ${WHATSAPP_PAGE} on another machine and give its client_revision to "ponte whatsapp-version set 2.3000.N"`,
          );
        }
        show(toKnown(record, sources(at)), given, out);
      }),
    );
}
