/**
 * Node's response with the time at which its request came, and somebody who hears once when it is answered. That is
 * looked at where the answer ends, in code that Node calls anyway: a listener a request would cost more than the rest.
 */
import { NodeHttpServerRequest } from "@effect/platform-node"
import type { HttpServerRequest } from "effect/http"
import { type IncomingMessage, ServerResponse } from "node:http"

/** `answered` is false where the client went away before. */
export type Observer = (request: IncomingMessage, response: TimedResponse, answered: boolean) => void

export class TimedResponse extends ServerResponse {
  /** Of `performance.now`. */
  readonly startedMs = performance.now()
  /** Of the request's trace, where that is recorded. */
  traceId: string | undefined = undefined
  observer: Observer | undefined = undefined

  private settle(answered: boolean): void {
    const { observer } = this
    if (observer === undefined) return
    this.observer = undefined
    observer(this.req, this, answered)
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    this.settle(true)
    return super.end(chunk, encoding as BufferEncoding, callback as () => void)
  }

  override emit(event: string | symbol, ...args: Array<unknown>): boolean {
    // What was written past us has no `end` (ReadyHead).
    if (event === "finish") this.settle(true)
    else if (event === "close") this.settle(false)
    return super.emit(event as "close", ...(args as []))
  }
}

/** Remembers the trace of a request that is recorded, for who hears of its end. */
export const traced = (request: HttpServerRequest.HttpServerRequest, traceId: string): void => {
  const response = NodeHttpServerRequest.toServerResponse(request)
  if (response instanceof TimedResponse) response.traceId = traceId
}
