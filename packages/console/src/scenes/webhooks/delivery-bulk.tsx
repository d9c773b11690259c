import { useQueryClient } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { BulkBar } from '../../parts/bulk-bar.tsx';
import type { Selection } from '../../parts/selection.ts';
import type { Delivery } from '../../shapes.ts';
import { bulkTexts } from '../../words/bulk.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** What can be done with several deliveries at once. */
export function DeliveryBulk({ deliveries, selection }: { deliveries: readonly Delivery[]; selection: Selection }) {
  const words = useWords();
  const texts = useTexts(bulkTexts);
  const client = useQueryClient();
  const waiting = new Set(deliveries.filter(({ status }) => status === 'pending').map(({ id }) => id));
  return (
    <BulkBar
      selection={selection}
      listed={deliveries.length}
      onDone={() => client.invalidateQueries({ queryKey: ['deliveries'] })}
      actions={[
        {
          label: words.deliveries.replay,
          help: texts.replayHelp,
          fits: () => true,
          run: (id) => api('POST', `/deliveries/${id}/replay`),
        },
        {
          label: texts.giveUp,
          help: texts.giveUpHelp,
          fits: (id) => waiting.has(id),
          run: (id) => api('POST', `/deliveries/${id}/give-up`),
        },
      ]}
    />
  );
}
