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
    remedy: 'Nothing to do: it is opened again by itself.',
  },
  server_unavailable: {
    means: 'WhatsApp’s servers refuse connections at the moment.',
    remedy: 'Nothing to do: it is tried again by itself.',
  },
  replaced: {
    means: 'Another program logged in with the same linked device.',
    remedy: 'It is tried once more in a minute. Stop the other program, often a copy made from a backup.',
  },
  conflict: {
    means: 'Another program keeps taking this linked device over, so it is left to it.',
    remedy: 'Stop the other program, then restart the line. If there is none, log out and pair anew.',
  },
  logged_out: {
    means: 'The linked device was removed on the phone, or by WhatsApp.',
    remedy: 'Pair the line anew.',
  },
  temporarily_banned: {
    means: 'WhatsApp has banned the number for a time.',
    remedy: 'Wait for the end of the ban: the line connects again by itself.',
  },
  banned: {
    means: 'WhatsApp has locked or banned the account of this number.',
    remedy: 'Open WhatsApp on the phone: it says why, and offers a review. Then restart the line.',
  },
  client_outdated: {
    means: 'WhatsApp takes a newer version of its client only.',
    remedy:
      'A newer version is looked for by itself. If this stays, ask whoever runs the server to set it (ponte whatsapp-version).',
  },
  untrusted_server: {
    means: 'What answered could not prove that it is WhatsApp; nothing was sent to it.',
    remedy: 'Look for a proxy or firewall that opens encrypted connections, then restart the line.',
  },
  store_failed: {
    means: 'The database takes nothing, so nothing is taken from WhatsApp either.',
    remedy: 'Free disk space or mend the database: the line goes on by itself.',
  },
  credentials_unreadable: {
    means: 'The stored credentials cannot be read: they are damaged, or encrypted with another key.',
    remedy:
      'Restore the database with its master key and restart. If there is no backup, log the line out and pair anew.',
  },
  worker_restarting: {
    means: 'Its worker process has ended and is started again. Nothing is lost.',
    remedy: 'Nothing to do.',
  },
  worker_failed: {
    means: 'Its worker process does not start.',
    remedy: 'It is tried again every few minutes; the server’s log says what is wrong.',
  },
  restricted: {
    means: 'WhatsApp has restricted the account: it may not write to people who never wrote to it.',
    remedy: 'Wait for the end. Answering people who write is possible; every try at others makes it worse.',
  },
  pairing_expired: {
    means: 'Nobody scanned the QR, or typed the code, in time.',
    remedy: 'Ask for a new one, and have the phone at hand.',
  },
  pairing_failed: {
    means: 'WhatsApp or the phone refused the pairing.',
    remedy: 'Ask for a new QR or code.',
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
