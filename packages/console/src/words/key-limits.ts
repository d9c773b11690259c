import { texts } from './texts.ts';

export const keyLimitTexts = texts({
  en: {
    someLines: 'Only for some lines',
    lines: 'Lines',
    networks: 'Only from these networks',
    networksHint: 'Addresses or networks, with spaces between them. Empty: from anywhere.',
    networksExample: '203.0.113.7 10.1.0.0/16',
    forLines: (count: number) => (count === 1 ? 'One line only' : `${count} lines only`),
    from: (networks: string) => `Only from ${networks}`,
  },
  es: {
    someLines: 'Solo para algunas líneas',
    lines: 'Líneas',
    networks: 'Solo desde estas redes',
    networksHint: 'Direcciones o redes, separadas por espacios. Vacío: desde cualquier lugar.',
    networksExample: '203.0.113.7 10.1.0.0/16',
    forLines: (count: number) => (count === 1 ? 'Solo una línea' : `Solo ${count} líneas`),
    from: (networks: string) => `Solo desde ${networks}`,
  },
  pt: {
    someLines: 'Apenas para algumas linhas',
    lines: 'Linhas',
    networks: 'Apenas a partir destas redes',
    networksHint: 'Endereços ou redes, separados por espaços. Vazio: de qualquer lugar.',
    networksExample: '203.0.113.7 10.1.0.0/16',
    forLines: (count: number) => (count === 1 ? 'Apenas uma linha' : `Apenas ${count} linhas`),
    from: (networks: string) => `Apenas a partir de ${networks}`,
  },
});
