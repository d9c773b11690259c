import { bareJid, type GroupChange, type GroupSetting, type Party, phoneOf } from '@ponte/engine';
import type { EventPayloads } from '../../core/events.ts';

type Body = Record<string, unknown>;

/** A person by every address: `phone` of a number only, empty when WhatsApp never disclosed it. */
export const person = ({ jid, lid, pn }: Party) => ({
  jid: bareJid(pn ?? jid),
  phone: phoneOf(pn ?? jid) ?? '',
  lid: lid ?? '',
});

/**
 * The body of `group_update`: who changed what, and the new value under its own name. Without an
 * actor: WhatsApp did not say who.
 */
export const groupUpdate = ({ group, by, change, timestamp }: EventPayloads['group.updated']) => ({
  event: 'group_update',
  chat_id: group,
  contact_id: by === null ? '' : person(by).jid,
  phone: by === null ? '' : person(by).phone,
  ...changeOf(change),
  timestamp,
});

function changeOf(change: GroupChange): Body {
  switch (change.kind) {
    case 'created':
      return {
        change: change.isNew ? 'created' : 'joined_by_bridge',
        subject: change.group.subject,
        size: change.group.size,
      };
    case 'subject':
      return { change: 'subject', subject: change.subject };
    case 'description':
      return { change: 'description', description: change.description };
    case 'picture':
      return {
        change: 'picture',
        remove: change.removed,
        ...(change.pictureId === undefined ? {} : { picture_id: change.pictureId }),
      };
    case 'setting':
      return settingOf(change.setting);
    case 'invite_revoked':
    case 'deleted':
      return { change: change.kind };
    default:
      return { change: `participants_${change.kind}`, participants: change.members.map(person) };
  }
}

function settingOf(setting: GroupSetting): Body {
  switch (setting.name) {
    case 'announce':
    case 'locked':
      return { change: setting.name, [setting.name]: setting.isOn };
    case 'approval':
      return { change: 'join_approval', join_approval: setting.isOn };
    case 'memberAdd':
      return { change: 'member_add', member_add: setting.who };
    case 'ephemeral':
      return { change: 'ephemeral', ephemeral_seconds: setting.seconds };
  }
}
