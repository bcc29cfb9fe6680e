/** The HTTP server of a process. */
import { NodeHttpServer } from "@effect/platform-node"
import { Duration, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { Server, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"

export interface HttpServerOptions {
  readonly port: number
  /** Every address of the machine when left out. */
  readonly host?: string | undefined
  /** How long requests that were accepted have to end once we are told to stop; 20 seconds when left out. */
  readonly shutdownLimit?: Duration.Input | undefined
}

/** What Node's parser turns away before there is a request, by the error's code; all else is a 400. */
const parserStatuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431
}

/** Answers with a problem (RFC 9457) as every route does, and closes the connection: where it stands is not known. */
const refuseUnparsed = (error: Error & { readonly code?: string }, socket: Duplex): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const status = parserStatuses[error.code ?? ""] ?? 400
  const title = STATUS_CODES[status] ?? ""
  // `about:blank`: it says no more than the status does.
  const body = JSON.stringify({ type: "about:blank", status, title })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  )
}

/** How soon a server that closes ends the connections whose last answer is given. */
const drainEveryMs = 50

/**
 * Node's `close` ends the connections that are idle, and waits for the others for as long as their clients keep
 * them: one that is answered while we close has to be ended as well.
 */
class DrainingServer extends Server {
  override close(callback?: (error?: Error) => void): this {
    const sweep = setInterval(() => this.closeIdleConnections(), drainEveryMs)
    return super.close((error) => {
      clearInterval(sweep)
      callback?.(error)
    })
  }
}

/**
 * A server whose clients cannot hold it up: headers and bodies have to arrive in time, and there is a
 * bound on their size (the bodies' is the routes' own).
 */
const create = () => {
  const server = new DrainingServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    // Longer than the idle time of the usual proxies, so that they and not we close a connection.
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
    noDelay: true
  })
  server.on("clientError", refuseUnparsed)
  // A client that never pauses is told to come back on another connection, which finds another server.
  server.on("request", (_, response) => {
    if (!server.listening) response.setHeader("connection", "close")
  })
  return server
}

/**
 * Serves the routes that a layer has added to its `HttpRouter`. When the scope closes it takes no new
 * connections, and finishes what it has accepted.
 */
export const serve = <A, E, R>(routes: Layer.Layer<A, E, R>, options: HttpServerOptions) =>
  HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(create, {
        port: options.port,
        host: options.host,
        gracefulShutdownTimeout: options.shutdownLimit ?? Duration.seconds(20)
      })
    )
  )
