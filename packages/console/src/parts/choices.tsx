/** Boxes to tick, several at once. */
export function Choices(props: {
  legend: string;
  options: readonly string[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  const { legend, options, chosen, onChange } = props;
  return (
    <fieldset className="relative grid max-h-64 gap-x-4 gap-y-1.5 overflow-y-auto rounded-lg border border-edge p-3 sm:grid-cols-2">
      <legend className="px-1 text-sm font-medium">{legend}</legend>
      {options.map((name) => (
        <label key={name} className="flex min-w-0 items-center gap-2">
          <input
            type="checkbox"
            className="size-4 shrink-0 accent-accent"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))
            }
          />
          <code className="truncate font-mono text-sm">{name}</code>
        </label>
      ))}
    </fieldset>
  );
}
