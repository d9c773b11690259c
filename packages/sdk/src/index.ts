export type { Followed, FollowOptions } from './event-stream.ts';
export type { components, operations } from './generated/api.ts';
export type { AnswerOf, OperationName, RequestOf } from './operations.ts';
export { Ponte, type SendOptions, type Upload } from './ponte.ts';
export { PonteError } from './ponte-error.ts';
export type { TransportOptions as PonteOptions } from './transport.ts';
export {
  type BridgesEvent,
  type LinesEvent,
  type VerifyOptions,
  verifyWebhook,
  WebhookError,
  type WebhookHeaders,
} from './webhooks.ts';
