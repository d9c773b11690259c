import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { mode } from '../../mode.ts';
import { bodySchema, openApiQuery, type Schema } from '../../openapi.ts';
import { Button } from '../../parts/button.tsx';
import { Choices } from '../../parts/choices.tsx';
import { AreaField, SelectField, TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Alert } from '../../parts/layout.tsx';
import type { useAction } from '../../parts/use-action.ts';
import { linesQuery } from '../../queries/lines.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import type { Webhook } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { webhooksTexts } from '../../words/webhooks.ts';
import { useWords } from '../../words/words.ts';

export interface WebhookSettings {
  url: string;
  events: string[];
  line_id?: string;
  description?: string | null;
  filters?: { chats?: string[]; direction?: string; types?: string[] } | null;
  headers?: Record<string, string> | null;
  strict_order: boolean;
}

interface Header {
  key: number;
  name: string;
  value: string;
}

interface WebhookFormProps {
  /** Undefined: a new one. */
  webhook?: Webhook;
  format?: 'bridges' | 'lines';
  action: ReturnType<typeof useAction>;
  submitName: string;
  onClose: () => void;
  onSubmit: (settings: WebhookSettings) => void;
}

/**
 * The names a webhook of this format can ask for, and the kinds of message it can filter by, as the
 * API's own document lists them.
 */
function useNames(format: 'bridges' | 'lines'): { events: string[]; kinds: string[] } {
  const { data } = useQuery(openApiQuery);
  const { data: endpoints } = useQuery(endpointsQuery(mode.use()));
  const operation = data?.operations.find(({ operationId }) => operationId === 'createWebhook');
  const schema = operation && bodySchema(operation);
  const filters = schema?.properties?.filters;
  const filtered = filters?.properties ? filters : filters?.anyOf?.find((one: Schema) => one.properties);
  return { events: endpoints?.names[format] ?? [], kinds: filtered?.properties?.types?.items?.enum?.map(String) ?? [] };
}

/** Everything a webhook can be told, for a new one and for one that is there. */
export function WebhookForm({ webhook, format = 'lines', action, submitName, onClose, onSubmit }: WebhookFormProps) {
  const words = useWords();
  const texts = useTexts(webhooksTexts);
  const names = useNames(format);
  const { data: lines } = useQuery(linesQuery(mode.use()));
  const [isAll, setIsAll] = useState(webhook?.events.includes('*') ?? true);
  const [events, setEvents] = useState(webhook?.events.filter((name) => name !== '*') ?? []);
  const [kinds, setKinds] = useState(webhook?.filters?.types ?? []);
  const [headers, setHeaders] = useState<Header[]>();
  const { busy, error, fieldError } = action;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const chats = text('chats').split(/\s+/).filter(Boolean);
    const filters = {
      ...(chats.length > 0 ? { chats } : {}),
      ...(text('direction') ? { direction: text('direction') } : {}),
      ...(kinds.length > 0 ? { types: kinds } : {}),
    };
    const own = headers?.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value]);
    onSubmit({
      url: text('url'),
      events: isAll ? ['*', ...events] : events,
      ...(webhook ? {} : { line_id: text('line') || undefined }),
      description: text('description') || (webhook ? null : undefined),
      filters: Object.keys(filters).length > 0 ? filters : webhook ? null : undefined,
      ...(own ? { headers: own.length > 0 ? Object.fromEntries(own) : null } : {}),
      strict_order: text('order') === 'strict',
    });
  };

  return (
    <form onSubmit={submit} className="space-y-4">
      <TextField
        label="URL"
        name="url"
        type="url"
        required
        placeholder="https://example.com/hook"
        defaultValue={webhook?.url}
        error={fieldError('url')}
        autoFocus
      />
      <div className="grid gap-4 sm:grid-cols-2">
        {webhook ? null : (
          <SelectField label={words.webhooks.ofLine} name="line" defaultValue="">
            <option value="">{words.webhooks.allLines}</option>
            {lines?.map((line) => (
              <option key={line.line_id} value={line.line_id}>
                {line.label ?? line.customer_ref ?? line.line_id}
              </option>
            ))}
          </SelectField>
        )}
        {format === 'lines' ? (
          <TextField
            label={words.webhooks.description}
            name="description"
            maxLength={256}
            defaultValue={webhook?.description ?? ''}
          />
        ) : null}
      </div>
      <Events isAll={isAll} onAll={setIsAll} names={names.events} events={events} onEvents={setEvents} />
      {format === 'lines' ? (
        <>
          <Section title={texts.filters} hint={texts.filtersHint} isOpen={Boolean(webhook?.filters)}>
            <SelectField label={texts.direction} name="direction" defaultValue={webhook?.filters?.direction ?? ''}>
              {(['', 'in', 'out'] as const).map((one) => (
                <option key={one} value={one}>
                  {texts.directions[one]}
                </option>
              ))}
            </SelectField>
            <Choices legend={texts.kinds} options={names.kinds} chosen={kinds} onChange={setKinds} />
            <AreaField
              label={texts.chats}
              name="chats"
              rows={2}
              placeholder="+34600000000"
              defaultValue={webhook?.filters?.chats?.join('\n') ?? ''}
              error={fieldError('filters.chats')}
            />
          </Section>
          <Headers isNew={!webhook} headers={headers} onChange={setHeaders} error={fieldError('headers')} />
          <SelectField
            label={texts.order}
            name="order"
            hint={texts.orderHint}
            defaultValue={webhook?.strict_order ? 'strict' : 'chat'}
          >
            <option value="chat">{texts.orders.chat}</option>
            <option value="strict">{texts.orders.strict}</option>
          </SelectField>
        </>
      ) : null}
      {error && !fieldError('url') ? <Alert>{error}</Alert> : null}
      <FormEnd action={submitName} onClose={onClose} busy={busy} />
    </form>
  );
}

function Events(props: {
  isAll: boolean;
  onAll: (isAll: boolean) => void;
  names: string[];
  events: string[];
  onEvents: (events: string[]) => void;
}) {
  const texts = useTexts(webhooksTexts);
  return (
    <div className="space-y-2">
      <SelectField
        label={texts.events}
        value={props.isAll ? 'all' : 'some'}
        onChange={(event) => props.onAll(event.target.value === 'all')}
      >
        <option value="all">{texts.all}</option>
        <option value="some">{texts.some}</option>
      </SelectField>
      {props.isAll ? null : (
        <Choices legend={texts.events} options={props.names} chosen={props.events} onChange={props.onEvents} />
      )}
    </div>
  );
}

function Section(props: { title: string; hint: string; isOpen: boolean; children: ReactNode }) {
  return (
    <details open={props.isOpen} className="rounded-lg border border-edge px-3 py-2">
      <summary className="font-medium">{props.title}</summary>
      <p className="mt-1 text-sm text-muted">{props.hint}</p>
      <div className="mt-3 space-y-4 pb-1">{props.children}</div>
    </details>
  );
}

/**
 * A webhook's own headers. Their values are never shown, so they are kept until the user replaces
 * them.
 */
function Headers(props: {
  isNew: boolean;
  headers: Header[] | undefined;
  onChange: (headers: Header[]) => void;
  error: string | undefined;
}) {
  const { isNew, headers, onChange, error } = props;
  const texts = useTexts(webhooksTexts);
  const rows = headers ?? [];
  const change = (key: number, part: Partial<Header>) =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  const add = () => onChange([...rows, { key: (rows.at(-1)?.key ?? 0) + 1, name: '', value: '' }]);
  return (
    <Section title={texts.headers} hint={texts.headersHint} isOpen={false}>
      {!isNew && headers === undefined ? <p className="text-sm">{texts.headersKept}</p> : null}
      {rows.map(({ key, name, value }) => (
        <div key={key} className="grid grid-cols-[1fr_1fr_auto] items-end gap-2">
          <TextField
            label={texts.headerName}
            value={name}
            placeholder="X-Team"
            onChange={(event) => change(key, { name: event.target.value })}
          />
          <TextField
            label={texts.headerValue}
            value={value}
            autoComplete="off"
            onChange={(event) => change(key, { value: event.target.value })}
          />
          <Button
            look="quiet"
            aria-label={texts.removeHeader}
            onClick={() => onChange(rows.filter((row) => row.key !== key))}
          >
            <X aria-hidden className="size-4" />
          </Button>
        </div>
      ))}
      {error ? <p className="text-sm text-danger">{error}</p> : null}
      <Button small onClick={add}>
        <Plus aria-hidden className="size-4" />
        {!isNew && headers === undefined ? texts.replaceHeaders : texts.addHeader}
      </Button>
    </Section>
  );
}
