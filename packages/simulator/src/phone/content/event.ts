import type { EventCreation } from '../wa-proto.ts';
import { type Input, InputError } from './input.ts';
import type { Built, ContentKind } from './kind.ts';

const MAX_SECONDS = 4_102_444_800;

/**
 * `{"type":"event","name":"…","start_time":1777334400,"end_time"?,"description"?,
 * "location"?,"address"?,"lat"?,"lng"?,"call"?:"voice|video"}`;
 * `location` is what the place is called. Answers are in `responses`.
 */
export const event: ContentKind = {
  type: 'event',
  build(input, { random, contextInfo, callLink }) {
    const startTime = input.integer('start_time', 1, MAX_SECONDS);
    const endTime = input.has('end_time') ? input.integer('end_time', 1, MAX_SECONDS) : undefined;
    if (endTime !== undefined && endTime < startTime) throw new InputError('end_time', 'must not be before start_time');
    const call = input.has('call') ? input.choice('call', ['voice', 'video'] as const) : undefined;
    const eventMessage: EventCreation = {
      name: input.text('name', 255),
      description: input.optionalText('description', 4096),
      startTime,
      endTime,
      isCanceled: input.flag('canceled'),
      extraGuestsAllowed: input.flag('extra_guests_allowed', true),
      location: placeOf(input),
      contextInfo,
    };
    const built = (invitation: EventCreation): Built => ({
      message: { messageContextInfo: { messageSecret: random(32) }, eventMessage: { ...eventMessage, ...invitation } },
      shape: { type: 'event', meta: { event_type: 'creation' } },
    });
    if (call === undefined) return built({});
    return callLink(call, startTime).then((joinLink) => built({ isScheduleCall: true, joinLink }));
  },
  read(message) {
    const created = message.eventMessage;
    if (!created) return undefined;
    const {
      name,
      description,
      startTime,
      endTime,
      isCanceled,
      extraGuestsAllowed,
      location: place,
      joinLink,
    } = created;
    return {
      type: 'event',
      body: name ?? '',
      fields: {
        name: name ?? '',
        start_time: Number(startTime ?? 0),
        ...(endTime ? { end_time: Number(endTime) } : {}),
        ...(description ? { description } : {}),
        ...(place?.name ? { location: place.name } : {}),
        ...(place?.address ? { address: place.address } : {}),
        ...(place?.degreesLatitude ? { lat: place.degreesLatitude, lng: place.degreesLongitude ?? 0 } : {}),
        ...(joinLink ? { join_link: joinLink } : {}),
        ...(isCanceled ? { canceled: true } : {}),
        ...(extraGuestsAllowed ? { extra_guests_allowed: true } : {}),
      },
    };
  },
};

function placeOf(input: Input): EventCreation['location'] {
  const name = input.optionalText('location', 1000);
  const address = input.optionalText('address', 1000);
  const hasDegrees = input.has('lat') || input.has('lng');
  if (name === undefined && address === undefined && !hasDegrees) return undefined;
  const degrees = hasDegrees && {
    degreesLatitude: input.number('lat', -90, 90),
    degreesLongitude: input.number('lng', -180, 180),
  };
  return { name, address, ...degrees };
}
