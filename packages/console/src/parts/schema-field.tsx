import { useState } from 'react';
import { type Schema, typeOf } from '../openapi.ts';
import { type FieldKind, given, kindOf } from '../schema-kind.ts';
import type { Line } from '../shapes.ts';
import { playgroundTexts } from '../words/playground.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { Choices } from './choices.tsx';
import { AreaField, SelectField, TextField } from './field.tsx';

interface SchemaFieldProps {
  name: string;
  /** What stands beside the name: where a parameter goes, say. */
  place?: string;
  schema: Schema;
  required: boolean;
  value: unknown;
  /** Undefined: the field is left out. */
  onChange: (value: unknown) => void;
  lines: readonly Line[];
}

/**
 * One field of a request, asked for as its schema says. Fields that name a line offer the lines
 * there are.
 */
export function SchemaField(props: SchemaFieldProps) {
  const { name, place, required, schema, lines } = props;
  const label = `${name}${place ? ` · ${place}` : ''}${required ? ' *' : ''}`;
  const common = { ...props, label, hint: hintOf(schema) };
  if (name === 'line_id' && lines.length > 0) return <LineField {...common} />;
  const of = kindOf(schema);
  switch (of.kind) {
    case 'choice':
      return <ChoiceField {...common} options={of.options} />;
    case 'flag':
      return <ChoiceField {...common} options={[true, false]} />;
    case 'text':
    case 'number':
      return <ScalarField {...common} of={of} />;
    case 'choices': {
      const chosen = Array.isArray(props.value) ? props.value.map(String) : [];
      return (
        <Choices
          legend={label}
          options={of.options}
          chosen={chosen}
          onChange={(next) => props.onChange(next.length > 0 ? next : undefined)}
        />
      );
    }
    case 'list':
      return <ListField {...common} isNumber={of.isNumber} />;
    case 'group':
      return <GroupField {...common} schema={of.schema} />;
    case 'json':
      return <JsonField {...common} />;
  }
}

type Common = SchemaFieldProps & { label: string; hint: string };

/** What the document says of a field, in one line. */
function hintOf(schema: Schema): string {
  const { minimum, maximum, maxLength } = given(schema);
  const range =
    minimum !== undefined && maximum !== undefined && Math.abs(maximum) < Number.MAX_SAFE_INTEGER
      ? `${minimum} … ${maximum}`
      : maxLength !== undefined
        ? `≤ ${maxLength}`
        : '';
  const types = schema.enum || given(schema).enum ? '' : typeOf(schema);
  const start = schema.default === undefined ? '' : `= ${JSON.stringify(schema.default)}`;
  return [[types, range, start].filter(Boolean).join(' · '), schema.description].filter(Boolean).join(' — ');
}

const exampleOf = (schema: Schema): string => {
  const example = schema.examples?.[0] ?? given(schema).examples?.[0];
  return example === undefined || typeof example === 'object' ? '' : String(example);
};

function LineField({ label, hint, value, required, onChange, lines }: Common) {
  const texts = useTexts(playgroundTexts);
  const words = useWords();
  return (
    <SelectField
      label={label}
      hint={hint}
      value={String(value ?? '')}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      {required ? null : <option value="">{texts.notSent}</option>}
      {lines.map((line) => (
        <option key={line.line_id} value={line.line_id}>
          {line.label ?? line.customer_ref ?? line.line_id} · {line.phone ?? words.status[line.status]}
        </option>
      ))}
    </SelectField>
  );
}

function ChoiceField(props: Common & { options: readonly (string | number | boolean)[] }) {
  const { label, hint, value, required, onChange, options } = props;
  const texts = useTexts(playgroundTexts);
  const chosen = options.findIndex((option) => option === value || String(option) === value);
  return (
    <SelectField
      label={label}
      hint={hint}
      value={chosen < 0 ? '' : String(chosen)}
      onChange={(event) => onChange(event.target.value === '' ? undefined : options[Number(event.target.value)])}
    >
      {required && chosen >= 0 ? null : <option value="">{texts.notSent}</option>}
      {options.map((option, index) => (
        <option key={String(option)} value={index}>
          {String(option)}
        </option>
      ))}
    </SelectField>
  );
}

function ScalarField(props: Common & { of: Extract<FieldKind, { kind: 'text' | 'number' }> }) {
  const { label, hint, value, required, onChange, of, schema } = props;
  const change = (text: string) => {
    if (text === '') onChange(undefined);
    else if (of.kind === 'number') onChange(Number(text));
    else onChange(of.isNumberToo && /^-?\d{1,15}$/.test(text) ? Number(text) : text);
  };
  const shown = value === undefined || value === null ? '' : String(value);
  const common = { label, hint, required, value: shown, placeholder: exampleOf(schema), spellCheck: false };
  if (of.kind === 'text' && of.isLong) {
    return <AreaField {...common} rows={2} onChange={(event) => change(event.target.value)} />;
  }
  const number = of.kind === 'number' ? { type: 'number', step: of.isWhole ? 1 : 'any' } : {};
  return <TextField {...common} {...number} onChange={(event) => change(event.target.value)} />;
}

function ListField(props: Common & { isNumber: boolean }) {
  const { label, hint, value, required, onChange, isNumber, schema } = props;
  const texts = useTexts(playgroundTexts);
  // What is being typed may hold empty lines that the value does not.
  const [text, setText] = useState(Array.isArray(value) ? value.join('\n') : '');
  const change = (next: string) => {
    setText(next);
    const items = next.split('\n').filter((line) => line.trim() !== '');
    onChange(items.length === 0 ? undefined : isNumber ? items.map(Number) : items);
  };
  return (
    <AreaField
      label={label}
      hint={`${hint} ${texts.onePerLine}`}
      required={required}
      rows={Math.min(6, Math.max(2, text.split('\n').length))}
      value={text}
      placeholder={exampleOf(given(schema).items ?? {})}
      spellCheck={false}
      onChange={(event) => change(event.target.value)}
    />
  );
}

function GroupField({ label, schema, value, onChange, lines }: Common) {
  const members = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return (
    <details open={value !== undefined && value !== null} className="rounded-lg border border-edge px-3 py-2">
      <summary className="text-sm font-medium">{label}</summary>
      <div className="mt-3 space-y-4 pb-1">
        <SchemaFields schema={schema} value={members} lines={lines} onChange={onChange} isInner />
      </div>
    </details>
  );
}

function JsonField({ label, hint, value, required, onChange }: Common) {
  const texts = useTexts(playgroundTexts);
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const [isBroken, setIsBroken] = useState(false);
  const change = (next: string) => {
    setText(next);
    try {
      onChange(next.trim() === '' ? undefined : JSON.parse(next));
      setIsBroken(false);
    } catch {
      setIsBroken(true);
    }
  };
  return (
    <AreaField
      label={label}
      hint={`${hint} ${texts.asJson}`}
      required={required}
      rows={Math.min(10, Math.max(2, text.split('\n').length))}
      value={text}
      spellCheck={false}
      className="font-mono text-sm"
      error={isBroken ? texts.badJson : undefined}
      onChange={(event) => change(event.target.value)}
    />
  );
}

interface SchemaFieldsProps {
  schema: Schema;
  value: Record<string, unknown>;
  /** Undefined when nothing is left in it and it is part of something else. */
  onChange: (value: Record<string, unknown> | undefined) => void;
  lines: readonly Line[];
  isInner?: boolean;
}

/** Every field of an object: those that are needed or filled in first, the others folded away. */
export function SchemaFields({ schema, value, onChange, lines, isInner = false }: SchemaFieldsProps) {
  const texts = useTexts(playgroundTexts);
  const [shownAtFirst] = useState(() => new Set(Object.keys(value)));
  const fields = Object.entries(schema.properties ?? {});
  const isShown = ([name]: [string, Schema]) =>
    isInner || schema.required?.includes(name) === true || shownAtFirst.has(name);
  const change = (name: string, next: unknown) => {
    const { [name]: _, ...rest } = value;
    // The order of the document stays that of the request.
    const merged = next === undefined ? rest : { ...rest, [name]: next };
    const ordered = Object.fromEntries(
      fields.flatMap(([field]) => (merged[field] === undefined ? [] : [[field, merged[field]]])),
    );
    onChange(isInner && Object.keys(ordered).length === 0 ? undefined : ordered);
  };
  const field = ([name, of]: [string, Schema]) => (
    <SchemaField
      key={name}
      name={name}
      schema={of}
      required={schema.required?.includes(name) ?? false}
      value={value[name]}
      lines={lines}
      onChange={(next) => change(name, next)}
    />
  );
  const others = fields.filter((entry) => !isShown(entry));
  return (
    <>
      {fields.filter(isShown).map(field)}
      {others.length > 0 ? (
        <details className="rounded-lg border border-edge px-3 py-2">
          <summary className="text-sm font-medium">{texts.more(others.length)}</summary>
          <div className="mt-3 space-y-4 pb-1">{others.map(field)}</div>
        </details>
      ) : null}
    </>
  );
}
