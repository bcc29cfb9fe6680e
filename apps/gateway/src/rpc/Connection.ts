/** One connection of an RPC client: a WebSocket, or one request over HTTP. What it has open is counted here. */
import { Context } from "effect"

/** Calls that one connection may have open; those beyond are refused at once. */
export const maxCalls = 64
/** Streams that one connection may have open, besides. */
export const maxStreams = 16
/** A client that leaves so much unread gets no more work done until it has read. */
export const maxUnreadBytes = 1024 * 1024

export interface Connection {
  calls: number
  streams: number
  /** Whether it takes no more calls, because the server stops. */
  closing: boolean
  /** Messages that came. */
  received: number
  /** Bytes that were answered and that the client has not read. */
  readonly unreadBytes: () => number
}

export const make = (unreadBytes: () => number): Connection => ({
  calls: 0,
  streams: 0,
  closing: false,
  received: 0,
  unreadBytes
})

/** Of the call that is being answered. */
export const Current = Context.Reference<Connection>("@onsale/gateway/rpc/Connection", {
  defaultValue: () => make(() => 0)
})
