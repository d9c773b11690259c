import { texts } from './texts.ts';

export const voiceTexts = texts({
  en: {
    play: (name: string) => `Play: ${name}`,
    pause: (name: string) => `Pause: ${name}`,
    place: 'Place in the recording',
    at: (now: string, all: string) => `${now} of ${all}`,
    speed: (times: string) => `Speed: ${times} times`,
  },
  es: {
    play: (name: string) => `Reproducir: ${name}`,
    pause: (name: string) => `Pausar: ${name}`,
    place: 'Posición en la grabación',
    at: (now: string, all: string) => `${now} de ${all}`,
    speed: (times: string) => `Velocidad: ${times} veces`,
  },
  pt: {
    play: (name: string) => `Reproduzir: ${name}`,
    pause: (name: string) => `Pausar: ${name}`,
    place: 'Posição na gravação',
    at: (now: string, all: string) => `${now} de ${all}`,
    speed: (times: string) => `Velocidade: ${times} vezes`,
  },
});
