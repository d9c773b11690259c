import { Toast } from '@base-ui/react/toast';

export type Tone = 'good' | 'bad';

/** What toasts.tsx shows. */
export const notices = Toast.createToastManager<{ tone: Tone }>();

/** Says something for a few seconds, also to screen readers. */
export function notify(tone: Tone, text: string): void {
  notices.add({ description: text, data: { tone } });
}
