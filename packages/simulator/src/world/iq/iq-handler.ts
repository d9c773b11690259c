import type { Node } from '@ponte/engine';
import type { Sender, Tenant } from '../tenant.ts';

export interface IqRequest {
  tenant: Tenant;
  from: Sender;
  iq: Node;
  /** The first child of the `<iq>`; an empty element when it has none. */
  child: Node;
}

export interface IqAnswer {
  content?: Node[];
  /** Who answers; the server itself when absent. */
  from?: string;
  /** Runs after the answer was sent. */
  afterwards?: () => unknown;
}

/**
 * One kind of query. The table of these is all the server can be asked; everything else is answered
 * 501.
 */
export interface IqHandler {
  xmlns: string;
  type: 'get' | 'set';
  /** Tag of the first child; empty for an `<iq>` without children. */
  child: string;
  answer(request: IqRequest): IqAnswer | Promise<IqAnswer>;
}

/**
 * The query is refused: becomes `<iq type="error"><error code text/></iq>`. Codes are HTTP-like, as
 * WhatsApp's are.
 */
export class IqRefusal extends Error {
  override readonly name = 'IqRefusal';
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

export const badRequest = (): IqRefusal => new IqRefusal(400, 'bad-request');
export const notFound = (): IqRefusal => new IqRefusal(404, 'item-not-found');
