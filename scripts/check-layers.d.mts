export function checkLayers(root: string): { violations: string[]; imports: number };
