import { texts } from './texts.ts';

export const paletteTexts = texts({
  en: {
    title: 'Go to or do',
    find: 'Page, line, webhook or action',
    nothing: 'Nothing fits.',
    found: (count: string) => `${count} to choose from`,
    kinds: { page: 'Page', line: 'Line', webhook: 'Webhook', action: 'Action' },
    chatsOf: (line: string) => `Chats of ${line}`,
    switchTo: (mode: string) => `Switch to ${mode}`,
  },
  es: {
    title: 'Ir a o hacer',
    find: 'Página, línea, webhook o acción',
    nothing: 'Nada coincide.',
    found: (count: string) => `${count} para elegir`,
    kinds: { page: 'Página', line: 'Línea', webhook: 'Webhook', action: 'Acción' },
    chatsOf: (line: string) => `Chats de ${line}`,
    switchTo: (mode: string) => `Cambiar a ${mode}`,
  },
  pt: {
    title: 'Ir para ou fazer',
    find: 'Página, linha, webhook ou ação',
    nothing: 'Nada corresponde.',
    found: (count: string) => `${count} para escolher`,
    kinds: { page: 'Página', line: 'Linha', webhook: 'Webhook', action: 'Ação' },
    chatsOf: (line: string) => `Conversas de ${line}`,
    switchTo: (mode: string) => `Mudar para ${mode}`,
  },
});
