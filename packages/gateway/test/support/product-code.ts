/** Path of a module of the gateway, named like `app` or `worker-main`. */
export const gatewayModule = (name: string): string => new URL(`../../src/${name}.ts`, import.meta.url).pathname;

/** What `npm start` starts. */
export const gatewayEntry: string = new URL('../../main.js', import.meta.url).pathname;
