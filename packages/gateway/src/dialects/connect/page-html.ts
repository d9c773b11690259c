/**
 * The hosted pairing page. Served by us alone: no request leaves it for another host. Its script
 * writes every text (`data-say`), in the visitor's language.
 */
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
<img id="logo" alt="" hidden>
<h1 data-say="title">Connect WhatsApp</h1>
<p id="asks" hidden></p>
<noscript><p>This page needs JavaScript.</p></noscript>
<ol id="steps"><li></li><li></li><li></li></ol>
<section id="waiting" hidden>
<p id="problem" role="alert" hidden></p>
<div id="by-qr" hidden>
<button type="button" id="show-qr" data-say="showQr"></button>
<div id="scan" hidden>
<ol>
<li data-say="openWhatsApp"></li>
<li data-say="goTo"></li>
<li data-say="pointAt"></li>
</ol>
<div id="frame"><img id="qr" alt="" width="296" height="296" hidden><p id="loading" role="status" data-say="loading"></p></div>
</div>
<p><button type="button" class="link" id="to-code" data-say="useCode"></button></p>
</div>
<div id="by-code" hidden>
<form id="ask">
<label for="phone" data-say="phone"></label>
<input id="phone" name="phone" type="tel" inputmode="tel" autocomplete="tel" placeholder="+34 600 000 000" required>
<button type="submit" id="get-code" data-say="getCode"></button>
</form>
<div id="typed" hidden>
<p data-say="typeIt"></p>
<p id="code" aria-live="polite"></p>
<p><button type="button" class="link" id="again" data-say="anotherNumber"></button></p>
</div>
<p><button type="button" class="link" id="to-qr" data-say="useQr"></button></p>
</div>
<p class="quiet" id="left"></p>
</section>
<section id="linking" hidden><p class="big" role="status" data-say="linking"></p></section>
<section id="connected" hidden><p class="big" role="status"><span class="mark" aria-hidden="true">✓</span> <span data-say="connected"></span></p><p id="who"></p><p class="quiet" id="after"></p></section>
<section id="taken" hidden><p class="big" role="status" data-say="taken"></p><p data-say="takenWhy"></p></section>
<section id="expired" hidden><p class="big" role="status" data-say="over"></p><p data-say="overWhy"></p></section>
<p id="offline" class="quiet" role="status" data-say="offline" hidden></p>
</main>
<script src="/connect/assets/texts.js"></script>
<script src="/connect/assets/page.js"></script>
</body>
</html>
`;

export const PAGE_CSS = `:root{color-scheme:light dark;--ink:#15201b;--quiet:#5b6a63;--paper:#f4f7f5;--card:#fff;--accent:#0a6b43;--bad:#b1241a;--line:#87938d;--brand:#0a6b43;--on-brand:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e8efeb;--quiet:#9fb0a7;--paper:#0e1512;--card:#17211c;--accent:#4cc38a;--bad:#ff978d;--line:#6f8279;--brand:#4cc38a;--on-brand:#06130d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:17px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{width:min(calc(100% - 2rem),26rem);padding:1.5rem 1.25rem;background:var(--card);border:1px solid var(--line);border-radius:16px;margin:1rem}
#logo{display:block;max-width:60%;max-height:64px;margin:0 0 1rem}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem}
ol{padding-left:1.3rem;margin:0 0 1rem}
#steps{display:flex;gap:.5rem;list-style:none;padding:0;font-size:.8rem;color:var(--quiet)}
#steps li{flex:1 1 0;border-top:3px solid var(--line);padding-top:.3rem;overflow-wrap:normal}
#steps li[aria-current],#steps li.done{border-color:var(--brand);color:var(--ink)}
#frame{display:grid;place-items:center;min-height:320px;background:#fff;border-radius:12px;color:#333}
#qr{width:min(100%,296px);height:auto;image-rendering:pixelated}
[hidden]{display:none!important}
label{display:block;margin-bottom:.35rem}
input{width:100%;font:inherit;padding:.7rem;border:1px solid var(--line);border-radius:10px;background:transparent;color:inherit}
button{font:inherit;padding:.7rem 1rem;border:0;border-radius:10px;background:var(--brand);color:var(--on-brand);margin-top:.75rem;width:100%;min-height:44px;cursor:pointer}
button.link{background:none;color:var(--accent);text-decoration:underline;padding:.5rem 0}
button:disabled{opacity:.6}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
#code{font:600 2rem/1.2 ui-monospace,monospace;letter-spacing:.12em;text-align:center;user-select:all}
.big{font-size:1.3rem;font-weight:600;margin:.5rem 0}
.mark{color:var(--accent)}
.quiet{color:var(--quiet);font-size:.9rem}
#problem{color:var(--bad)}
`;
