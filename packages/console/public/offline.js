// Says it in the language and theme of the console, and goes on as soon as the server answers.
const WORDS = {
  es: {
    title: 'Ponte no responde',
    what: 'El servidor se está iniciando, está parado o no se puede alcanzar desde aquí. Los mensajes aceptados se conservan.',
    try: 'Esta página lo vuelve a intentar por sí misma.',
    now: 'Intentar ahora',
  },
  pt: {
    title: 'O Ponte não responde',
    what: 'O servidor está iniciando, está parado ou não pode ser alcançado daqui. As mensagens aceitas são mantidas.',
    try: 'Esta página tenta de novo sozinha.',
    now: 'Tentar agora',
  },
};
const kept = (name) => {
  try {
    return localStorage.getItem(`ponte.${name}`);
  } catch {
    return null;
  }
};
const theme = kept('theme') ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
document.documentElement.dataset.theme = theme;
const locale = kept('locale') ?? navigator.language.slice(0, 2);
if (locale in WORDS) {
  document.documentElement.lang = locale;
  for (const [id, text] of Object.entries(WORDS[locale])) document.getElementById(id).textContent = text;
}

const AGAIN_MS = 3_000;
const ANSWER_WITHIN_MS = 5_000;
async function look() {
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (answer.ok) return location.reload();
  } catch {
    // Still no answer.
  }
  setTimeout(look, AGAIN_MS + Math.random() * AGAIN_MS);
}
document.getElementById('now').addEventListener('click', () => location.reload());
look();
