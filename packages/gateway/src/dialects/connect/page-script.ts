/**
 * Runs in the browser. Polls the state of the pairing until it is over; no QR is requested while a
 * code is typed, because a QR would end the code. The first QR or code binds the link to this
 * browser: until then a visit changes nothing.
 */
export const PAGE_JS = `'use strict';
(() => {
  const base = location.pathname.replace(/\\/+$/, '');
  const at = (id) => document.getElementById(id);
  const show = (id, on) => { at(id).hidden = !on; };
  const all = window.ponteTexts;
  let words = all.en;
  const speak = (locale) => {
    const wished = [locale, ...navigator.languages].map((one) => String(one || '').slice(0, 2).toLowerCase());
    const chosen = wished.find((one) => one in all) || 'en';
    words = all[chosen];
    document.documentElement.lang = chosen;
    document.title = words.title;
    for (const one of document.querySelectorAll('[data-say]')) one.textContent = words[one.dataset.say];
    at('qr').alt = words.qrAlt;
    [...at('steps').children].forEach((step, place) => { step.textContent = words.steps[place]; });
  };

  const visitor = (() => {
    const key = 'ponte.connect.' + base.split('/').pop();
    const made = [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    try {
      const kept = localStorage.getItem(key);
      if (kept) return kept;
      localStorage.setItem(key, made);
    } catch {
      // No storage here: a reload is another visitor.
    }
    return made;
  })();
  const headers = { 'x-connect-visitor': visitor };

  let mode = matchMedia('(pointer: coarse)').matches ? 'code' : 'qr';
  let wantsQr = false;
  let endsAt = 0;
  let timer;
  let styled = false;
  const sections = ['waiting', 'linking', 'connected', 'taken', 'expired'];
  const turnTo = (name) => sections.forEach((id) => show(id, id === name));
  const step = (place) => {
    [...at('steps').children].forEach((one, index) => {
      one.classList.toggle('done', index < place);
      if (index === place) one.setAttribute('aria-current', 'step');
      else one.removeAttribute('aria-current');
    });
  };
  const tellProblem = (text) => {
    show('problem', Boolean(text));
    at('problem').textContent = text || '';
  };
  const use = (next) => {
    mode = next;
    show('by-qr', next === 'qr');
    show('by-code', next === 'code');
    if (next === 'qr') { show('typed', false); show('ask', true); }
    else wantsQr = false;
  };
  const linear = (hex) => { const part = parseInt(hex, 16) / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; };
  const dress = (page) => {
    if (styled) return;
    styled = true;
    speak(page.locale);
    if (page.name) {
      at('asks').textContent = words.asks.replace('{name}', () => page.name);
      show('asks', true);
    }
    if (page.logo) { at('logo').src = page.logo; show('logo', true); }
    if (page.colour) {
      const light = 0.2126 * linear(page.colour.slice(1, 3)) + 0.7152 * linear(page.colour.slice(3, 5)) + 0.0722 * linear(page.colour.slice(5, 7));
      const root = document.documentElement.style;
      root.setProperty('--brand', page.colour);
      root.setProperty('--on-brand', light > 0.179 ? '#000' : '#fff');
    }
  };
  const finish = (answer) => {
    at('who').textContent = [answer.name, answer.phone].filter(Boolean).join(' · ');
    const page = answer.page;
    at('after').textContent = page.redirect_url ? words.goesOn : words.close;
    for (const origin of page.embed_origins || []) {
      if (parent !== window) parent.postMessage({ type: 'ponte.connected', line_id: answer.line_id }, origin);
    }
    if (page.redirect_url) setTimeout(() => location.assign(page.redirect_url), 1500);
  };
  const tell = (answer) => {
    dress(answer.page);
    turnTo(answer.state === 'unknown' ? 'expired' : answer.state);
    if (answer.state === 'waiting') {
      endsAt = Date.now() + answer.seconds_left * 1000;
      step(answer.qr !== null || !at('typed').hidden ? 1 : 0);
      if (answer.problem) tellProblem(words.problems[answer.problem]);
      if (mode === 'qr') {
        show('qr', answer.qr !== null);
        show('loading', answer.qr === null);
        if (answer.qr !== null) at('qr').src = 'data:image/svg+xml,' + encodeURIComponent(answer.qr);
      }
    }
    if (answer.state === 'linking') step(1);
    if (answer.state === 'connected') { step(3); finish(answer); }
    show('steps', !['expired', 'unknown', 'taken'].includes(answer.state));
    return answer.state === 'waiting' || answer.state === 'linking';
  };
  let asked = 0;
  const ask = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    let goesOn = true;
    let pauseMs = 2000;
    try {
      const response = await fetch(base + '/state?want=' + (wantsQr ? 'qr' : 'none'), {
        cache: 'no-store', headers, signal: AbortSignal.timeout(25000),
      });
      if (mine !== asked) return;
      if (response.status === 429) pauseMs = 10000;
      else if (!response.ok) throw new Error(String(response.status));
      else goesOn = tell(await response.json());
      show('offline', false);
    } catch {
      if (mine !== asked) return;
      show('offline', true);
      pauseMs = 5000;
    }
    if (goesOn) timer = setTimeout(ask, pauseMs);
  };
  setInterval(() => {
    if (at('waiting').hidden) return;
    const seconds = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
    const time = Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0');
    at('left').textContent = words.left.replace('{time}', time);
  }, 1000);
  const askForQr = () => {
    wantsQr = true;
    show('show-qr', false);
    show('scan', true);
    ask();
  };
  at('show-qr').addEventListener('click', askForQr);
  at('to-code').addEventListener('click', () => { use('code'); at('phone').focus(); });
  at('to-qr').addEventListener('click', () => { use('qr'); askForQr(); });
  at('again').addEventListener('click', () => { show('typed', false); show('ask', true); at('phone').focus(); });
  const refusal = async (response) => {
    if (response.status === 400) return words.wrongNumber;
    if (response.status === 403) { ask(); return ''; }
    return response.status === 429 ? words.tooMany : words.noCode;
  };
  at('ask').addEventListener('submit', async (event) => {
    event.preventDefault();
    tellProblem('');
    at('get-code').disabled = true;
    try {
      const response = await fetch(base + '/code', {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ phone: at('phone').value }),
        signal: AbortSignal.timeout(25000),
      });
      if (!response.ok) return tellProblem(await refusal(response));
      const { code } = await response.json();
      at('code').textContent = code.length === 8 ? code.slice(0, 4) + '-' + code.slice(4) : code;
      show('ask', false);
      show('typed', true);
      step(1);
    } catch {
      tellProblem(words.offline);
    } finally {
      at('get-code').disabled = false;
    }
  });
  speak();
  step(0);
  use(mode);
  turnTo('waiting');
  ask();
})();
`;
