import { vi } from 'vitest';

type Listener = (event: { data: unknown }) => void;

/** An EventSource whose server is the test. `open` are the ones that are not closed. */
export class FakeEventSource {
  static open: FakeEventSource[] = [];
  readonly url: string;
  readonly #listeners = new Map<string, Listener[]>();
  constructor(url: string) {
    this.url = url;
    FakeEventSource.open.push(this);
  }
  addEventListener(name: string, listener: Listener): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }
  close(): void {
    FakeEventSource.open = FakeEventSource.open.filter((one) => one !== this);
  }
  /** What the server sends. */
  send(name: string, data: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener({ data: JSON.stringify(data) });
  }
  fail(): void {
    for (const listener of this.#listeners.get('error') ?? []) listener({ data: '' });
  }
}

/** Pages of one browser: what one posts, the others get in a moment, never at once. */
export class FakeBroadcastChannel {
  static open = new Set<FakeBroadcastChannel>();
  /** A page that hangs hears nothing and says nothing. */
  static hung = new Set<FakeBroadcastChannel>();
  readonly name: string;
  readonly #listeners: Listener[] = [];
  constructor(name: string) {
    this.name = name;
    FakeBroadcastChannel.open.add(this);
  }
  addEventListener(_name: 'message', listener: Listener): void {
    this.#listeners.push(listener);
  }
  postMessage(data: unknown): void {
    if (FakeBroadcastChannel.hung.has(this)) return;
    const copy = structuredClone(data);
    for (const page of FakeBroadcastChannel.open) {
      if (page === this || page.name !== this.name || FakeBroadcastChannel.hung.has(page)) continue;
      void Promise.resolve().then(() => page.#hear(copy));
    }
  }
  #hear(data: unknown): void {
    if (!FakeBroadcastChannel.open.has(this)) return;
    for (const listener of this.#listeners) listener({ data });
  }
  close(): void {
    FakeBroadcastChannel.open.delete(this);
  }
}

/** Puts both in place, on a clock that the test moves. The returned function takes them away. */
export function fakeBrowser(): () => void {
  FakeEventSource.open = [];
  FakeBroadcastChannel.open.clear();
  FakeBroadcastChannel.hung.clear();
  vi.stubGlobal('EventSource', FakeEventSource);
  vi.stubGlobal('BroadcastChannel', FakeBroadcastChannel);
  vi.useFakeTimers();
  return () => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  };
}
