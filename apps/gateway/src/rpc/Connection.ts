/** One connection of an RPC client: a WebSocket, or one request over HTTP. What it has open is counted here. */
import type { HttpConnection } from "@onsale/platform/HttpConnection"
import { Context, Duration, Effect } from "effect"

/** Calls that one connection may have open; those beyond are refused at once. */
export const maxCalls = 64
/** Streams that one connection may have open, besides. */
export const maxStreams = 16
/** A client that leaves so much unread gets no more work done until it has read. */
export const maxUnreadBytes = 1024 * 1024

/** A client says something within this time (the library's ping every five seconds), and reads what it is sent. */
export const silence = Duration.seconds(60)

export interface Connection {
  calls: number
  streams: number
  /** Whether it takes no more calls, because the server stops. */
  closing: boolean
  /** Messages that came. */
  received: number
  readonly wire: HttpConnection
  /** Whom its calls count for, an address as limits count it; null where they have no limit. */
  readonly client: string | null
}

export const make = (wire: HttpConnection, client: string | null = null): Connection => ({
  calls: 0,
  streams: 0,
  closing: false,
  received: 0,
  wire,
  client
})

/** Of the call that is being answered. */
export const Current = Context.Reference<Connection>("@onsale/gateway/rpc/Connection", {
  defaultValue: () => make({ unreadBytes: () => 0, takenBytes: () => 0, destroy: () => {} })
})

/** Ends when the client has been silent, or has left unread what it was sent, for too long. */
export const lost = (connection: Connection) =>
  Effect.gen(function* () {
    const { wire } = connection
    let [received, taken] = [-1, -1]
    while (connection.received !== received && (wire.unreadBytes() === 0 || wire.takenBytes() !== taken)) {
      received = connection.received
      taken = wire.takenBytes()
      yield* Effect.sleep(silence)
    }
  })
