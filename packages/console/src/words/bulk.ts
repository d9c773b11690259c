import { texts } from './texts.ts';

export const bulkTexts = texts({
  en: {
    start: 'Select several',
    stop: 'End the selection',
    all: 'Select all that are listed',
    chosen: (count: string) => `${count} selected`,
    one: (name: string) => `Select ${name}`,
    of: (action: string, count: string) => `${action} (${count})`,
    progress: (done: string, all: string) => `${done} of ${all} …`,
    done: (count: string) => `Done for ${count}.`,
    failed: (failed: string, all: string, why: string) =>
      `Refused for ${failed} of ${all}, which stay selected: ${why}`,
    giveUp: 'Give up',
    giveUpHelp: 'They are not tried again by themselves; they can be delivered again by hand.',
    replayHelp: 'Each goes out once more, whatever became of it.',
  },
  es: {
    start: 'Seleccionar varios',
    stop: 'Terminar la selección',
    all: 'Seleccionar todo lo que se lista',
    chosen: (count: string) => `${count} en la selección`,
    one: (name: string) => `Seleccionar ${name}`,
    of: (action: string, count: string) => `${action} (${count})`,
    progress: (done: string, all: string) => `${done} de ${all}…`,
    done: (count: string) => `Hecho para ${count}.`,
    failed: (failed: string, all: string, why: string) =>
      `Rechazado para ${failed} de ${all}, que siguen en la selección: ${why}`,
    giveUp: 'Abandonar',
    giveUpHelp: 'No se intentan más por sí solas; se pueden entregar de nuevo a mano.',
    replayHelp: 'Cada una sale una vez más, pase lo que pase con ella.',
  },
  pt: {
    start: 'Selecionar vários',
    stop: 'Encerrar a seleção',
    all: 'Selecionar tudo o que está listado',
    chosen: (count: string) => `${count} na seleção`,
    one: (name: string) => `Selecionar ${name}`,
    of: (action: string, count: string) => `${action} (${count})`,
    progress: (done: string, all: string) => `${done} de ${all}…`,
    done: (count: string) => `Feito para ${count}.`,
    failed: (failed: string, all: string, why: string) =>
      `Recusado para ${failed} de ${all}, que continuam na seleção: ${why}`,
    giveUp: 'Desistir',
    giveUpHelp: 'Não são mais tentadas sozinhas; podem ser entregues de novo à mão.',
    replayHelp: 'Cada uma sai mais uma vez, seja qual for o seu estado.',
  },
});
