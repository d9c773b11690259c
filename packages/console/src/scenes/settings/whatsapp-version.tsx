import { Facts, Panel } from '../../parts/layout.tsx';
import { Moment } from '../../parts/moment.tsx';
import { dateTime } from '../../parts/time.ts';
import type { WhatsappVersion as Version } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { versionTexts } from '../../words/whatsapp-version.ts';

/** What WhatsApp's servers are told that live lines are; they refuse what is too old. */
export function WhatsappVersion({ of }: { of: Version }) {
  const texts = useTexts(versionTexts);
  return (
    <Panel title={texts.title}>
      <p className="mb-3 text-muted">{texts.lead}</p>
      <Facts
        facts={[
          [texts.version, of.version],
          [texts.source, texts.sources[of.source]],
          [texts.fetched, of.fetched_at ? <Moment key="fetched" at={of.fetched_at} /> : '—'],
          [texts.expires, of.expires_at ? dateTime(of.expires_at) : texts.unknown],
          ...(of.problem ? [[texts.problem, of.problem] as [string, string]] : []),
        ]}
      />
    </Panel>
  );
}
