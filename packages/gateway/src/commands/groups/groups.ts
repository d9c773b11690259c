import type { GroupInfo, GroupSetting, GroupSummary, Jid, MemberOutcome } from '@ponte/engine';
import { AppError, type ErrorCode } from '../../core/app-error.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { Line } from '../../core/lines.ts';
import { squareJpeg } from '../../media/square-jpeg.ts';
import { noteGroups } from '../../store/messages/chat-groups.ts';
import { requireConnected } from '../chats/read-messages.ts';
import { lineCommand } from '../command.ts';
import { downloadPicture } from '../contacts/own-picture.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

/** Three questions to WhatsApp at most, each with the engine's own limit. */
const ANSWER_WITHIN_MS = 65_000;

const READ = { scope: 'contacts:read' } as const;
/** What strangers get to see. */
const SPEAK = { scope: 'messages:send', speaks: true } as const;
const WRITE = { scope: 'messages:send' } as const;

/** One group of one line. */
export interface OfGroup {
  line: LineName;
  group: Jid;
}

/** WhatsApp's codes that mean the same for every question about a group (whatsmeow errors.go). */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  401: 'group_forbidden',
  403: 'group_forbidden',
  404: 'group_not_found',
};
/** Of a link: never one, revoked, or its group is gone. */
const LINK_REFUSALS: Readonly<Record<number, ErrorCode>> = {
  404: 'invite_invalid',
  406: 'invite_invalid',
  410: 'invite_invalid',
};

type GroupCommand = Extract<LineCommandName, `groups.${string}`>;

async function ask<N extends GroupCommand>(
  context: Context,
  line: Line,
  name: N,
  input: LineCommands[N]['in'],
  refusals: Readonly<Record<number, ErrorCode>> = REFUSALS,
): Promise<LineCommands[N]['out']> {
  requireConnected(context, line);
  try {
    return await context.router.run(line.id, name, input, { timeoutMs: ANSWER_WITHIN_MS });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'whatsapp_error') throw error;
    const code = refusals[error.details.whatsapp_code ?? 0];
    throw code === undefined ? error : new AppError(code, {}, { cause: error });
  }
}

/** Notes what groups are called; the chat list shows it. */
async function noted<G extends GroupSummary>({ store, clock }: Context, line: Line, groups: G[]): Promise<G[]> {
  await noteGroups(store.db, line.id, groups, clock.now());
  return groups;
}

async function freshInfo(context: Context, line: Line, group: Jid): Promise<GroupInfo> {
  const info = await ask(context, line, 'groups.info', { group });
  await noted(context, line, [info]);
  return info;
}

/** Every group the line is in, as WhatsApp lists them now. */
export const allGroups = lineCommand(READ, async (context: Context, line, _: { line: LineName }) =>
  noted(context, line, await ask(context, line, 'groups.all', {})),
);

/** A group with its members, as WhatsApp shows it now. `group_not_found`, `group_forbidden`. */
export const getGroup = lineCommand(READ, async (context: Context, line, { group }: OfGroup) =>
  freshInfo(context, line, group),
);

/** Makes a group. People who cannot be added are in `refused`; the group exists all the same. */
export const createGroup = lineCommand(
  SPEAK,
  async (context: Context, line, { subject, people }: { line: LineName; subject: string; people: Jid[] }) => {
    const made = await ask(context, line, 'groups.create', { subject, people: [...new Set(people)] });
    await noted(context, line, [made.group]);
    return made;
  },
);

export interface GroupChanges {
  subject?: string;
  /** Empty takes it away. */
  description?: string;
  settings: GroupSetting[];
}

/**
 * Changes what a group is, one thing after the other, and answers what it is then. When WhatsApp
 * refuses one, those before it stay: `applied` in the error names them.
 */
export const changeGroup = lineCommand(
  SPEAK,
  async (context: Context, line, { group, subject, description, settings }: OfGroup & GroupChanges) => {
    const steps: [name: string, step: () => Promise<unknown>][] = [];
    if (subject !== undefined)
      steps.push(['subject', () => ask(context, line, 'groups.setSubject', { group, subject })]);
    if (description !== undefined)
      steps.push(['description', () => ask(context, line, 'groups.setDescription', { group, description })]);
    for (const setting of settings) {
      steps.push([setting.name, () => ask(context, line, 'groups.change', { group, setting })]);
    }
    const applied: string[] = [];
    for (const [name, step] of steps) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof AppError) || applied.length === 0) throw error;
        throw new AppError(error.code, { ...error.details, applied }, { message: error.message, cause: error });
      }
      applied.push(name);
    }
    return freshInfo(context, line, group);
  },
);

/** The outcome for one member. */
export type MemberResult =
  | 'ok'
  | 'invite_needed'
  | 'not_found'
  | 'not_possible'
  | 'recently_left'
  | 'already_member'
  | 'unknown'
  | 'failed';

const RESULTS: Readonly<Record<number, MemberResult>> = {
  0: 'unknown',
  200: 'ok',
  403: 'invite_needed',
  404: 'not_found',
  406: 'not_possible',
  408: 'recently_left',
  409: 'already_member',
};

export const resultOf = ({ code }: MemberOutcome): MemberResult => RESULTS[code] ?? 'failed';

/**
 * Takes people in or out, or makes them admins or not. One outcome per person, in the order named.
 */
export const changeMembers = lineCommand(
  SPEAK,
  async (
    context: Context,
    line,
    { group, action, people }: OfGroup & { action: 'add' | 'remove' | 'promote' | 'demote'; people: Jid[] },
  ) => ask(context, line, 'groups.changeMembers', { group, action, people: [...new Set(people)] }),
);

/**
 * Fetches a picture, makes a square JPEG of it and sets it as the group's. `media_fetch_failed`,
 * `media_rejected`.
 */
export const setGroupPicture = lineCommand(SPEAK, async (context: Context, line, input: OfGroup & { url: string }) => {
  requireConnected(context, line);
  const jpeg = await squareJpeg(await downloadPicture(context, input.url));
  return ask(context, line, 'groups.setPicture', { group: input.group, jpeg });
});

export const removeGroupPicture = lineCommand(WRITE, async (context: Context, line, { group }: OfGroup) =>
  ask(context, line, 'groups.removePicture', { group }),
);

const LINK = 'https://chat.whatsapp.com/';

/**
 * The link that leads into the group; `renew` revokes the one before. `group_forbidden` for lines
 * that are no admin of it.
 */
export const groupLink = lineCommand(WRITE, async (context: Context, line, input: OfGroup & { renew: boolean }) => {
  const { code } = await ask(context, line, 'groups.invite', { group: input.group, renew: input.renew });
  return { link: LINK + code, code };
});

/** The group behind a link. `invite_invalid`. */
export const groupBehindLink = lineCommand(
  READ,
  async (context: Context, line, { code }: { line: LineName; code: string }) =>
    ask(context, line, 'groups.invited', { code }, { ...REFUSALS, ...LINK_REFUSALS }),
);

/** Joins by a link; `requested` = an admin has to let the line in first. `invite_invalid`. */
export const joinGroup = lineCommand(
  SPEAK,
  async (context: Context, line, { code }: { line: LineName; code: string }) =>
    ask(context, line, 'groups.join', { code }, { ...REFUSALS, ...LINK_REFUSALS }),
);

export const leaveGroup = lineCommand(WRITE, async (context: Context, line, { group }: OfGroup) =>
  ask(context, line, 'groups.leave', { group }),
);

/** Who asked to be let in. `group_forbidden` for lines that are no admin of it. */
export const joinRequests = lineCommand(READ, async (context: Context, line, { group }: OfGroup) =>
  ask(context, line, 'groups.requests', { group }),
);

/**
 * Lets people in who asked, or not. One outcome per person, in the order named; `not_found` for
 * those who did not ask.
 */
export const decideRequests = lineCommand(
  SPEAK,
  async (
    context: Context,
    line,
    { group, action, people }: OfGroup & { action: 'approve' | 'reject'; people: Jid[] },
  ) => ask(context, line, 'groups.decide', { group, action, people: [...new Set(people)] }),
);
