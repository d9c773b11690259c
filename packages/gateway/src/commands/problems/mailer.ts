import { isIP } from 'node:net';

/** How e-mails leave; the operator's own server, so no guard stands before it. */
export interface MailSettings {
  host: string;
  port: number;
  /** `starttls` refuses to go on without it. */
  security: 'tls' | 'starttls' | 'plain';
  user: string | undefined;
  password: string | undefined;
  from: string;
}

export interface Mail {
  /** The same for every attempt, so that mail systems can tell repeats. */
  id: string;
  to: string;
  subject: string;
  text: string;
}

/** Hands one e-mail to the server; rejects when it did not take it. */
export type SendMail = (mail: Mail) => Promise<void>;

const WITHIN_MS = 10_000;
const SILENCE_MS = 20_000;

/** Opens a connection for each e-mail; the library is loaded with the first. */
export function createMailer(settings: MailSettings): SendMail {
  const { host, port, security, user, password, from } = settings;
  const domain = from.split('@').at(-1)?.replace(/[>\s]/g, '') ?? 'localhost';
  return async ({ id, to, subject, text }) => {
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'plain',
      tls: isIP(host) === 0 ? { servername: host } : {},
      ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
      connectionTimeout: WITHIN_MS,
      greetingTimeout: WITHIN_MS,
      dnsTimeout: WITHIN_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      const headers = { 'auto-submitted': 'auto-generated' };
      await transport.sendMail({ from, to, subject, text, headers, messageId: `<${id}@${domain}>` });
    } finally {
      transport.close();
    }
  };
}
