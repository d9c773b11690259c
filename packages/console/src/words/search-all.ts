import { texts } from './texts.ts';

export const searchAllTexts = texts({
  en: {
    title: 'Search messages',
    lead: 'In the chats of all lines of this mode, newest first.',
    words: 'Words of the message',
    inAll: 'Search in all lines',
    nothing: 'No line has such a message.',
    some: (lines: string, all: string) => `Only the first ${lines} of ${all} lines were searched.`,
    failed: (lines: string) => `Could not be searched: ${lines}.`,
    forWords: (wanted: string) => `Search the messages of all lines for “${wanted}”`,
  },
  es: {
    title: 'Buscar mensajes',
    lead: 'En los chats de todas las líneas de este modo, los más nuevos primero.',
    words: 'Palabras del mensaje',
    inAll: 'Buscar en todas las líneas',
    nothing: 'Ninguna línea tiene un mensaje así.',
    some: (lines: string, all: string) => `Solo se buscó en las primeras ${lines} de ${all} líneas.`,
    failed: (lines: string) => `No se pudo buscar en: ${lines}.`,
    forWords: (wanted: string) => `Buscar «${wanted}» en los mensajes de todas las líneas`,
  },
  pt: {
    title: 'Buscar mensagens',
    lead: 'Nas conversas de todas as linhas deste modo, as mais novas primeiro.',
    words: 'Palavras da mensagem',
    inAll: 'Buscar em todas as linhas',
    nothing: 'Nenhuma linha tem uma mensagem assim.',
    some: (lines: string, all: string) => `Só as primeiras ${lines} de ${all} linhas foram pesquisadas.`,
    failed: (lines: string) => `Não foi possível buscar em: ${lines}.`,
    forWords: (wanted: string) => `Buscar “${wanted}” nas mensagens de todas as linhas`,
  },
});
