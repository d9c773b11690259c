import { Counter, Gauge, type Registry } from 'prom-client';

/** The ways to follow events. */
export type Transport = 'sse' | 'websocket' | 'poll';

export interface StreamMetrics {
  opened(via: Transport): void;
  closed(via: Transport): void;
  sent(via: Transport, events: number): void;
  /** A stream was ended by us: its key is over, its reader too slow, … */
  cut(reason: string): void;
}

export function createStreamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry];
  const open = new Gauge({
    name: 'ponte_event_streams',
    help: 'Live event streams open in this process, by transport.',
    labelNames: ['transport'],
    registers,
  });
  const sent = new Counter({
    name: 'ponte_streamed_events_total',
    help: 'Events handed to live streams, by transport.',
    labelNames: ['transport'],
    registers,
  });
  const cut = new Counter({
    name: 'ponte_event_streams_cut_total',
    help: 'Live event streams ended by the server, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    opened: (transport) => open.inc({ transport }),
    closed: (transport) => open.dec({ transport }),
    sent: (transport, events) => sent.inc({ transport }, events),
    cut: (reason) => cut.inc({ reason }),
  };
}

/** For tools and tests. */
export const noStreamMetrics: StreamMetrics = {
  opened: () => {},
  closed: () => {},
  sent: () => {},
  cut: () => {},
};
