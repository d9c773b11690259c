import type { Schema } from './openapi.ts';

/** How a field is asked for. `json`: anything that has no form of its own. */
export type FieldKind =
  | { kind: 'choice'; options: (string | number | boolean)[] }
  | { kind: 'flag' }
  | { kind: 'number'; isWhole: boolean }
  | { kind: 'text'; isLong: boolean; isNumberToo: boolean }
  | { kind: 'choices'; options: string[] }
  | { kind: 'list'; isNumber: boolean }
  | { kind: 'group'; schema: Schema }
  | { kind: 'json' };

/** Longer texts get more than one line. */
const LONG = 2_049;

/** The schema without its `null`: what one writes when one writes something. */
export function given(schema: Schema): Schema {
  const either = (schema.anyOf ?? schema.oneOf)?.filter(({ type }) => type !== 'null');
  return either?.length === 1 && either[0]
    ? { ...either[0], description: schema.description ?? either[0].description }
    : schema;
}

export function kindOf(of: Schema): FieldKind {
  const schema = given(of);
  const types = [schema.type ?? []].flat().filter((type) => type !== 'null');
  const scalar = (value: unknown): value is string | number | boolean => typeof value !== 'object';
  if (schema.const !== undefined && scalar(schema.const)) return { kind: 'choice', options: [schema.const] };
  if (schema.enum) return { kind: 'choice', options: schema.enum.filter(scalar) };
  if (types.includes('string')) {
    return { kind: 'text', isLong: (schema.maxLength ?? 0) >= LONG, isNumberToo: types.length > 1 };
  }
  if (types.includes('boolean')) return { kind: 'flag' };
  if (types.includes('integer') || types.includes('number')) {
    return { kind: 'number', isWhole: !types.includes('number') };
  }
  if (types.includes('array')) return kindOfArray(schema);
  if (schema.properties) return { kind: 'group', schema };
  return { kind: 'json' };
}

function kindOfArray({ items }: Schema): FieldKind {
  const item = items && kindOf(items);
  if (item?.kind === 'choice') return { kind: 'choices', options: item.options.map(String) };
  if (item?.kind === 'text') return { kind: 'list', isNumber: false };
  return item?.kind === 'number' ? { kind: 'list', isNumber: true } : { kind: 'json' };
}
