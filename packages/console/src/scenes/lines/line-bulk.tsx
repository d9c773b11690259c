import { useQueryClient } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { BulkBar } from '../../parts/bulk-bar.tsx';
import type { Selection } from '../../parts/selection.ts';
import type { Line } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** What can be done with several lines at once. */
export function LineBulk({ lines, selection }: { lines: readonly Line[]; selection: Selection }) {
  const words = useWords();
  const texts = useTexts(linesTexts);
  const client = useQueryClient();
  const paired = new Set(lines.filter(({ phone }) => phone !== null).map((line) => line.line_id));
  const running = new Set(
    lines.filter(({ status }) => status !== 'unpaired' && status !== 'logged_out').map((line) => line.line_id),
  );
  return (
    <BulkBar
      selection={selection}
      listed={lines.length}
      onDone={() => client.invalidateQueries({ queryKey: ['lines'] })}
      actions={[
        {
          label: texts.restart,
          help: texts.restartHelp,
          fits: (id) => running.has(id),
          run: (id) => api('POST', `/lines/${id}/restart`),
        },
        {
          label: words.line.logout,
          help: words.line.logoutHelp,
          fits: (id) => paired.has(id) && running.has(id),
          run: (id) => api('POST', `/lines/${id}/logout`),
        },
        {
          label: words.line.remove,
          help: words.line.removeHelp,
          fits: () => true,
          run: (id) => api('DELETE', `/lines/${id}`),
        },
      ]}
    />
  );
}
