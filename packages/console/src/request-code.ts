/** One HTTP request, for showing and for sending. */
export interface ApiRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

export type Language = 'curl' | 'node' | 'python' | 'php';
export const LANGUAGES: Record<Language, string> = { curl: 'curl', node: 'Node.js', python: 'Python', php: 'PHP' };

/** The request as code. Strings are quoted so that any text stands as it is. */
export function requestCode(language: Language, request: ApiRequest): string {
  return { curl, node, python, php }[language](request);
}

const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const json = (value: unknown, indent = 2) => JSON.stringify(value, null, indent);
const hasBody = ({ body }: ApiRequest) => body !== undefined;

function curl(request: ApiRequest): string {
  const lines = [`curl -X ${request.method} ${shell(request.url)}`];
  for (const [name, value] of Object.entries(request.headers)) lines.push(`-H ${shell(`${name}: ${value}`)}`);
  if (hasBody(request)) lines.push(`-d ${shell(json(request.body, 0))}`);
  return lines.join(' \\\n  ');
}

function node(request: ApiRequest): string {
  const options = [`  method: '${request.method}',`, `  headers: ${json(request.headers).replaceAll('\n', '\n  ')},`];
  if (hasBody(request)) options.push(`  body: JSON.stringify(${json(request.body).replaceAll('\n', '\n  ')}),`);
  return `const response = await fetch(${json(request.url)}, {\n${options.join('\n')}\n});\nconsole.log(response.status, await response.json());`;
}

/** JSON as a Python literal: only the three words differ. */
function pythonValue(value: unknown, pad: string): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map((item) => pythonValue(item, pad)).join(', ')}]`;
  if (typeof value !== 'object') return json(value);
  const inner = `${pad}    `;
  const rows = Object.entries(value).map(([name, item]) => `${inner}${json(name)}: ${pythonValue(item, inner)},`);
  return rows.length === 0 ? '{}' : `{\n${rows.join('\n')}\n${pad}}`;
}

function python(request: ApiRequest): string {
  const rows = [
    `    ${json(request.method)},`,
    `    ${json(request.url)},`,
    `    headers=${pythonValue(request.headers, '    ')},`,
  ];
  if (hasBody(request)) rows.push(`    json=${pythonValue(request.body, '    ')},`);
  return `import requests\n\nresponse = requests.request(\n${rows.join('\n')}\n    timeout=70,\n)\nprint(response.status_code, response.json())`;
}

const phpText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function phpValue(value: unknown, pad: string): string {
  if (typeof value === 'string') return phpText(value);
  if (value === null || typeof value !== 'object') return String(value);
  const inner = `${pad}    `;
  const rows = Array.isArray(value)
    ? value.map((item) => `${inner}${phpValue(item, inner)},`)
    : Object.entries(value).map(([name, item]) => `${inner}${phpText(name)} => ${phpValue(item, inner)},`);
  return rows.length === 0 ? '[]' : `[\n${rows.join('\n')}\n${pad}]`;
}

function php(request: ApiRequest): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `        ${phpText(`${name}: ${value}`)},`);
  const rows = [
    `    CURLOPT_CUSTOMREQUEST => '${request.method}',`,
    `    CURLOPT_HTTPHEADER => [\n${headers.join('\n')}\n    ],`,
    '    CURLOPT_RETURNTRANSFER => true,',
  ];
  if (hasBody(request)) rows.push(`    CURLOPT_POSTFIELDS => json_encode(${phpValue(request.body, '    ')}),`);
  return `<?php\n$curl = curl_init(${phpText(request.url)});\ncurl_setopt_array($curl, [\n${rows.join('\n')}\n]);\n$answer = curl_exec($curl);\necho curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $answer;`;
}
