/** The edit distance of two words; a swap of neighbours counts as one. */
function distance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const swap =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1), swap));
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length] ?? 0;
}

/** `quotedMessageId` and `quoted-message-id` are spellings of `quoted_message_id`. */
const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Longer names are no typing error of a member. */
const MAX_LENGTH = 64;

/** Slips that a word of this length may have to count as a near miss. */
const slipsIn = (length: number): number => (length < 4 ? 0 : length < 8 ? 1 : 2);

/**
 * The name that was probably meant: another spelling of a known one, or one that a slip or two of
 * the keyboard away. Undefined when none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const asked = plain(name);
  let best: { name: string; away: number } | undefined;
  for (const candidate of known) {
    const wanted = plain(candidate);
    const away = asked === wanted ? 0 : distance(asked, wanted);
    if (away > 0 && away > slipsIn(Math.min(asked.length, wanted.length))) continue;
    if (!best || away < best.away) best = { name: candidate, away };
  }
  return best?.name;
}
