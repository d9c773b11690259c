import type { Json } from './json.ts';
import type { Tool } from './tool.ts';

/**
 * The list of tools as people read it (docs/mcp-tools.md), made from the table that serves them.
 */
export function toolDocs(tools: readonly Tool[]): string {
  const groups = [...new Set(tools.map(({ group }) => group))];
  const parts = groups.map((group) => {
    const rows = tools.filter((tool) => tool.group === group).map(rowOf);
    return `## ${group}\n\n| tool | parameters | |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  const head = `# The ${tools.length} tools\n\nMade from the table that serves them; a test keeps it so. A parameter with ? may be left out. **R** changes nothing, **D** cannot be undone.\n`;
  return [head, ...parts].join('\n');
}

const SIGNS: Partial<Record<Tool['effect'], string>> = { reads: ' **R**', asks: ' **R**', ends: ' **D**' };

function rowOf({ name, description, input, effect }: Tool): string {
  const required = input.required as string[];
  const names = Object.keys(input.properties as Json).map((one) => (required.includes(one) ? one : `${one}?`));
  const sign = SIGNS[effect] ?? '';
  return `| \`${name}\`${sign} | ${names.join(', ') || '–'} | ${description.replaceAll('|', '\\|')} |`;
}
