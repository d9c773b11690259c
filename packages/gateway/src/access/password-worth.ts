import { invalid } from '../core/app-error.ts';

/**
 * The commonest passwords of ten characters and more, as published lists of leaked ones have them;
 * shorter ones are refused by their length. Compared in lower case, without digits and marks at the
 * end.
 */
const COMMON = new Set(
  `password passwordpassword passw0rd p@ssword p@ssw0rd mypassword newpassword password1234 adminadmin administrator
welcome welcome1 letmein letmeinnow iloveyou iloveyouu qwertyuiop qwertyuiopasdf qwerty qwertyqwerty asdfghjkl asdfghjklz
zxcvbnm zxcvbnmzxcvbnm 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc qazwsxedc qazwsxedcrfv q1w2e3r4t5 monkeymonkey dragondragon
football baseball basketball superman spiderman batman princess sunshine michelle jennifer charlie trustno1 changeme
changemenow changeit default defaultpassword secret secretsecret supersecret whatsapp whatsappponte ponteponte ponte
computer internet starwars liverpool manchester barcelona realmadrid alejandro contraseña contrasena tequieromucho teamo
senhasenha senha123 minhasenha brasil correcthorsebatterystaple correct horse battery staple`.split(/\s+/),
);
/** Rows of keys and alphabets, forwards and backwards. */
const RUNS = ['01234567890123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop'];
const MIN_DIFFERENT = 5;

const letters = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}@]+/gu, '');
const core = (text: string): string => letters(text).replace(/\d+$/, '');
const backwards = (text: string): string => [...text].reverse().join('');

/**
 * Refuses a new password that is as good as none: one that is only spaces or a few characters, a
 * row of keys, one of the commonest, or the person's own name or address. Those that are there keep
 * working.
 */
export function requireWorth(field: string, password: string, of: { email?: string; name?: string } = {}): void {
  const refuse = (why: string): never => {
    throw invalid(field, `This password ${why}. Use three or four words that do not belong together.`);
  };
  const plain = letters(password);
  if (new Set(plain).size < MIN_DIFFERENT) refuse('has too few different characters');
  if (RUNS.some((run) => run.includes(plain) || backwards(run).includes(plain))) refuse('is a row of keys');
  const isCommon = [plain, core(password)].some(
    (text) =>
      COMMON.has(text) ||
      (COMMON.has(text.slice(0, text.length / 2)) && text.slice(0, text.length / 2) === text.slice(text.length / 2)),
  );
  if (isCommon) refuse('is among the first that attackers try');
  const own = [of.email, of.email?.split('@', 1)[0], of.name].flatMap((text) => (text ? [letters(text)] : []));
  if (own.some((text) => text.length > 3 && core(password) === text.replace(/\d+$/, '')))
    refuse('is your own name or address');
}
