import { badRequest, type IqAnswer, IqRefusal } from '../iq/iq-handler.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { type Channel, channelJid } from './channels.ts';

type Json = Record<string, unknown>;

interface Asked {
  tenant: Tenant;
  from: Sender;
  variables: Json;
}

const NAME_MAX_CHARS = 100;

/**
 * GraphQL operations of channels by query id, with the name their result has (Baileys
 * Types/Mex.js).
 */
const QUERIES: Record<string, [result: string, answer: (asked: Asked) => unknown]> = {
  '8823471724422422': ['xwa2_newsletter_create', create],
  '6563316087068696': ['xwa2_newsletter', metadata],
  '24250201037901610': ['xwa2_newsletter_update', update],
  '9783111038412085': ['xwa2_newsletter_subscribers', subscribers],
  '24404358912487870': ['xwa2_newsletter_join_v2', (asked) => follow(asked, true)],
  '9767147403369991': ['xwa2_newsletter_leave_v2', (asked) => follow(asked, false)],
  '29766401636284406': ['xwa2_newsletter_mute_v2', (asked) => mute(asked, true)],
  '9864994326891137': ['xwa2_newsletter_unmute_v2', (asked) => mute(asked, false)],
  '7130823597031706': ['xwa2_newsletter_admin', (asked) => ({ id: channelJid(named(asked)), admin_count: 1 })],
};

/**
 * Answers a `<query query_id>` about channels; undefined for any other. What is refused comes as a
 * GraphQL error, as on WhatsApp.
 */
export function channelQuery(
  tenant: Tenant,
  from: Sender,
  queryId: string,
  json: string | undefined,
): IqAnswer | undefined {
  const query = Object.hasOwn(QUERIES, queryId) ? QUERIES[queryId] : undefined;
  if (!query) return undefined;
  const [result, answer] = query;
  const variables = variablesOf(json);
  const body = bodyOf(() => ({ data: { [result]: answer({ tenant, from, variables }) } }));
  return { content: [el('result', {}, Buffer.from(JSON.stringify(body)))] };
}

function bodyOf(work: () => Json): Json {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof IqRefusal)) throw error;
    return {
      data: null,
      errors: [{ message: error.message, extensions: { error_code: error.code, severity: 'CRITICAL' } }],
    };
  }
}

function create({ tenant, from, variables }: Asked): unknown {
  const input = objectOf(variables.input);
  const name = textOf(input.name);
  if (name === '' || name.length > NAME_MAX_CHARS) throw badRequest();
  const channel = tenant.channels.create(from.pn, name, textOf(input.description));
  return view(tenant, from, channel);
}

function metadata({ tenant, from, variables }: Asked): unknown {
  const { key, type } = objectOf(variables.input);
  const channel = type === 'INVITE' ? tenant.channels.byInvite(textOf(key)) : tenant.channels.resolve(textOf(key));
  if (!channel) throw new IqRefusal(404, 'Not Found');
  return view(tenant, from, channel);
}

function update(asked: Asked): unknown {
  const { tenant, from, variables } = asked;
  const channel = named(asked);
  if (channel.owner !== from.pn) throw new IqRefusal(403, 'Forbidden');
  const { name, description } = objectOf(variables.updates);
  const changed = {
    ...channel,
    name: typeof name === 'string' ? name : channel.name,
    description: typeof description === 'string' ? description : channel.description,
  };
  if (changed.name === '' || changed.name.length > NAME_MAX_CHARS) throw badRequest();
  tenant.channels.rename(changed);
  return view(tenant, from, changed);
}

function subscribers(asked: Asked): unknown {
  return { id: channelJid(named(asked)), subscribers: asked.tenant.channels.followers(named(asked).id).length };
}

function follow(asked: Asked, isFollowing: boolean): unknown {
  const channel = named(asked);
  if (isFollowing) asked.tenant.channels.follow(channel.id, asked.from.pn);
  else asked.tenant.channels.unfollow(channel.id, asked.from.pn);
  return { id: channelJid(channel) };
}

function mute(asked: Asked, isMuted: boolean): unknown {
  const channel = named(asked);
  if (!asked.tenant.channels.following(channel.id, asked.from.pn)) throw new IqRefusal(403, 'Forbidden');
  asked.tenant.channels.follow(channel.id, asked.from.pn, isMuted);
  return { id: channelJid(channel) };
}

// Shape: whatsmeow types/newsletter.go (NewsletterMetadata); counts and times are texts there.
function view(tenant: Tenant, from: Sender, channel: Channel): unknown {
  const following = tenant.channels.following(channel.id, from.pn);
  const role = channel.owner === from.pn ? 'OWNER' : following ? 'SUBSCRIBER' : 'GUEST';
  const at = String(channel.createdAt);
  return {
    id: channelJid(channel),
    state: { type: 'ACTIVE' },
    thread_metadata: {
      creation_time: at,
      invite: channel.invite,
      name: { id: '1', text: channel.name, update_time: at },
      description: { id: '1', text: channel.description, update_time: at },
      picture: { id: '0', type: 'IMAGE', direct_path: '' },
      preview: { id: '0', type: 'PREVIEW', direct_path: '' },
      settings: { reaction_codes: { value: 'ALL' } },
      subscribers_count: String(tenant.channels.followers(channel.id).length),
      verification: 'UNVERIFIED',
    },
    viewer_metadata: { mute: following?.isMuted ? 'ON' : 'OFF', role },
  };
}

function named({ tenant, variables }: Asked): Channel {
  const channel = tenant.channels.resolve(textOf(variables.newsletter_id));
  if (!channel) throw new IqRefusal(404, 'Not Found');
  return channel;
}

function variablesOf(json: string | undefined): Json {
  try {
    return objectOf(objectOf(JSON.parse(json ?? '')).variables);
  } catch {
    // No JSON: the query is refused like one that lacks what it needs.
    throw badRequest();
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
