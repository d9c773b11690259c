/** The port of `ponte receiver`, which a fresh development start allows as a webhook target. */
export const QUICK_START_RECEIVER_PORT = 8099;

/**
 * What the first start prints: calls that can be pasted as they stand into another terminal. They
 * make two virtual phones and a test line, link the line by its real QR, send through both APIs,
 * and have the phone answer.
 */
export function quickStart(baseUrl: string, testKey: string): string {
  return `export KEY=${testKey} PONTE=${baseUrl}
call() { curl -sS -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' "$@"; echo; }
call $PONTE/api/sandbox/v1/phones -d '{"phone":"15550001111","name":"You"}'
call $PONTE/api/sandbox/v1/phones -d '{"phone":"15550002222","name":"Alice"}'
call $PONTE/api/instances -d '{"customer_ref":"demo","webhook_url":"http://127.0.0.1:${QUICK_START_RECEIVER_PORT}/bridges"}'
call $PONTE/api/bridge/v1/webhooks -d '{"url":"http://127.0.0.1:${QUICK_START_RECEIVER_PORT}/lines","events":["*"]}'
call $PONTE/api/sandbox/v1/phones/15550001111/scan -d '{"customer_ref":"demo"}'
call $PONTE/api/instances/demo/proxy/send/text -d '{"chat":"15550002222","body":"Hello from the Bridges API"}'
LINE=$(call $PONTE/api/bridge/v1/lines | grep -oE 'line_[A-Za-z0-9]{20}' | head -1)
call $PONTE/api/bridge/v1/messages/send -d "{\\"line_id\\":\\"$LINE\\",\\"to\\":\\"+1 555 000 2222\\",\\"message\\":\\"Hello from the Lines API\\"}"
call $PONTE/api/sandbox/v1/phones/15550002222/inbox
call $PONTE/api/sandbox/v1/phones/15550002222/messages -d '{"to":"15550001111","type":"text","body":"Hi, I got both"}'`;
}
