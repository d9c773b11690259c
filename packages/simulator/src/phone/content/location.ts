import type { ContentKind } from './kind.ts';

/**
 * `{"type":"location","lat":19.4,"lng":-99.1,"name"?,"address"?}`, or with `"live":true` (and a
 * `caption` instead of name and address) a phone that goes on sharing where it is.
 */
export const location: ContentKind = {
  type: 'location',
  build(input, { contextInfo, nowMs }) {
    const degrees = {
      degreesLatitude: input.number('lat', -90, 90),
      degreesLongitude: input.number('lng', -180, 180),
    };
    if (input.flag('live')) {
      const caption = input.optionalText('caption', 1000);
      // Clients draw the sequence number from the clock (Baileys WAProto LiveLocationMessage).
      const liveLocationMessage = { ...degrees, caption, sequenceNumber: nowMs(), contextInfo };
      return { message: { liveLocationMessage }, shape: { type: 'media', mediatype: 'livelocation' } };
    }
    const locationMessage = {
      ...degrees,
      name: input.optionalText('name', 1000),
      address: input.optionalText('address', 1000),
      contextInfo,
    };
    return { message: { locationMessage }, shape: { type: 'media', mediatype: 'location' } };
  },
  read(message) {
    const pin = message.locationMessage ?? message.liveLocationMessage;
    if (!pin) return undefined;
    const { name, address } = message.locationMessage ?? {};
    return {
      type: 'location',
      fields: {
        lat: pin.degreesLatitude ?? 0,
        lng: pin.degreesLongitude ?? 0,
        ...(name ? { name } : {}),
        ...(address ? { address } : {}),
        ...(message.liveLocationMessage ? { live: true } : {}),
        ...(message.liveLocationMessage?.caption ? { caption: message.liveLocationMessage.caption } : {}),
      },
    };
  },
};
