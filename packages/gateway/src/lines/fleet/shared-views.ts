import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../core/clock.ts';
import type { LiveHub, LiveView } from '../../journal/live.ts';
import type { LineProcessView } from '../workers/router.ts';

export interface SharedViewsOptions {
  nodeId: string;
  bus: Bus;
  clock: Clock;
  /** The lines of this node. */
  lines(): string[];
  view(lineId: string): LineProcessView;
  /** Where live views of every node are looked at here. */
  live: Pick<LiveHub, 'publish'>;
}

interface ViewsTold {
  nodeId: string;
  views: [lineId: string, view: LineProcessView][];
}

/** Poll interval for changes. */
const LOOK_MS = 1_000;
/** How often all views are sent again: a lost one is made up for by then. */
const ALL_MS = 30_000;
/** Views in one message: far below the largest one. */
const VIEWS_PER_MESSAGE = 1_000;
/** Lines of other nodes that are remembered. */
const MAX_REMEMBERED = 200_000;

/**
 * How the lines of other nodes are, as their owners tell: late by a second, not at all while the
 * bus is away. Nothing is decided by it that the database does not decide again.
 */
export class SharedViews {
  readonly #options: SharedViewsOptions;
  readonly #remote = new Map<string, LineProcessView>();
  /** As told last. */
  #told = new Map<string, string>();
  #toldAllAt = Number.NEGATIVE_INFINITY;
  #wasUp = false;
  #cancelLook: (() => void) | undefined;
  readonly #ends: (() => void)[];

  constructor(options: SharedViewsOptions) {
    this.#options = options;
    const { bus, nodeId } = options;
    const others = <T extends { nodeId: string }>(hear: (told: T) => void) => {
      return (body: unknown) => {
        const told = body as T;
        if (told.nodeId !== nodeId) hear(told);
      };
    };
    this.#ends = [
      bus.subscribe(
        'views',
        others<ViewsTold>(({ views }) => this.#heard(views)),
      ),
      bus.subscribe(
        'views.tell',
        others(() => {
          this.#toldAllAt = Number.NEGATIVE_INFINITY;
        }),
      ),
      bus.subscribe(
        'live',
        others<{ nodeId: string; view: LiveView }>(({ view }) => options.live.publish(view)),
      ),
    ];
    this.#look();
  }

  /** What the line's owner said last. */
  of(lineId: string): LineProcessView | undefined {
    return this.#remote.get(lineId);
  }

  /** A line of this node changed its view: all nodes may see it. */
  tellLive(view: LiveView): void {
    const { bus, nodeId } = this.#options;
    bus.publish('live', { nodeId, view });
  }

  close(): void {
    this.#cancelLook?.();
    for (const end of this.#ends) end();
  }

  #look(): void {
    const { clock, bus, nodeId } = this.#options;
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look());
    const isBack = bus.isUp && !this.#wasUp;
    this.#wasUp = bus.isUp;
    if (!bus.isUp) return;
    if (isBack) bus.publish('views.tell', { nodeId });
    const isAll = isBack || clock.monotonic() - this.#toldAllAt >= ALL_MS;
    if (isAll) this.#toldAllAt = clock.monotonic();
    this.#tell(isAll);
  }

  #tell(isAll: boolean): void {
    const { bus, nodeId, lines, view } = this.#options;
    const told = new Map<string, string>();
    const changed: ViewsTold['views'] = [];
    for (const lineId of lines()) {
      const now = view(lineId);
      const text = JSON.stringify(now);
      told.set(lineId, text);
      if (isAll || this.#told.get(lineId) !== text) changed.push([lineId, now]);
    }
    this.#told = told;
    for (let at = 0; at < changed.length; at += VIEWS_PER_MESSAGE) {
      bus.publish('views', { nodeId, views: changed.slice(at, at + VIEWS_PER_MESSAGE) } satisfies ViewsTold);
    }
  }

  #heard(views: ViewsTold['views']): void {
    for (const [lineId, view] of views) {
      // The ones heard of last stay.
      this.#remote.delete(lineId);
      const oldest = this.#remote.size >= MAX_REMEMBERED ? this.#remote.keys().next().value : undefined;
      if (oldest !== undefined) this.#remote.delete(oldest);
      this.#remote.set(lineId, view);
    }
  }
}
