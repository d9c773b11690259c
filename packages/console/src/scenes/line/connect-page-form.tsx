import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { AreaField, SelectField, TextField } from '../../parts/field.tsx';
import { connectPageTexts } from '../../words/connect-page.ts';
import { useTexts } from '../../words/texts.ts';
import { LOCALES } from '../../words/words.ts';
import { type ConnectLook, logoOf, readableOn } from './connect-look.ts';

interface Props {
  look: ConnectLook;
  onChange(look: ConnectLook): void;
  /** What the server refused, by its own names. */
  fieldError(path: string): string | undefined;
}

const PLAIN_COLOUR = '#0a6b43';

/** What the page for the owner of a number shows, with a picture of it beside. */
export function ConnectPageForm({ look, onChange, fieldError }: Props) {
  const texts = useTexts(connectPageTexts);
  const set = (change: Partial<ConnectLook>) => onChange({ ...look, ...change });
  const origins = look.origins.split('\n').map((_, at) => fieldError(`embed_origins.${at}`));
  return (
    <details className="rounded-lg bg-inset px-4 py-3">
      <summary className="cursor-pointer font-medium">{texts.title}</summary>
      <p className="mt-2 text-sm text-muted">{texts.lead}</p>
      <div className="mt-3 grid gap-4 sm:grid-cols-2">
        <div className="min-w-0 space-y-3">
          <TextField
            label={texts.name}
            hint={texts.nameHint}
            error={fieldError('name')}
            maxLength={64}
            value={look.name}
            onChange={(event) => set({ name: event.target.value })}
          />
          <LogoField logo={look.logo} onChange={(logo) => set({ logo })} error={fieldError('logo')} />
          <ColourField colour={look.colour} onChange={(colour) => set({ colour })} />
          <SelectField
            label={texts.language}
            value={look.locale}
            onChange={(event) => set({ locale: event.target.value })}
          >
            <option value="">{texts.visitors}</option>
            {LOCALES.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </SelectField>
          <TextField
            label={texts.redirect}
            hint={texts.redirectHint}
            error={fieldError('redirect_url')}
            type="url"
            inputMode="url"
            maxLength={2_048}
            value={look.redirect}
            onChange={(event) => set({ redirect: event.target.value })}
          />
          <AreaField
            label={texts.origins}
            hint={texts.originsHint}
            error={fieldError('embed_origins') ?? origins.find((one) => one !== undefined)}
            rows={2}
            value={look.origins}
            onChange={(event) => set({ origins: event.target.value })}
          />
        </div>
        <Preview look={look} />
      </div>
    </details>
  );
}

function LogoField({ logo, error, onChange }: { logo: string; error?: string; onChange(logo: string): void }) {
  const texts = useTexts(connectPageTexts);
  const [isRefused, setIsRefused] = useState(false);
  const take = async (file: File | undefined) => {
    if (!file) return;
    const made = await logoOf(file).catch(() => undefined);
    setIsRefused(made === undefined);
    if (made !== undefined) onChange(made);
  };
  return (
    <div className="space-y-2">
      <TextField
        label={texts.logo}
        hint={texts.logoHint}
        error={isRefused ? texts.noLogo : error}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        onChange={(event) => void take(event.target.files?.[0])}
      />
      {logo === '' ? null : <Button onClick={() => onChange('')}>{texts.removeLogo}</Button>}
    </div>
  );
}

function ColourField({ colour, onChange }: { colour: string; onChange(colour: string): void }) {
  const texts = useTexts(connectPageTexts);
  return (
    <fieldset className="flex flex-wrap items-center gap-3">
      <legend className="mb-1 text-sm font-medium">{texts.colour}</legend>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={colour !== ''}
          onChange={(event) => onChange(event.target.checked ? PLAIN_COLOUR : '')}
        />
        {texts.ownColour}
      </label>
      {colour === '' ? null : (
        <input
          type="color"
          aria-label={texts.colour}
          className="h-9 w-14 cursor-pointer rounded border border-field bg-panel"
          value={colour}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </fieldset>
  );
}

/** The page's first step, as its owner sees it. */
function Preview({ look }: { look: ConnectLook }) {
  const texts = useTexts(connectPageTexts);
  const colour = look.colour === '' ? PLAIN_COLOUR : look.colour;
  return (
    <figure className="min-w-0 self-start">
      <figcaption className="mb-1 text-sm font-medium">{texts.preview}</figcaption>
      <div className="rounded-2xl border border-edge bg-panel p-4 wrap-anywhere">
        {look.logo === '' ? null : <img src={look.logo} alt="" className="mb-3 block max-h-16 max-w-3/5" />}
        <p className="text-lg font-semibold">{texts.heading}</p>
        {look.name.trim() === '' ? null : <p className="mt-1">{texts.asks(look.name.trim())}</p>}
        <p
          className="mt-3 rounded-lg px-4 py-2.5 text-center"
          style={{ backgroundColor: colour, color: readableOn(colour) }}
        >
          {texts.button}
        </p>
      </div>
    </figure>
  );
}
