import {
  isChange,
  isGroup,
  isLid,
  isPn,
  type Jid,
  type OutboundContent,
  type Party,
  parseJid,
  party,
} from '@ponte/engine';
import type { LidMap } from '../store/lid-map.ts';

export interface MentionLookups {
  lids: Pick<LidMap, 'lidOf' | 'pnOf'>;
  /**
   * How the members of the group are named in it; asked only for messages that mention a person.
   */
  addressing(): Promise<'lid' | 'pn'>;
}

/**
 * The content with the people it names as phones in its chat know them. A phone shows a mention
 * where the text has `@` and the digits of the mentioned address, and in a group that goes by LIDs
 * (all of today's: wa-js prepareRawMessage, zapo groups addressing mode) the address is the LID: so
 * `@15550002222` in the text becomes `@` and the LID's digits there. `mentions`: all people
 * mentioned, by every address that is known.
 */
export async function addressMentions(
  content: OutboundContent,
  to: Jid,
  { lids, addressing }: MentionLookups,
): Promise<{ wording: OutboundContent; mentions: Party[] }> {
  const named = isChange(content) ? [] : (content.context?.mentions ?? []);
  if (isChange(content) || named.length === 0) return { wording: content, mentions: [] };
  const mentions = await Promise.all(named.map((jid) => complete(jid, lids)));
  if (!isGroup(to)) return { wording: content, mentions };
  const mode = await addressing();
  const addresses = mentions.map((one) => one[mode] ?? one.jid);
  const tokens = new Map<string, string>();
  for (const [index, { jid, lid, pn }] of mentions.entries()) {
    const shown = userOf(addresses[index]);
    for (const address of [jid, lid, pn]) if (userOf(address) !== shown) tokens.set(userOf(address), shown);
  }
  return { wording: reworded({ ...content, context: { ...content.context, mentions: addresses } }, tokens), mentions };
}

async function complete(jid: Jid, lids: MentionLookups['lids']): Promise<Party> {
  return party(jid, isPn(jid) ? await lids.lidOf(jid) : isLid(jid) ? await lids.pnOf(jid) : undefined);
}

const userOf = (jid: Jid | undefined): string => (jid === undefined ? '' : (parseJid(jid)?.user ?? ''));

/** `@` and digits, with or without a plus, where no longer number and no e-mail address is. */
const TOKEN = /(?<![\p{L}\p{N}._-])@\+?(\d{5,20})(?!\d)/gu;

function reworded(content: OutboundContent, tokens: ReadonlyMap<string, string>): OutboundContent {
  const words = (text: string): string =>
    text.replace(TOKEN, (token, digits: string) => {
      const shown = tokens.get(digits);
      return shown === undefined ? token : `@${shown}`;
    });
  if (content.kind === 'text') return { ...content, body: words(content.body) };
  if ('file' in content && content.caption !== undefined) return { ...content, caption: words(content.caption) };
  return content;
}
