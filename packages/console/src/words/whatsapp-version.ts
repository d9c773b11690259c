import { texts } from './texts.ts';

export const versionTexts = texts({
  en: {
    title: 'WhatsApp Web version',
    lead: 'What live lines say they are. WhatsApp refuses versions older than about three months; a newer one is looked for every day. By hand: ponte whatsapp-version.',
    version: 'Version',
    source: 'Source',
    sources: {
      operator: 'set by hand',
      environment: 'WHATSAPP_VERSION',
      whatsapp: 'WhatsApp’s own page',
      built_in: 'built in',
    },
    fetched: 'Page read',
    expires: 'Taken until',
    unknown: 'not told',
    problem: 'Last try',
  },
  es: {
    title: 'Versión de WhatsApp Web',
    lead: 'Lo que las líneas reales dicen ser. WhatsApp rechaza versiones de más de unos tres meses; cada día se busca una nueva. A mano: ponte whatsapp-version.',
    version: 'Versión',
    source: 'Origen',
    sources: {
      operator: 'puesta a mano',
      environment: 'WHATSAPP_VERSION',
      whatsapp: 'la página de WhatsApp',
      built_in: 'incluida',
    },
    fetched: 'Página leída',
    expires: 'Aceptada hasta',
    unknown: 'no dicho',
    problem: 'Último intento',
  },
  pt: {
    title: 'Versão do WhatsApp Web',
    lead: 'O que as linhas reais dizem ser. O WhatsApp recusa versões com mais de uns três meses; todo dia se procura uma nova. À mão: ponte whatsapp-version.',
    version: 'Versão',
    source: 'Origem',
    sources: {
      operator: 'definida à mão',
      environment: 'WHATSAPP_VERSION',
      whatsapp: 'a página do WhatsApp',
      built_in: 'incluída',
    },
    fetched: 'Página lida',
    expires: 'Aceita até',
    unknown: 'não informado',
    problem: 'Última tentativa',
  },
});
