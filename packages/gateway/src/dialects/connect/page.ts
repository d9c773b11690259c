/** The hosted pairing page. Served by us alone: no request leaves it for another host. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<title>Connect WhatsApp</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/connect/assets/page.css">
</head>
<body>
<main>
<h1>Connect WhatsApp</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<section id="waiting" hidden>
<div id="by-qr">
<ol>
<li>Open WhatsApp on the phone.</li>
<li>Go to <b>Settings → Linked devices → Link a device</b>.</li>
<li>Point the camera at this code.</li>
</ol>
<div id="frame"><img id="qr" alt="QR code to scan with WhatsApp" width="296" height="296" hidden><p id="loading" role="status">Getting a code…</p></div>
<p><button type="button" class="link" id="to-code">You are on that phone? Use a code instead</button></p>
</div>
<div id="by-code" hidden>
<form id="ask">
<label for="phone">Phone number of this WhatsApp, with country code</label>
<input id="phone" name="phone" type="tel" inputmode="tel" autocomplete="tel" placeholder="+34 600 000 000" required>
<button type="submit" id="get-code">Get a code</button>
<p id="problem" role="alert" hidden></p>
</form>
<div id="typed" hidden>
<p>On the phone: <b>Settings → Linked devices → Link a device → Link with phone number</b>, then type:</p>
<p id="code" aria-live="polite"></p>
</div>
<p><button type="button" class="link" id="to-qr">Use the QR code instead</button></p>
</div>
<p class="quiet">This page works for <span id="left"></span> more.</p>
</section>
<section id="linking" hidden><p class="big" role="status">Linked. Connecting…</p></section>
<section id="connected" hidden><p class="big" role="status"><span class="mark">✓</span> Connected</p><p id="who"></p><p class="quiet">You can close this page.</p></section>
<section id="expired" hidden><p class="big" role="status">This link is over</p><p>It worked for 15 minutes and for one phone. Ask for a new one.</p></section>
<p id="offline" class="quiet" role="status" hidden>No connection. Trying again…</p>
</main>
<script src="/connect/assets/page.js"></script>
</body>
</html>
`;

export const PAGE_CSS = `:root{color-scheme:light dark;--ink:#15201b;--quiet:#5b6a63;--paper:#f4f7f5;--card:#fff;--accent:#0b7a4b;--line:#d6dfda}
@media (prefers-color-scheme:dark){:root{--ink:#e8efeb;--quiet:#9fb0a7;--paper:#0e1512;--card:#17211c;--accent:#4cc38a;--line:#2b3a33}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{width:min(100%,26rem);padding:1.5rem 1.25rem;background:var(--card);border:1px solid var(--line);border-radius:16px;margin:1rem}
h1{font-size:1.4rem;margin:0 0 .75rem}
ol{padding-left:1.3rem;margin:0 0 1rem}
#frame{display:grid;place-items:center;min-height:320px;background:#fff;border-radius:12px;color:#333}
#qr{width:min(100%,296px);height:auto;image-rendering:pixelated}
[hidden]{display:none!important}
label{display:block;margin-bottom:.35rem}
input{width:100%;font:inherit;padding:.7rem;border:1px solid var(--line);border-radius:10px;background:transparent;color:inherit}
button{font:inherit;padding:.7rem 1rem;border:0;border-radius:10px;background:var(--accent);color:#fff;margin-top:.75rem;width:100%;min-height:44px;cursor:pointer}
@media (prefers-color-scheme:dark){button{color:#06130d}}
button.link{background:none;color:var(--accent);text-decoration:underline;padding:.5rem 0}
button:disabled{opacity:.6}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
#code{font:600 2rem/1.2 ui-monospace,monospace;letter-spacing:.12em;text-align:center;user-select:all}
.big{font-size:1.3rem;font-weight:600;margin:.5rem 0}
.mark{color:var(--accent)}
.quiet{color:var(--quiet);font-size:.9rem}
#problem{color:#c02626}
`;

/**
 * Runs in the browser. Asks where the pairing stands until it is over; no QR is asked for while a
 * code is typed, which a QR would end.
 */
export const PAGE_JS = `'use strict';
(() => {
  const base = location.pathname.replace(/\\/+$/, '');
  const at = (id) => document.getElementById(id);
  const show = (id, on) => { at(id).hidden = !on; };
  let mode = 'qr';
  let endsAt = 0;
  let timer;
  const sections = ['waiting', 'linking', 'connected', 'expired'];
  const turnTo = (name) => sections.forEach((id) => show(id, id === name));
  const use = (next) => {
    mode = next;
    show('by-qr', next === 'qr');
    show('by-code', next === 'code');
    if (next === 'code') at('phone').focus();
    else { show('typed', false); show('ask', true); ask(); }
  };
  const tell = (answer) => {
    turnTo(answer.state === 'unknown' ? 'expired' : answer.state);
    if (answer.state === 'waiting') {
      endsAt = Date.now() + answer.seconds_left * 1000;
      if (mode === 'qr') {
        show('qr', answer.qr !== null);
        show('loading', answer.qr === null);
        if (answer.qr !== null) at('qr').src = 'data:image/svg+xml,' + encodeURIComponent(answer.qr);
      }
    }
    if (answer.state === 'connected') {
      at('who').textContent = [answer.name, answer.phone].filter(Boolean).join(' · ');
    }
    return answer.state === 'waiting' || answer.state === 'linking';
  };
  let asked = 0;
  const ask = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    let goesOn = true;
    let pauseMs = 2000;
    try {
      const response = await fetch(base + '/state?want=' + (mode === 'qr' ? 'qr' : 'none'), {
        cache: 'no-store', signal: AbortSignal.timeout(25000),
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
    at('left').textContent = Math.floor(seconds / 60) + ':' + String(seconds % 60).padStart(2, '0');
  }, 1000);
  at('to-code').addEventListener('click', () => use('code'));
  at('to-qr').addEventListener('click', () => use('qr'));
  at('ask').addEventListener('submit', async (event) => {
    event.preventDefault();
    show('problem', false);
    at('get-code').disabled = true;
    try {
      const response = await fetch(base + '/code', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ phone: at('phone').value }),
        signal: AbortSignal.timeout(25000),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.message);
      at('code').textContent = answer.code.length === 8 ? answer.code.slice(0, 4) + '-' + answer.code.slice(4) : answer.code;
      show('ask', false);
      show('typed', true);
    } catch (error) {
      at('problem').textContent = error.message || 'There is no code right now. Try again.';
      show('problem', true);
    } finally {
      at('get-code').disabled = false;
    }
  });
  turnTo('waiting');
  ask();
})();
`;
