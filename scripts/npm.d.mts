/** The command and its first arguments: `[node, npm-cli.js]`, run by `node`. */
export function npmCommand(node?: string): string[];
