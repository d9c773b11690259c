import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One e-mail as it came. */
export interface ReceivedMail {
  from: string;
  to: string;
  /** Head and body, as they were sent. */
  data: string;
}

export interface MailServer {
  port: number;
  mails: ReceivedMail[];
  /** Refuses every e-mail with this code until told otherwise. */
  refuse(code: number | undefined): void;
  /** Resolves once there are so many. */
  until(count: number): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

/** A small SMTP server that keeps what it is given. */
export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let refusal: number | undefined;
  let waiting: (() => void)[] = [];
  const tell = () => {
    for (const wake of waiting.splice(0)) wake();
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let mail: ReceivedMail = { from: '', to: '', data: '' };
    let isData = false;
    let rest = '';
    const take = (line: string): void => {
      if (isData) {
        if (line !== '.') {
          mail.data += `${line}\n`;
          return;
        }
        isData = false;
        mails.push(mail);
        say('250 taken');
        tell();
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'MAIL') {
        mail = { from: line, to: '', data: '' };
        say(refusal === undefined ? '250 ok' : `${refusal} not now`);
        return;
      }
      if (verb === 'RCPT') mail.to = line;
      if (verb === 'DATA') isData = true;
      say(isData ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok');
    };
    say('220 test');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    refuse(code) {
      refusal = code;
    },
    async until(count) {
      while (mails.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return mails;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      waiting = [];
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
