/** The HTTP server of a process. */
import { NodeHttpServer } from "@effect/platform-node"
import { Config, Duration, Effect, Layer, Metric } from "effect"
import { HttpRouter } from "effect/http"
import { type IncomingMessage, Server, type ServerOptions, STATUS_CODES } from "node:http"
import type { ListenOptions, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Acceptors } from "./Acceptors.ts"
import { keepAliveMs } from "./ReadyHead.ts"
import { FrontPlace, type Place } from "./RequestFront.ts"
import * as Stopping from "./Stopping.ts"
import { TimedResponse } from "./TimedResponse.ts"

export interface HttpServerOptions {
  readonly port: number
  /** Every address of the machine when left out. */
  readonly host?: string | undefined
  /** How long requests that were accepted have to end once we are told to stop; 20 seconds when left out. */
  readonly shutdownLimit?: Duration.Input | undefined
  /** Instead of `ONSALE_MAX_CONNECTIONS`. */
  readonly maxConnections?: number | undefined
}

/** A crowd of 20,000, as many viewers as there may be, and what else is open; about 20 KB each. */
export const defaultMaxConnections = 40_000

/** `ONSALE_MAX_CONNECTIONS`: those of a server that are open at once; who comes beyond is cut off without a word. */
const maxConnections = Config.Int("ONSALE_MAX_CONNECTIONS").pipe(Config.withDefault(defaultMaxConnections))

const dropped = Metric.counter("onsale_http_connections_dropped_total", {
  description: "Connections that were cut off at once, because as many as there may be were open",
  incremental: true
})

/** Of one message of a WebSocket; one that is larger ends its connection (close code 1009). */
const maxMessageBytes = 64 * 1024

/** Characters of a part of a path that a route takes as a parameter: enough for a token. The router has 100, then 404. */
const maxParamLength = 1024

/** What Node's parser turns away before there is a request, by the error's code; all else is a 400. */
const parserStatuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431
}

/** How long who was turned away may take to read why; then the connection is gone, whether he closes it or not. */
const lingerMs = 1_000

/** A problem (RFC 9457) as every route has them. `about:blank`: it says no more than the status does. */
const problemOf = (status: number): { readonly title: string; readonly body: string } => {
  const title = STATUS_CODES[status] ?? ""
  return { title, body: JSON.stringify({ type: "about:blank", status, title }) }
}

/** Answers what is no request, and closes the connection: where it stands is not known. */
const refuseUnparsed = (error: Error & { readonly code?: string }, socket: Duplex): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const status = parserStatuses[error.code ?? ""] ?? 400
  const { body, title } = problemOf(status)
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  )
  const cut = setTimeout(() => socket.destroy(), lingerMs)
  socket.once("close", () => clearTimeout(cut))
}

/**
 * Connections that wait for one listener to be taken up while the process is at work: all of them together (`Acceptors.ts`)
 * have room for a crowd.
 * Node asks for 511, and what finds no place says nothing to its client, who tries again after 1, 3, 7 and 15
 * seconds. The kernel gives no more than its `somaxconn`, 4,096 where nobody has changed it.
 */
export const acceptBacklog = 4_096

/** How soon a server that closes ends the connections whose last answer is given. */
const drainEveryMs = 50

/** A body of so many bytes is not worth a question; who stands in front may wait for it. */
const unaskedBytes = 64 * 1024

const bodyLength = ({ headers }: IncomingMessage): number => Number(headers["content-length"] ?? 0)

/**
 * Writes the target as nearly everybody does, also where it names the host as for a proxy, which counts more than `Host`
 * then (RFC 9112 §3.2.2): those in front and the routes have to see the same. False where it is none.
 */
const toOriginForm = (request: IncomingMessage): boolean => {
  const url = request.url ?? ""
  if (url.startsWith("/") || url === "*") return true
  if (!URL.canParse(url)) return false
  const { host, pathname, protocol, search } = new URL(url)
  if (protocol !== "http:" && protocol !== "https:") return false
  request.url = pathname + search
  request.headers.host = host
  return true
}

/** After those who asked on this connection before. */
const refuseTarget = (response: TimedResponse): void => {
  const { body } = problemOf(400)
  response.writeHead(400, {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    connection: "close"
  })
  response.end(body)
}

type RequestEvent = [request: IncomingMessage, response: TimedResponse]

interface FrontedOptions extends ServerOptions<typeof IncomingMessage, typeof TimedResponse> {
  readonly tellStopping: () => void
  readonly mostOpen: number
  readonly tellDropped: () => void
}

/**
 * A server with a place in front of its listeners, that ends when it is told to: Node's `close` ends the
 * connections that are idle, and waits for the others for as long as their clients keep them. One that is
 * answered while we close has to be ended as well.
 */
class FrontedServer extends Server<typeof IncomingMessage, typeof TimedResponse> {
  private readonly place: Place
  private readonly tellStopping: () => void
  private readonly acceptors = new Acceptors((socket) => this.emit("connection", socket))
  /** Node lets go of a connection that became something else: it is ours to end. */
  private readonly upgraded = new Set<Duplex>()
  /** Of all listeners; Node counts those of each. */
  private open = 0
  private readonly mostOpen: number
  private readonly tellDropped: () => void

  constructor(place: Place, { mostOpen, tellDropped, tellStopping, ...options }: FrontedOptions) {
    super({
      ...options,
      shouldUpgradeCallback: (request) => toOriginForm(request) && (place.upgrades?.(request) ?? false)
    })
    this.place = place
    this.tellStopping = tellStopping
    this.mostOpen = mostOpen
    this.tellDropped = tellDropped
  }

  override emit(event: string, ...args: ReadonlyArray<unknown>): boolean {
    if (event === "connection" && !this.hasRoom(args[0] as Socket)) return true
    if (event === "upgrade") return this.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2])
    if (event !== "request" && event !== "checkContinue") return super.emit(event, ...args)
    const [request, response] = args as RequestEvent
    const { front, observer } = this.place
    response.observer = observer
    if (!toOriginForm(request)) {
      refuseTarget(response)
      return true
    }
    // A client that never pauses is told to come back on another connection, which finds another server.
    if (!this.listening) response.setHeader("connection", "close")
    const next = () => super.emit(event, request, response)
    if (front === undefined) return next()
    // Who asks whether a body is wanted (`Expect: 100-continue`) comes by the same way as everybody.
    if (event === "checkContinue" && bodyLength(request) <= unaskedBytes) {
      response.writeContinue()
      front(request, response, () => super.emit("request", request, response))
    } else front(request, response, next)
    return true
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: unknown): boolean {
    // A Node before 24.9 does not ask beforehand.
    if (this.place.upgrades?.(request) !== true) {
      refuseUnparsed(new Error("nothing else is spoken here"), socket)
      return true
    }
    this.keep(socket)
    return super.emit("upgrade", request, socket, head)
  }

  private hasRoom(socket: Socket): boolean {
    if (this.open >= this.mostOpen) {
      this.tellDropped()
      socket.destroy()
      return false
    }
    this.open++
    socket.once("close", () => this.open--)
    return true
  }

  /** By several listeners, where it is called as the platform does. */
  override listen(options?: unknown, listening?: unknown): this {
    return typeof options === "object" && options !== null && typeof listening === "function"
      ? this.listenWide(options, () => listening())
      : super.listen(options as ListenOptions, listening as () => void)
  }

  private listenWide(options: ListenOptions, listening: () => void): this {
    const failed = (error: Error) => super.emit("error", error)
    this.acceptors.prepare(options, (shared, taken) => {
      if (taken !== undefined) return failed(taken)
      super.listen(shared, () => {
        const address = this.address()
        const port = typeof address === "object" && address !== null ? address.port : undefined
        this.acceptors.listen({ ...shared, port }, (error) =>
          error === undefined ? listening() : failed(error)
        )
      })
    })
    return this
  }

  private keep(socket: Duplex): void {
    this.upgraded.add(socket)
    socket.once("close", () => this.upgraded.delete(socket))
  }

  override closeAllConnections(): void {
    super.closeAllConnections()
    for (const socket of this.upgraded) socket.destroy()
  }

  override close(callback?: (error?: Error) => void): this {
    this.tellStopping()
    const sweep = setInterval(() => this.closeIdleConnections(), drainEveryMs)
    let waiting = 2
    let failure: Error | undefined
    const ended = (error?: Error) => {
      failure ??= error
      if (--waiting > 0) return
      clearInterval(sweep)
      callback?.(failure)
    }
    this.acceptors.close(ended)
    return super.close(ended)
  }
}

/**
 * A server whose clients cannot hold it up: headers and bodies have to arrive in time, and there is a
 * bound on their size (the bodies' is the routes' own).
 */
const create = (place: Place, options: Pick<FrontedOptions, "tellStopping" | "mostOpen" | "tellDropped">) => {
  const server = new FrontedServer(place, {
    ...options,
    ServerResponse: TimedResponse,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: keepAliveMs,
    // A request that says it has no body begins with its end: most do, and a stream for nothing costs them.
    optimizeEmptyRequests: true,
    maxHeaderSize: 16 * 1024,
    noDelay: true
  })
  server.on("clientError", refuseUnparsed)
  return server
}

/**
 * Serves the routes that a layer has added to its `HttpRouter`, behind whoever it has put in front of them
 * (`RequestFront`). When the scope closes it takes no new connections, and finishes what it has accepted.
 */
export const serve = <A, E, R>(routes: Layer.Layer<A, E, R>, options: HttpServerOptions) =>
  Effect.gen(function* () {
    const place: Place = { front: undefined, observer: undefined, upgrades: undefined }
    const { stopping, tell } = Stopping.make()
    const context = yield* Effect.context<never>()
    const server = create(place, {
      tellStopping: tell,
      mostOpen: options.maxConnections ?? (yield* maxConnections),
      tellDropped: () => dropped.updateUnsafe(1, context)
    })
    // What is not answered when the limit is over is cut off; Node would wait for it.
    const cut = Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
    return HttpRouter.serve(
      routes.pipe(
        Layer.provide([Layer.succeed(FrontPlace, place), Layer.succeed(Stopping.Stopping, stopping)])
      ),
      {
        disableLogger: true,
        disableListenLog: true,
        routerConfig: { maxParamLength }
      }
    ).pipe(
      Layer.provideMerge(cut),
      Layer.provideMerge(
        NodeHttpServer.layer(() => server, {
          port: options.port,
          host: options.host,
          backlog: acceptBacklog,
          gracefulShutdownTimeout: options.shutdownLimit ?? Duration.seconds(20),
          websocket: { maxPayload: maxMessageBytes }
        })
      )
    )
  }).pipe(Layer.unwrap)
