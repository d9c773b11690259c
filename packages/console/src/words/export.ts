import { texts } from './texts.ts';

export const exportTexts = texts({
  en: { label: 'Save what is listed', as: (format: string) => `Save what is listed as ${format}` },
  es: { label: 'Guardar lo que se lista', as: (format: string) => `Guardar lo que se lista como ${format}` },
  pt: { label: 'Salvar o que está listado', as: (format: string) => `Salvar o que está listado como ${format}` },
});
