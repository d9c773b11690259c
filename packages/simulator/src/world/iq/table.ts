import { children, type Node } from '@ponte/engine';
import { el, SERVER_JID } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { accountHandlers } from './account-queries.ts';
import { appStateHandlers } from './app-state.ts';
import { channelHandlers } from './channels.ts';
import { companionHandlers } from './companions.ts';
import { encryptHandlers } from './encrypt.ts';
import { groupMemberHandlers } from './group-members.ts';
import { groupSettingHandlers } from './group-settings.ts';
import { groupQueryHandlers } from './groups.ts';
import { type IqAnswer, type IqHandler, IqRefusal } from './iq-handler.ts';
import { mediaHandlers } from './media-conn.ts';
import { pictureHandlers } from './pictures.ts';
import { profileHandlers } from './profile.ts';
import { usyncHandlers } from './usync.ts';

const HANDLERS: IqHandler[] = [
  ...accountHandlers,
  ...appStateHandlers,
  ...channelHandlers,
  ...companionHandlers,
  ...encryptHandlers,
  ...groupQueryHandlers,
  ...groupMemberHandlers,
  ...groupSettingHandlers,
  ...mediaHandlers,
  ...pictureHandlers,
  ...profileHandlers,
  ...usyncHandlers,
];

const TABLE = new Map(HANDLERS.map((handler) => [`${handler.xmlns} ${handler.type} ${handler.child}`, handler]));

/** What the server does with a query: the answer to send, then what follows from it. */
export interface IqOutcome {
  answer: Node;
  afterwards: () => void;
  /** The stanza log's remark: the query was refused, and as what. */
  note: string | undefined;
}

/**
 * Answers any query. An unknown one is answered 501: silence would make a client wait for its
 * time-out (60 s in Baileys). Most answers are there at once; those that need a file come later. A
 * handler that fails is answered 500 with `note` saying why; it never takes the connection down.
 */
export function answerIq(tenant: Tenant, from: Sender, iq: Node): IqOutcome | Promise<IqOutcome> {
  const child = children(iq)[0] ?? el('');
  const type = iq.attrs.type === 'get' ? 'get' : 'set';
  const handler = TABLE.get(`${iq.attrs.xmlns ?? ''} ${type} ${child.tag}`);
  if (!handler) return refused(iq, 501, 'feature-not-implemented', 'unsupported');
  try {
    const answer = handler.answer({ tenant, from, iq, child });
    if (!(answer instanceof Promise)) return answered(iq, answer);
    return answer.then(
      (late) => answered(iq, late),
      (error: unknown) => failed(tenant, iq, child, error),
    );
  } catch (error) {
    return failed(tenant, iq, child, error);
  }
}

function answered(iq: Node, { content, from = SERVER_JID, afterwards }: IqAnswer): IqOutcome {
  const attrs = { type: 'result', from, id: iq.attrs.id };
  return { answer: el('iq', attrs, content), afterwards: () => void afterwards?.(), note: undefined };
}

function failed(tenant: Tenant, iq: Node, child: Node, error: unknown): IqOutcome {
  if (error instanceof IqRefusal) return refused(iq, error.code, error.message, `refused ${error.code}`);
  // What was under way when the simulator closed gets no answer.
  if (tenant.db.open) tenant.problem(`query ${iq.attrs.xmlns} ${child.tag} failed`, error);
  const reason = error instanceof Error ? error.message : String(error);
  return refused(iq, 500, 'internal-server-error', `failed: ${reason}`);
}

function refused(iq: Node, code: number, text: string, note: string): IqOutcome {
  const attrs = { type: 'error', from: SERVER_JID, id: iq.attrs.id };
  return { answer: el('iq', attrs, [el('error', { code: String(code), text })]), afterwards: () => {}, note };
}
