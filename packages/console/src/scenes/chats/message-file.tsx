import { Download, FileText } from 'lucide-react';
import { useState } from 'react';
import { mode } from '../../mode.ts';
import { number } from '../../parts/time.ts';
import { VoicePlayer } from '../../parts/voice-player.tsx';
import type { ListedMessage } from '../../shapes.ts';
import { mediaTexts } from '../../words/media.ts';
import { useTexts } from '../../words/texts.ts';

/** The file of a message: pictures, films and sounds in place, anything else to download. */
export function MessageFile({ lineId, message }: { lineId: string; message: ListedMessage }) {
  const texts = useTexts(mediaTexts);
  const [isGone, setIsGone] = useState(false);
  const { media, type, message_id: id } = message;
  if (!media) return null;
  const source = `/api/console/v1/messages/${encodeURIComponent(id)}/media?line_id=${lineId}&mode=${mode.get()}`;
  const name = media.filename ?? texts[kindOf(type)];
  if (isGone) return <p className="text-sm text-muted">{texts.gone}</p>;
  const fail = () => setIsGone(true);
  switch (kindOf(type)) {
    case 'image':
    case 'sticker':
      return (
        <a href={source} download={media.filename ?? ''} aria-label={texts.download(name)} className="my-1 block">
          <img
            src={source}
            alt={name}
            loading="lazy"
            onError={fail}
            className={`max-h-72 max-w-full rounded-lg object-contain ${type === 'sticker' ? 'size-32' : 'min-h-16 min-w-16 bg-inset'}`}
          />
        </a>
      );
    case 'video':
      return (
        // biome-ignore lint/a11y/useMediaCaption: what people send has no captions
        <video
          controls
          preload="metadata"
          src={source}
          aria-label={name}
          onError={fail}
          className="my-1 max-h-72 w-72 max-w-full rounded-lg bg-black"
        />
      );
    case 'audio':
      return (
        <VoicePlayer
          source={source}
          name={name}
          seconds={(message.content?.voice ?? message.content?.audio)?.duration_seconds ?? null}
          onFail={fail}
        />
      );
    case 'document':
      return (
        <a
          href={source}
          download={media.filename ?? ''}
          aria-label={texts.download(name)}
          className="my-1 flex items-center gap-3 rounded-lg border border-edge bg-panel px-3 py-2 hover:bg-inset"
        >
          <FileText aria-hidden className="size-6 shrink-0 text-accent" />
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium">{name}</span>
            <span className="block truncate text-sm text-muted">
              {media.mime_type}
              {media.size === null ? '' : ` · ${number(Math.max(1, Math.round(media.size / 1_000)))} kB`}
            </span>
          </span>
          <Download aria-hidden className="size-5 shrink-0 text-muted" />
        </a>
      );
  }
}

type Kind = 'image' | 'video' | 'audio' | 'document' | 'sticker';

function kindOf(type: string): Kind {
  if (type === 'image' || type === 'video' || type === 'sticker') return type;
  if (type === 'audio' || type === 'voice') return 'audio';
  return 'document';
}
