import { useQuery } from '@tanstack/react-query';
import { mode } from '../../mode.ts';
import { SelectField, TextField } from '../../parts/field.tsx';
import { FilterMemory } from '../../parts/filter-memory.tsx';
import { linesQuery } from '../../queries/lines.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import { DELIVERY_STATES } from '../../shapes.ts';
import { listTexts } from '../../words/list-tools.ts';
import { useTexts } from '../../words/texts.ts';
import { webhooksTexts } from '../../words/webhooks.ts';
import { useWords } from '../../words/words.ts';

/** As the fields hold it: times are local, an empty text narrows nothing. */
export type DeliveryFilter = Record<'status' | 'event' | 'line_id' | 'q' | 'since' | 'until', string>;

export const EVERYTHING: DeliveryFilter = { status: '', event: '', line_id: '', q: '', since: '', until: '' };

/** The same as the API is asked for it. */
export function queryOf(filter: DeliveryFilter): Record<string, string> {
  const asked = { ...filter, since: instantOf(filter.since), until: instantOf(filter.until) };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
}

function instantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}

/** What of the log is shown: by outcome, event, line, id and time. */
export function DeliveryFilters(props: { filter: DeliveryFilter; onChange: (filter: DeliveryFilter) => void }) {
  const { filter, onChange } = props;
  const words = useWords();
  const tools = useTexts(listTexts);
  const texts = useTexts(webhooksTexts);
  const shownMode = mode.use();
  const { data: lines } = useQuery(linesQuery(shownMode));
  const { data: endpoints } = useQuery(endpointsQuery(shownMode));
  return (
    <div className="mb-4 space-y-2">
      <div className="grid items-end gap-2 sm:grid-cols-2 lg:grid-cols-3">
        <SelectField
          label={words.deliveries.filter}
          hideLabel
          value={filter.status}
          onChange={(event) => onChange({ ...filter, status: event.target.value })}
        >
          <option value="">{words.deliveries.all}</option>
          {DELIVERY_STATES.map((one) => (
            <option key={one} value={one}>
              {words.deliveries.states[one]}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={texts.event}
          hideLabel
          value={filter.event}
          onChange={(event) => onChange({ ...filter, event: event.target.value })}
        >
          <option value="">{texts.everyEvent}</option>
          {endpoints?.types.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
        <SelectField
          label={texts.line}
          hideLabel
          value={filter.line_id}
          onChange={(event) => onChange({ ...filter, line_id: event.target.value })}
        >
          <option value="">{texts.everyLine}</option>
          {lines?.map((line) => (
            <option key={line.line_id} value={line.line_id}>
              {line.label ?? line.customer_ref ?? line.line_id}
            </option>
          ))}
        </SelectField>
        <TextField
          label={tools.byId}
          type="search"
          maxLength={64}
          className="font-mono text-sm"
          value={filter.q}
          onChange={(event) => onChange({ ...filter, q: event.target.value.trim() })}
        />
        <TextField
          label={tools.from}
          type="datetime-local"
          value={filter.since}
          onChange={(event) => onChange({ ...filter, since: event.target.value })}
        />
        <TextField
          label={tools.until}
          type="datetime-local"
          value={filter.until}
          onChange={(event) => onChange({ ...filter, until: event.target.value })}
        />
      </div>
      <FilterMemory list="deliveries" filter={filter} open={EVERYTHING} onChange={onChange} />
    </div>
  );
}
