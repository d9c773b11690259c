/** How a connect page looks and whom it serves, as a person fills it in; empty: as ever. */
export interface ConnectLook {
  name: string;
  /** `data:` URL. */
  logo: string;
  /** `#rrggbb`. */
  colour: string;
  /** Empty: the visitor's. */
  locale: string;
  redirect: string;
  /** One origin a line. */
  origins: string;
}

export const PLAIN: ConnectLook = { name: '', logo: '', colour: '', locale: '', redirect: '', origins: '' };

const KEY = 'ponte.connect-look';
/** As long as the server takes it. */
export const MAX_LOGO = 65_536;
const LOGO = /^data:image\/(?:png|jpeg|webp);base64,/;

/** What a text holds of a look; everything else is left out. */
export function readLook(text: string | null): ConnectLook {
  try {
    const kept = JSON.parse(text ?? '{}') as Partial<Record<string, unknown>> | null;
    const look = { ...PLAIN };
    for (const name of Object.keys(PLAIN) as (keyof ConnectLook)[]) {
      const value = kept?.[name];
      if (typeof value === 'string') look[name] = value;
    }
    // It becomes the address of a picture.
    return LOGO.test(look.logo) ? look : { ...look, logo: '' };
  } catch {
    return PLAIN;
  }
}

/** The look that this browser used last: an operator has one, as a rule. */
export function lastLook(): ConnectLook {
  try {
    return readLook(localStorage.getItem(KEY));
  } catch {
    return PLAIN;
  }
}

export function keepLook(look: ConnectLook): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(look));
  } catch {
    // The browser keeps nothing: it is filled in again next time.
  }
}

/** What the server is asked with: what is empty is left out. */
export function bodyOf({ name, logo, colour, locale, redirect, origins }: ConnectLook): Record<string, unknown> {
  const list = origins.split(/[\s,]+/).filter((one) => one !== '');
  const filled = { name: name.trim(), logo, colour, locale, redirect_url: redirect.trim() };
  return {
    ...Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== '')),
    ...(list.length === 0 ? {} : { embed_origins: list }),
  };
}

/** Black or white, whichever can be read on a colour; as the page itself does it. */
export function readableOn(colour: string): '#000' | '#fff' {
  const linear = (at: number) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5) > 0.179 ? '#000' : '#fff';
}

/** Boxes that a logo is made to fit, when its file is too large to be sent along. */
const SIDES = [320, 160, 96];

/**
 * A picture as `data:` URL, made smaller where it must be; undefined: it is none, or stays too
 * large.
 */
export async function logoOf(file: File): Promise<string | undefined> {
  const whole = await dataUrlOf(file);
  if (LOGO.test(whole) && whole.length <= MAX_LOGO) return whole;
  const picture = await createImageBitmap(file).catch(() => undefined);
  for (const side of picture ? SIDES : []) {
    const small = picture && drawn(picture, side);
    if (small !== undefined && small.length <= MAX_LOGO) return small;
  }
  return undefined;
}

const dataUrlOf = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error('the file cannot be read'));
    reader.readAsDataURL(file);
  });

function drawn(picture: ImageBitmap, side: number): string | undefined {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const text = canvas.toDataURL('image/png');
  return LOGO.test(text) ? text : undefined;
}
