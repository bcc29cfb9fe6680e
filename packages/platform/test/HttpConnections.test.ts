import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric } from "effect"
import { HttpRouter, HttpServer as Server, HttpServerRequest, HttpServerResponse } from "effect/http"
import { connect, type Socket } from "node:net"
import * as HttpServer from "../src/HttpServer.ts"
import * as RequestFront from "../src/RequestFront.ts"
import { pollUntil } from "@onsale/testing/Poll"

const open = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: Socket; closed: boolean }>((resume) => {
      const socket = connect({ host: "127.0.0.1", port })
      const connection = { socket, closed: false }
      socket.on("error", () => {})
      socket.on("close", () => {
        connection.closed = true
      })
      socket.once("connect", () => resume(Effect.succeed(connection)))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

const portOf = (context: Context.Context<Server.HttpServer>): number => {
  const { address } = Context.get(context, Server.HttpServer)
  return address._tag === "UnixPathAddress" ? 0 : address.port
}

/** Until one more connection is taken up, and its request answered. */
const untilAnswered = (port: number) =>
  pollUntil(
    Effect.gen(function* () {
      const next = yield* open(port)
      next.socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
      return yield* Effect.callback<boolean>((resume) => {
        next.socket.once("data", () => resume(Effect.succeed(true)))
        next.socket.once("close", () => resume(Effect.succeed(false)))
      })
    }).pipe(Effect.scoped),
    (answered) => answered
  )

it.live("connections beyond the bound are cut off and counted, and those that are open go on", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      HttpServer.serve(HttpRouter.add("GET", "/", HttpServerResponse.empty()), {
        port: 0,
        host: "127.0.0.1",
        maxConnections: 2
      })
    )
    const port = portOf(context)
    const first = yield* open(port)
    yield* open(port)
    const third = yield* open(port)
    yield* pollUntil(
      Effect.sync(() => third.closed),
      (closed) => closed
    )
    const counters = yield* Metric.snapshot
    const dropped = counters.find(({ id }) => id === "onsale_http_connections_dropped_total")
    assert.isAbove(dropped?.type === "Counter" ? Number(dropped.state.count) : 0, 0)
    assert.isFalse(first.closed)
    // One that leaves makes room.
    first.socket.destroy()
    yield* untilAnswered(port)
  })
)

it.live("who is turned away and does not close keeps no connection of the server", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      HttpServer.serve(HttpRouter.add("GET", "/", HttpServerResponse.empty()), {
        port: 0,
        host: "127.0.0.1",
        maxConnections: 1
      })
    )
    const port = portOf(context)
    const told = yield* Effect.callback<string>((resume) => {
      let text = ""
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () =>
        socket.write("what?\r\n\r\n")
      )
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1")
      })
      socket.on("error", () => {})
      socket.on("end", () => resume(Effect.succeed(text)))
    })
    assert.include(told, "HTTP/1.1 400")
    yield* untilAnswered(port)
  })
)

it.live("who asks whether a body is wanted comes by who stands in front, as everybody", () =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const front = Layer.effectDiscard(
      RequestFront.install((request, response, next) => {
        seen.push(request.headers["content-length"] ?? "none")
        if (request.headers["x-refuse"] === undefined) return next()
        response.writeHead(429, { "content-length": "0" }).end()
      })
    )
    const context = yield* Layer.build(
      HttpServer.serve(
        Layer.merge(
          HttpRouter.add(
            "POST",
            "/",
            Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
              Effect.map(request.text, (text) => HttpServerResponse.text(String(text.length)))
            )
          ),
          front
        ),
        { port: 0, host: "127.0.0.1" }
      )
    )
    const port = portOf(context)
    const post = (length: number, more = "") =>
      Effect.callback<string>((resume) => {
        let text = ""
        const socket = connect({ host: "127.0.0.1", port }, () =>
          socket.write(
            `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n${more}\r\n`
          )
        )
        socket.on("error", () => {})
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1")
          if (text === "HTTP/1.1 100 Continue\r\n\r\n") socket.write("x".repeat(length))
        })
        socket.on("end", () => resume(Effect.succeed(text)))
      }).pipe(Effect.map((text) => text.match(/HTTP\/1\.1 \d+/g)?.join() ?? text))
    assert.strictEqual(yield* post(5), "HTTP/1.1 100,HTTP/1.1 200")
    assert.strictEqual(yield* post(100_000), "HTTP/1.1 100,HTTP/1.1 200")
    // Nobody has to send what is not wanted.
    assert.strictEqual(yield* post(100_000, "x-refuse: 1\r\n"), "HTTP/1.1 429")
    assert.deepStrictEqual(seen, ["5", "100000", "100000"])
  })
)

it.live("who stands in front and the routes see the same path, also of a target that names the host", () =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const front = Layer.effectDiscard(
      RequestFront.install((request, _response, next) => {
        seen.push(`${request.headers.host} ${request.url}`)
        next()
      })
    )
    const context = yield* Layer.build(
      HttpServer.serve(Layer.merge(HttpRouter.add("GET", "/a", HttpServerResponse.empty()), front), {
        port: 0,
        host: "127.0.0.1"
      })
    )
    const port = portOf(context)
    const get = (target: string) =>
      Effect.callback<string>((resume) => {
        let text = ""
        const socket = connect({ host: "127.0.0.1", port }, () =>
          socket.write(`GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
        )
        socket.on("error", () => {})
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1")
        })
        socket.on("end", () => resume(Effect.succeed(text.slice(9, 12))))
      })
    const targets = [
      "/a?b",
      "http://h/a?b",
      "http://h/x/../a",
      "http://h/x/%2e%2e/a",
      "http://h:99999/a",
      "ftp://h/a"
    ]
    assert.deepStrictEqual(yield* Effect.forEach(targets, get), ["204", "204", "204", "204", "400", "400"])
    assert.deepStrictEqual(seen, ["a /a?b", "h /a?b", "h /a", "h /a"])
  })
)

it.live("who asks for another protocol comes by who stands in front, as everybody", () =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const front = Layer.effectDiscard(
      Effect.gen(function* () {
        yield* RequestFront.install((request, response) => {
          seen.push(`${request.method} ${request.url}`)
          response.writeHead(429, { "content-length": "0" }).end()
        })
        const place = yield* RequestFront.FrontPlace
        place.upgrades = ({ url }) => url === "/other"
      })
    )
    const context = yield* Layer.build(
      HttpServer.serve(
        Layer.mergeAll(
          HttpRouter.add("*", "/a", HttpServerResponse.empty()),
          HttpRouter.add("GET", "/other", HttpServerResponse.empty()),
          front
        ),
        { port: 0, host: "127.0.0.1" }
      )
    )
    const ask = (line: string, more = "", body = "") =>
      Effect.callback<string>((resume) => {
        let text = ""
        const socket = connect({ host: "127.0.0.1", port: portOf(context) }, () =>
          socket.write(`${line} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n${more}\r\n${body}`)
        )
        socket.on("error", () => {})
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1")
          socket.end()
        })
        socket.on("close", () => resume(Effect.succeed(text.slice(9, 12))))
      })
    assert.strictEqual(yield* ask("GET /a", "upgrade: h2c\r\n"), "429")
    assert.strictEqual(yield* ask("GET /a", "upgrade: websocket\r\n"), "429")
    assert.strictEqual(yield* ask("POST /a", "upgrade: h2c\r\ncontent-length: 5\r\n", "hello"), "429")
    assert.strictEqual(yield* ask("GET ftp://h/a", "upgrade: h2c\r\n"), "400")
    assert.deepStrictEqual(seen, ["GET /a", "GET /a", "POST /a"])
    assert.strictEqual(yield* ask("GET /other", "upgrade: websocket\r\n"), "204")
    assert.strictEqual(yield* ask("GET http://h/other", "upgrade: websocket\r\n"), "204")
  })
)

it.live("a target that is none is refused when it is its turn", () =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      HttpServer.serve(
        HttpRouter.add("GET", "/slow", Effect.delay(Effect.succeed(HttpServerResponse.empty()), "50 millis")),
        { port: 0, host: "127.0.0.1" }
      )
    )
    const answers = yield* Effect.callback<string>((resume) => {
      let text = ""
      const socket = connect({ host: "127.0.0.1", port: portOf(context) }, () =>
        socket.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET ftp://h/ HTTP/1.1\r\nhost: a\r\n\r\n")
      )
      socket.on("error", () => {})
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1")
      })
      socket.on("end", () => resume(Effect.succeed(text)))
    })
    assert.strictEqual(answers.match(/HTTP\/1\.1 \d+/g)?.join(), "HTTP/1.1 204,HTTP/1.1 400")
  })
)
