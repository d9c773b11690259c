import { texts } from './texts.ts';

/** What is the case, and what to do about it. */
export interface ReasonText {
  means: string;
  remedy: string;
}

type Reasons = Record<string, ReasonText>;

const en: Reasons = {
  connection_lost: {
    means: 'The connection to WhatsApp was lost.',
    remedy: 'Nothing to do: the line reconnects automatically.',
  },
  server_unavailable: {
    means: 'WhatsApp’s servers are refusing connections at the moment.',
    remedy: 'Nothing to do: the line reconnects automatically.',
  },
  replaced: {
    means: 'Another program logged in with the same linked device.',
    remedy: 'The line tries once more in a minute. Stop the other program, often a copy made from a backup.',
  },
  conflict: {
    means: 'Another program keeps taking over this linked device, so this line has stopped trying.',
    remedy: 'Stop the other program, then restart the line. If there is none, log out and pair again.',
  },
  logged_out: {
    means: 'The linked device was removed on the phone, or by WhatsApp.',
    remedy: 'Pair the line again.',
  },
  temporarily_banned: {
    means: 'WhatsApp has banned the number temporarily.',
    remedy: 'Wait for the end of the ban; the line then reconnects automatically.',
  },
  banned: {
    means: 'WhatsApp has locked or banned the account of this number.',
    remedy: 'Open WhatsApp on the phone: it shows the reason and offers a review. Then restart the line.',
  },
  client_outdated: {
    means: 'WhatsApp accepts only a newer version of its client.',
    remedy:
      'Ponte looks for a newer version automatically. If this stays, ask the operator of the server to set one (ponte whatsapp-version).',
  },
  untrusted_server: {
    means: 'The server that answered could not prove that it is WhatsApp; nothing was sent to it.',
    remedy: 'Look for a proxy or firewall that intercepts encrypted connections, then restart the line.',
  },
  store_failed: {
    means: 'The database accepts no writes, so no messages are accepted from WhatsApp either.',
    remedy: 'Free disk space or repair the database; the line then continues automatically.',
  },
  credentials_unreadable: {
    means: 'The stored credentials cannot be read: they are damaged, or encrypted with another key.',
    remedy:
      'Restore the database with its master key and restart. If there is no backup, log the line out and pair again.',
  },
  worker_restarting: {
    means: 'Its worker process has ended and is being restarted. Nothing is lost.',
    remedy: 'Nothing to do.',
  },
  worker_failed: {
    means: 'Its worker process does not start.',
    remedy: 'The start is retried every few minutes; the server log shows the cause.',
  },
  restricted: {
    means: 'WhatsApp has restricted the account: it may not write to people who never wrote to it.',
    remedy:
      'Wait until the restriction ends. Answering people who write is possible; every attempt to write to others prolongs it.',
  },
  pairing_expired: {
    means: 'The QR code was not scanned, or the pairing code not entered, in time.',
    remedy: 'Request a new one and have the phone at hand.',
  },
  pairing_failed: {
    means: 'WhatsApp or the phone refused the pairing.',
    remedy: 'Request a new QR code or pairing code.',
  },
  passkey_required: {
    means: 'WhatsApp wants this account to confirm the pairing with a passkey, which cannot be given here.',
    remedy: 'Remove the passkey in WhatsApp’s settings on the phone (Account, Passkeys), then pair again.',
  },
};

const es: Reasons = {
  connection_lost: {
    means: 'Se perdió la conexión con WhatsApp.',
    remedy: 'No hay que hacer nada: se abre de nuevo por sí sola.',
  },
  server_unavailable: {
    means: 'Los servidores de WhatsApp rechazan conexiones por ahora.',
    remedy: 'No hay que hacer nada: se intenta de nuevo por sí solo.',
  },
  replaced: {
    means: 'Otro programa entró con el mismo dispositivo vinculado.',
    remedy:
      'Se intenta una vez más en un minuto. Detén el otro programa, a menudo una copia de una copia de seguridad.',
  },
  conflict: {
    means: 'Otro programa toma una y otra vez este dispositivo vinculado, así que se le deja.',
    remedy: 'Detén el otro programa y reinicia la línea. Si no hay ninguno, cierra la sesión y vincula de nuevo.',
  },
  logged_out: {
    means: 'El dispositivo vinculado fue quitado en el teléfono, o por WhatsApp.',
    remedy: 'Vincula la línea de nuevo.',
  },
  temporarily_banned: {
    means: 'WhatsApp ha bloqueado el número por un tiempo.',
    remedy: 'Espera a que acabe: la línea se conecta de nuevo por sí sola.',
  },
  banned: {
    means: 'WhatsApp ha bloqueado la cuenta de este número.',
    remedy: 'Abre WhatsApp en el teléfono: dice por qué y ofrece una revisión. Después reinicia la línea.',
  },
  client_outdated: {
    means: 'WhatsApp solo acepta una versión más nueva de su cliente.',
    remedy:
      'Se busca una versión nueva por sí solo. Si sigue así, pide a quien lleva el servidor que la ponga (ponte whatsapp-version).',
  },
  untrusted_server: {
    means: 'Lo que respondió no pudo demostrar que es WhatsApp; no se le envió nada.',
    remedy: 'Busca un proxy o cortafuegos que abra conexiones cifradas y reinicia la línea.',
  },
  store_failed: {
    means: 'La base de datos no acepta nada, así que tampoco se toma nada de WhatsApp.',
    remedy: 'Libera espacio o arregla la base de datos: la línea sigue por sí sola.',
  },
  credentials_unreadable: {
    means: 'Las credenciales guardadas no se pueden leer: están dañadas o cifradas con otra clave.',
    remedy:
      'Restaura la base de datos con su clave maestra y reinicia. Sin copia de seguridad, cierra la sesión y vincula de nuevo.',
  },
  worker_restarting: {
    means: 'Su proceso ha terminado y se inicia de nuevo. No se pierde nada.',
    remedy: 'No hay que hacer nada.',
  },
  worker_failed: {
    means: 'Su proceso no arranca.',
    remedy: 'Se intenta cada pocos minutos; el registro del servidor dice qué pasa.',
  },
  restricted: {
    means: 'WhatsApp ha restringido la cuenta: no puede escribir a quien nunca le escribió.',
    remedy: 'Espera a que acabe. Se puede responder a quien escribe; cada intento con otros lo empeora.',
  },
  pairing_expired: {
    means: 'Nadie escaneó el QR ni escribió el código a tiempo.',
    remedy: 'Pide uno nuevo y ten el teléfono a mano.',
  },
  pairing_failed: {
    means: 'WhatsApp o el teléfono rechazaron la vinculación.',
    remedy: 'Pide un QR o un código nuevo.',
  },
  passkey_required: {
    means: 'WhatsApp quiere que esta cuenta confirme con una llave de acceso, que aquí no se puede dar.',
    remedy: 'Quita la llave en los ajustes de WhatsApp del teléfono (Cuenta, Llaves de acceso) y vincula de nuevo.',
  },
};

const pt: Reasons = {
  connection_lost: {
    means: 'A conexão com o WhatsApp caiu.',
    remedy: 'Nada a fazer: ela é aberta de novo sozinha.',
  },
  server_unavailable: {
    means: 'Os servidores do WhatsApp recusam conexões no momento.',
    remedy: 'Nada a fazer: tenta-se de novo sozinho.',
  },
  replaced: {
    means: 'Outro programa entrou com o mesmo aparelho conectado.',
    remedy: 'Tenta-se mais uma vez em um minuto. Pare o outro programa, muitas vezes uma cópia de um backup.',
  },
  conflict: {
    means: 'Outro programa toma este aparelho conectado repetidamente, então fica com ele.',
    remedy: 'Pare o outro programa e reinicie a linha. Se não houver nenhum, saia e conecte de novo.',
  },
  logged_out: {
    means: 'O aparelho conectado foi removido no telefone, ou pelo WhatsApp.',
    remedy: 'Conecte a linha de novo.',
  },
  temporarily_banned: {
    means: 'O WhatsApp baniu o número por um tempo.',
    remedy: 'Espere acabar: a linha se conecta de novo sozinha.',
  },
  banned: {
    means: 'O WhatsApp bloqueou ou baniu a conta deste número.',
    remedy: 'Abra o WhatsApp no telefone: ele diz por quê e oferece uma revisão. Depois reinicie a linha.',
  },
  client_outdated: {
    means: 'O WhatsApp só aceita uma versão mais nova do seu cliente.',
    remedy:
      'Uma versão nova é procurada sozinha. Se continuar, peça a quem cuida do servidor que a defina (ponte whatsapp-version).',
  },
  untrusted_server: {
    means: 'O que respondeu não pôde provar que é o WhatsApp; nada foi enviado a ele.',
    remedy: 'Procure um proxy ou firewall que abra conexões cifradas e reinicie a linha.',
  },
  store_failed: {
    means: 'O banco de dados não aceita nada, então nada é recebido do WhatsApp.',
    remedy: 'Libere espaço ou conserte o banco de dados: a linha continua sozinha.',
  },
  credentials_unreadable: {
    means: 'As credenciais guardadas não podem ser lidas: estão danificadas ou cifradas com outra chave.',
    remedy: 'Restaure o banco de dados com sua chave mestra e reinicie. Sem backup, saia e conecte de novo.',
  },
  worker_restarting: {
    means: 'O processo dela terminou e é iniciado de novo. Nada se perde.',
    remedy: 'Nada a fazer.',
  },
  worker_failed: {
    means: 'O processo dela não inicia.',
    remedy: 'Tenta-se a cada poucos minutos; o log do servidor diz o que há.',
  },
  restricted: {
    means: 'O WhatsApp restringiu a conta: ela não pode escrever a quem nunca lhe escreveu.',
    remedy: 'Espere acabar. Pode-se responder a quem escreve; cada tentativa com outros piora a situação.',
  },
  pairing_expired: {
    means: 'Ninguém escaneou o QR nem digitou o código a tempo.',
    remedy: 'Peça um novo e tenha o telefone à mão.',
  },
  pairing_failed: {
    means: 'O WhatsApp ou o telefone recusou a conexão.',
    remedy: 'Peça um QR ou código novo.',
  },
  passkey_required: {
    means: 'O WhatsApp quer que esta conta confirme com uma chave de acesso, que aqui não pode ser dada.',
    remedy: 'Remova a chave nas configurações do WhatsApp no telefone (Conta, Chaves de acesso) e conecte de novo.',
  },
};

/** Why a line stands as it does, by `status_reason`. */
export const reasonTexts = texts({
  en: { until: (when: string) => `Until ${when}.`, of: en },
  es: { until: (when: string) => `Hasta ${when}.`, of: es },
  pt: { until: (when: string) => `Até ${when}.`, of: pt },
});
