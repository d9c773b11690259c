import type { ContentKind } from './kind.ts';

/** `{"type":"location","lat":19.4,"lng":-99.1,"name"?,"address"?}` */
export const location: ContentKind = {
  type: 'location',
  build(input, { contextInfo }) {
    const locationMessage = {
      degreesLatitude: input.number('lat', -90, 90),
      degreesLongitude: input.number('lng', -180, 180),
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
      },
    };
  },
};
