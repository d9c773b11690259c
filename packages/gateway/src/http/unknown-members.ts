import { z } from 'zod';
import { nearestName } from './near-names.ts';

/**
 * What happens to members of a body that its schema does not know. `refuse`: 400. `near`: 400 only
 * for near misses of a known member, everything else is ignored (drop-in for published APIs).
 */
export type UnknownMembers = 'refuse' | 'near' | 'ignore';

interface Unknown {
  path: PropertyKey[];
  /** Names that this place knows and the body does not use yet. */
  free: string[];
  known: string[];
}

/** Named in a refusal at most. */
const KNOWN_SHOWN = 20;
const ISSUES_MAX = 20;

/** Issues for members of a body that its schema does not know, as the policy wants them. */
export function unknownMemberIssues(
  schema: z.ZodType | undefined,
  body: unknown,
  policy: UnknownMembers,
): z.core.$ZodIssue[] {
  if (!schema || policy === 'ignore') return [];
  return unknownIn(schema, body, [])
    .flatMap(({ path, free, known }) => {
      const name = String(path.at(-1));
      const near = nearestName(name, free);
      if (near === undefined && policy === 'near') return [];
      const message =
        near === undefined
          ? `there is no such member. ${known.length === 0 ? 'None is known here.' : `Known: ${known.slice(0, KNOWN_SHOWN).join(', ')}${known.length > KNOWN_SHOWN ? ', …' : ''}.`}`
          : `did you mean ${near}?`;
      return [{ code: 'custom' as const, path, message, input: undefined }];
    })
    .slice(0, ISSUES_MAX);
}

function unknownIn(schema: z.core.$ZodType, value: unknown, path: PropertyKey[]): Unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return unknownIn(def.innerType, value, path);
    case 'pipe':
      return unknownIn(isTransform(def.in) ? def.out : def.in, value, path);
    case 'array':
      return Array.isArray(value) ? value.flatMap((item, at) => unknownIn(def.element, item, [...path, at])) : [];
    case 'union':
      return ofUnion(def.options, value, path);
    case 'object':
      return inObject(def, value, path);
    default:
      return [];
  }
}

const isTransform = (schema: z.core.$ZodType): boolean => schema._zod.def.type === 'transform';

/** The option that fits best speaks. */
function ofUnion(options: readonly z.core.$ZodType[], value: object, path: PropertyKey[]): Unknown[] {
  const fitting = options.filter((option) => z.safeParse(option, value).success);
  const all = (fitting.length > 0 ? fitting : options).map((option) => unknownIn(option, value, path));
  return all.reduce((best, one) => (one.length < best.length ? one : best), all[0] ?? []);
}

function inObject(
  { shape, catchall }: { shape: Record<string, z.core.$ZodType>; catchall?: z.core.$ZodType | undefined },
  value: object,
  path: PropertyKey[],
): Unknown[] {
  if (Array.isArray(value)) return [];
  const isOpen = catchall !== undefined && catchall._zod.def.type !== 'never';
  const known = Object.keys(shape);
  const free = known.filter((name) => !Object.hasOwn(value, name));
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (inner) return unknownIn(inner, member, [...path, name]);
    return isOpen ? [] : [{ path: [...path, name], free, known }];
  });
}
