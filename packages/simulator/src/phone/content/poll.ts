import { InputError } from './input.ts';
import type { ContentKind } from './kind.ts';

const MIN_OPTIONS = 2;
const MAX_OPTIONS = 12;
const MAX_OPTION_CHARS = 100;
const MAX_QUESTION_CHARS = 255;

/**
 * `{"type":"poll","question":"…","options":["a","b"],"max_answers":1}`; 0 answers = any number.
 * Votes are in `votes` of the inbox.
 */
export const poll: ContentKind = {
  type: 'poll',
  build(input, { random, contextInfo }) {
    const options = input.texts('options', MIN_OPTIONS, MAX_OPTIONS);
    if (new Set(options).size !== options.length) throw new InputError('options', 'must be distinct');
    const long = options.find((option) => option.length > MAX_OPTION_CHARS);
    if (long !== undefined) throw new InputError('options', `must have at most ${MAX_OPTION_CHARS} characters each`);
    const selectableOptionsCount = input.integer('max_answers', 0, options.length, 1);
    const creation = {
      name: input.text('question', MAX_QUESTION_CHARS),
      options: options.map((optionName) => ({ optionName })),
      selectableOptionsCount,
      contextInfo,
    };
    return {
      message: {
        messageContextInfo: { messageSecret: random(32) },
        // WhatsApp writes single-choice polls in the third version of the field (Baileys
        // messages.js).
        ...(selectableOptionsCount === 1 ? { pollCreationMessageV3: creation } : { pollCreationMessage: creation }),
      },
      shape: { type: 'poll', meta: { polltype: 'creation' } },
    };
  },
  read(message) {
    const creation = message.pollCreationMessageV3 ?? message.pollCreationMessageV2 ?? message.pollCreationMessage;
    if (!creation) return undefined;
    return {
      type: 'poll',
      body: creation.name ?? '',
      fields: {
        question: creation.name ?? '',
        options: (creation.options ?? []).map((option) => option.optionName ?? ''),
        max_answers: creation.selectableOptionsCount ?? 0,
      },
    };
  },
};
