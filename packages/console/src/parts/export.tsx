import { toCsv } from '../csv.ts';
import { exportTexts } from '../words/export.ts';
import { useTexts } from '../words/texts.ts';
import { Button } from './button.tsx';

const FORMATS = {
  CSV: { type: 'text/csv', of: toCsv },
  JSON: { type: 'application/json', of: (rows: readonly object[]) => JSON.stringify(rows, null, 2) },
} as const;

/** Long enough for a browser to have begun the download. */
const KEPT_FOR_MS = 60_000;

function save(name: string, type: string, content: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR_MS);
}

/** Saves what a list shows at this moment as a file: as the API gives it, or for a spreadsheet. */
export function Export({ name, rows }: { name: string; rows: () => readonly object[] }) {
  const texts = useTexts(exportTexts);
  return (
    <fieldset className="flex gap-1">
      <legend className="sr-only">{texts.label}</legend>
      {(['CSV', 'JSON'] as const).map((format) => (
        <Button
          key={format}
          small
          aria-label={texts.as(format)}
          title={texts.as(format)}
          onClick={() => {
            const day = new Date().toISOString().slice(0, 10);
            save(`ponte-${name}-${day}.${format.toLowerCase()}`, FORMATS[format].type, FORMATS[format].of(rows()));
          }}
        >
          {format}
        </Button>
      ))}
    </fieldset>
  );
}
