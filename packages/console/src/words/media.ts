import { texts } from './texts.ts';

export const mediaTexts = texts({
  en: {
    image: 'Picture',
    video: 'Video',
    audio: 'Sound',
    document: 'Document',
    sticker: 'Sticker',
    download: (name: string) => `Download ${name}`,
    gone: 'The file cannot be shown: WhatsApp may not have it any more.',
    kinds: { poll: 'Poll', event: 'Invitation', location: 'Place', contact: 'Contact' } as Record<string, string>,
  },
  es: {
    image: 'Imagen',
    video: 'Vídeo',
    audio: 'Audio',
    document: 'Documento',
    sticker: 'Sticker',
    download: (name: string) => `Descargar ${name}`,
    gone: 'El archivo no se puede mostrar: quizá WhatsApp ya no lo tiene.',
    kinds: { poll: 'Encuesta', event: 'Invitación', location: 'Ubicación', contact: 'Contacto' },
  },
  pt: {
    image: 'Imagem',
    video: 'Vídeo',
    audio: 'Áudio',
    document: 'Documento',
    sticker: 'Figurinha',
    download: (name: string) => `Baixar ${name}`,
    gone: 'O arquivo não pode ser mostrado: talvez o WhatsApp não o tenha mais.',
    kinds: { poll: 'Enquete', event: 'Convite', location: 'Localização', contact: 'Contato' },
  },
});
