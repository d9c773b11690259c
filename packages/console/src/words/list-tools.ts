import { texts } from './texts.ts';

/** What can be done with any list: find, narrow, keep the narrowing. */
export const listTexts = texts({
  en: {
    filters: 'Saved filters',
    save: 'Save this filter',
    name: 'Name of the filter',
    remove: (name: string) => `Forget the filter ${name}`,
    clear: 'Show everything',
    byId: 'Id of a delivery or an event',
    from: 'Events from',
    until: 'Events until',
  },
  es: {
    filters: 'Filtros guardados',
    save: 'Guardar este filtro',
    name: 'Nombre del filtro',
    remove: (name: string) => `Olvidar el filtro ${name}`,
    clear: 'Mostrar todo',
    byId: 'ID de una entrega o de un evento',
    from: 'Eventos desde',
    until: 'Eventos hasta',
  },
  pt: {
    filters: 'Filtros salvos',
    save: 'Salvar este filtro',
    name: 'Nome do filtro',
    remove: (name: string) => `Esquecer o filtro ${name}`,
    clear: 'Mostrar tudo',
    byId: 'ID de uma entrega ou de um evento',
    from: 'Eventos de',
    until: 'Eventos até',
  },
});
