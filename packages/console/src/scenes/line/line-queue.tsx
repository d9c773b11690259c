import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { Moment } from '../../parts/moment.tsx';
import { notify } from '../../parts/notices.ts';
import { ago, dateTime, number } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { queueQuery } from '../../queries/line.ts';
import type { QueueItem } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { useTexts } from '../../words/texts.ts';

const SHOWN = 20;
/** The stream tells when messages leave; the rest of the way is short. */
const LOOK_EVERY_MS = 10_000;

/** What waits on a line, in the order in which it leaves. Hidden while nothing does. */
export function LineQueue({ lineId, mayChange }: { lineId: string; mayChange: boolean }) {
  const texts = useTexts(linesTexts);
  const { data: queue, error } = useQuery({ ...queueQuery(lineId, SHOWN), refetchInterval: LOOK_EVERY_MS });
  if (error) return <Failure error={error} />;
  const all = queue ? queue.depth + queue.scheduled : 0;
  if (!queue || queue.items.length === 0) return null;
  return (
    <Panel title={`${texts.queue} · ${number(all)}`}>
      <ul className="-my-2 divide-y divide-edge">
        {queue.items.map((item) => (
          <Item key={item.message_id} lineId={lineId} item={item} mayChange={mayChange} />
        ))}
      </ul>
      <p className="mt-4 flex flex-wrap gap-x-4 text-sm text-muted">
        {queue.in_flight > 0 ? <span>{texts.inFlight(number(queue.in_flight))}</span> : null}
        {queue.next_send_at ? <Moment at={queue.next_send_at}>{texts.nextAt(ago(queue.next_send_at))}</Moment> : null}
        {all > queue.items.length ? <span>{texts.queueMore(number(queue.items.length), number(all))}</span> : null}
      </p>
    </Panel>
  );
}

function Item({ lineId, item, mayChange }: { lineId: string; item: QueueItem; mayChange: boolean }) {
  const texts = useTexts(linesTexts);
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const cancel = () =>
    run(async () => {
      await api('DELETE', `/lines/${lineId}/queue/${encodeURIComponent(item.message_id)}`);
      notify('good', texts.cancelled);
      await client.invalidateQueries({ queryKey: ['queue', lineId] });
    });
  const when = item.send_at ? texts.at(dateTime(item.send_at)) : texts.since(ago(item.accepted_at));
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5">
      <div className="min-w-0">
        <p className="truncate font-medium">
          {texts.to(item.to)} <span className="font-normal text-muted">· {item.type}</span>
        </p>
        <p className="text-sm text-muted">
          {when}
          {texts.priorities[item.priority] ? ` · ${texts.priorities[item.priority]}` : ''}
        </p>
      </div>
      {mayChange && item.state !== 'sending' ? (
        <Button small busy={busy} aria-label={texts.cancelOf(item.to)} onClick={() => void cancel()}>
          {texts.cancel}
        </Button>
      ) : null}
      {error ? <Alert>{error}</Alert> : null}
    </li>
  );
}
