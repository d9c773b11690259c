import { type IqHandler, IqRefusal } from './iq-handler.ts';

/** `<iq xmlns="w:m"><media_conn/>`: this network has no media store, and says so instead of naming hosts that do not answer. */
export const mediaHandlers: IqHandler[] = [
  {
    xmlns: 'w:m',
    type: 'set',
    child: 'media_conn',
    answer: () => {
      throw new IqRefusal(503, 'service-unavailable');
    },
  },
];
