import { texts } from './texts.ts';

interface Refusal {
  sees: string;
  does: string;
}

/** What the phone may say while linking, and what to do then. */
export const pairingHelpTexts = texts<{ title: string; refusals: Refusal[] }>({
  en: {
    title: 'If the phone says something else',
    refusals: [
      {
        sees: '“Couldn’t link device”',
        does: 'WhatsApp refused: nearly always because the announced version is too old (Settings, WhatsApp Web version), else after too many tries. Have it refreshed, ask for a new code, and wait an hour if it stays.',
      },
      { sees: 'Too many linked devices', does: 'The account has four already: remove one under Linked devices.' },
      {
        sees: 'It asks for a passkey',
        does: 'A passkey cannot be given here: remove it in WhatsApp’s settings (Account, Passkeys), then pair again.',
      },
      {
        sees: 'Wrong code',
        does: 'Mistyped, run out, replaced by a newer one, or made for another number: ask for a new one.',
      },
      { sees: 'It stays at “Logging in…”', does: 'Check the phone’s connection; after a minute begin anew.' },
    ],
  },
  es: {
    title: 'Si el teléfono dice otra cosa',
    refusals: [
      {
        sees: '«No se pudo vincular el dispositivo»',
        does: 'WhatsApp lo rechazó: casi siempre porque la versión anunciada es demasiado vieja (Ajustes, Versión de WhatsApp Web), si no, tras demasiados intentos. Haz que se actualice, pide un código nuevo y, si sigue, espera una hora.',
      },
      {
        sees: 'Demasiados dispositivos vinculados',
        does: 'La cuenta ya tiene cuatro: quita uno en Dispositivos vinculados.',
      },
      {
        sees: 'Pide una llave de acceso',
        does: 'Aquí no se puede dar: quítala en los ajustes de WhatsApp (Cuenta, Llaves de acceso) y vincula de nuevo.',
      },
      {
        sees: 'Código incorrecto',
        does: 'Mal escrito, caducado, sustituido por otro o hecho para otro número: pide uno nuevo.',
      },
      {
        sees: 'Se queda en «Iniciando sesión…»',
        does: 'Revisa la conexión del teléfono; tras un minuto empieza de nuevo.',
      },
    ],
  },
  pt: {
    title: 'Se o telefone disser outra coisa',
    refusals: [
      {
        sees: '“Não foi possível conectar o aparelho”',
        does: 'O WhatsApp recusou: quase sempre porque a versão anunciada é velha demais (Configurações, Versão do WhatsApp Web), senão após tentativas demais. Peça que a atualizem, peça um código novo e, se continuar, espere uma hora.',
      },
      { sees: 'Aparelhos conectados demais', does: 'A conta já tem quatro: remova um em Aparelhos conectados.' },
      {
        sees: 'Pede uma chave de acesso',
        does: 'Aqui ela não pode ser dada: remova-a nas configurações do WhatsApp (Conta, Chaves de acesso) e conecte de novo.',
      },
      {
        sees: 'Código errado',
        does: 'Digitado errado, vencido, trocado por um mais novo ou feito para outro número: peça um novo.',
      },
      { sees: 'Fica em “Entrando…”', does: 'Verifique a conexão do telefone; após um minuto comece de novo.' },
    ],
  },
});
