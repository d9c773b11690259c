import { joinElection } from './election.ts';
import { openSource, type StreamMessage } from './source.ts';

/**
 * Listens to the server through the one connection that all pages of this browser share: HTTP/1.1
 * leaves a browser six of them per host. The returned function leaves.
 */
export function joinStream(tell: (message: StreamMessage) => void): () => void {
  if (typeof SharedWorker === 'function') return joinWorker(tell);
  return typeof BroadcastChannel === 'function' ? joinElection(tell) : openSource(tell);
}

function joinWorker(tell: (message: StreamMessage) => void): () => void {
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'ponte-stream' });
  let leave = () => {
    worker.port.postMessage('bye');
    worker.port.close();
  };
  worker.addEventListener('error', () => {
    // The browser refuses to run it: the pages settle it among themselves.
    worker.port.close();
    leave = joinElection(tell);
  });
  worker.port.addEventListener('message', ({ data }: MessageEvent<StreamMessage>) => tell(data));
  worker.port.start();
  return () => leave();
}
