import { Menu } from '@base-ui/react/menu';
import { Plus } from 'lucide-react';
import { type ChangeEvent, useRef } from 'react';
import { fileMessage, MAX_FILE_BYTES } from '../../attach-file.ts';
import { notify } from '../../parts/notices.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';

const FIXTURES = ['image', 'video', 'voice', 'document', 'sticker'] as const;
const DAY_S = 86_400;

interface PhoneAttachProps {
  /** A message as the sandbox writes it: `type`, and the fields of that type. */
  onSend: (message: Record<string, unknown>) => void;
  /** Ready-made files are offered, too. */
  hasFixtures?: boolean;
}

/**
 * What can be sent beside text: files of the tester or of the sandbox, places, contacts, polls,
 * invitations.
 */
export function PhoneAttach({ onSend, hasFixtures = false }: PhoneAttachProps) {
  const texts = useTexts(phonesTexts);
  const picker = useRef<HTMLInputElement>(null);
  const pick = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (!file) return;
    if (file.size > MAX_FILE_BYTES) return notify('bad', texts.tooLarge);
    onSend(await fileMessage(file));
  };
  const structured: Record<'location' | 'contact' | 'poll' | 'event', () => Record<string, unknown>> = {
    location: () => ({ type: 'location', lat: 40.4168, lng: -3.7038, name: texts.place }),
    contact: () => ({ type: 'contact', contacts: [{ name: texts.contact, phone: '15550009999' }] }),
    poll: () => ({ type: 'poll', ...texts.poll, max_answers: 1 }),
    event: () => ({
      type: 'event',
      name: texts.event.name,
      location: texts.event.place,
      start_time: Math.floor(Date.now() / 1_000) + DAY_S,
    }),
  };
  const items: [keyof typeof texts.attachments, () => void][] = [
    ['file', () => picker.current?.click()],
    ...(hasFixtures ? FIXTURES : []).map((type): [typeof type, () => void] => [
      type,
      () => onSend({ type, fixture: type }),
    ]),
    ...(Object.keys(structured) as (keyof typeof structured)[]).map((type): [typeof type, () => void] => [
      type,
      () => onSend(structured[type]()),
    ]),
  ];
  return (
    <>
      <input
        ref={picker}
        type="file"
        tabIndex={-1}
        aria-hidden
        className="hidden"
        onChange={(event) => void pick(event)}
      />
      <Menu.Root>
        <Menu.Trigger
          aria-label={texts.attach}
          className="inline-flex size-9 shrink-0 items-center justify-center rounded-full hover:bg-panel"
        >
          <Plus aria-hidden className="size-5" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner side="top" align="start" sideOffset={6} className="z-30">
            <Menu.Popup className="min-w-44 rounded-xl border border-edge bg-panel p-1 shadow-xl">
              {items.map(([name, choose]) => (
                <Menu.Item
                  key={name}
                  onClick={choose}
                  className="cursor-pointer rounded-lg px-3 py-1.5 data-highlighted:bg-soft data-highlighted:text-accent"
                >
                  {texts.attachments[name]}
                </Menu.Item>
              ))}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </>
  );
}
