import { bareJid, type GroupChange, type GroupSetting, type Party, phoneOf } from '@ponte/engine';
import type { EventPayloads } from '../../core/events.ts';
import { internationalPhone } from './phone.ts';

type Data = Record<string, unknown>;

/** A person by every address: `phone` of a number only, null when WhatsApp never disclosed it. */
export const person = ({ jid, lid, pn }: Party) => ({
  jid: bareJid(pn ?? jid),
  phone: internationalPhone(phoneOf(pn ?? jid) ?? null),
  lid: lid ?? null,
});

/** `data` of `group.updated`: who changed what, and the new value under its own name. */
export const groupUpdate = ({ group, by, change, timestamp }: EventPayloads['group.updated']): Data => ({
  group_id: group,
  by: by && person(by),
  ...changeOf(change),
  timestamp,
});

function changeOf(change: GroupChange): Data {
  switch (change.kind) {
    case 'created':
      return {
        change: change.isNew ? 'created' : 'joined_by_line',
        subject: change.group.subject,
        size: change.group.size,
      };
    case 'subject':
      return { change: 'subject', subject: change.subject };
    case 'description':
      return { change: 'description', description: change.description };
    case 'picture':
      return { change: 'picture', removed: change.removed, picture_id: change.pictureId ?? null };
    case 'setting':
      return settingOf(change.setting);
    case 'invite_revoked':
    case 'deleted':
      return { change: change.kind };
    default:
      return { change: `participants_${change.kind}`, participants: change.members.map(person) };
  }
}

function settingOf(setting: GroupSetting): Data {
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
