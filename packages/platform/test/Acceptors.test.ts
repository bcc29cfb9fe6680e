import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { HttpRouter, HttpServer as Server, HttpServerResponse } from "effect/http"
import { connect, createServer } from "node:net"
import * as HttpServer from "../src/HttpServer.ts"

const routes = HttpRouter.add("GET", "/", HttpServerResponse.text("here"))

const serve = (port: number) =>
  HttpServer.serve(routes, { port, host: "127.0.0.1", shutdownLimit: "5 seconds" })

const portOf = (context: Context.Context<Server.HttpServer>) => {
  const { address } = Context.get(context, Server.HttpServer)
  return address._tag === "UnixPathAddress" ? 0 : address.port
}

/** Asks on a connection of its own; the last line of the answer. */
const ask = (port: number) =>
  Effect.callback<string, Error>((resume) => {
    let text = ""
    const socket = connect({ host: "127.0.0.1", port }, () =>
      socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    )
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
    })
    socket.on("error", (error) => resume(Effect.fail(error)))
    socket.on("end", () => resume(Effect.succeed(text.split("\r\n").at(-1) ?? "")))
    return Effect.sync(() => socket.destroy())
  })

const here = (count: number) => Array.from({ length: count }, () => "here")

describe("several listeners on one port", () => {
  it.live("serve a crowd of connections, whichever takes them up", () =>
    Effect.gen(function* () {
      const port = portOf(yield* Layer.build(serve(0)))
      const answers = yield* Effect.forEach(here(300), () => ask(port), { concurrency: "unbounded" })
      assert.deepStrictEqual(answers, here(300))
    })
  )

  it.live("share the port with nobody else: a second server fails, and takes nothing of the first", () =>
    Effect.gen(function* () {
      const port = portOf(yield* Layer.build(serve(0)))
      const failure = yield* Effect.flip(Layer.build(serve(port)))
      assert.include(String((failure as { cause?: unknown }).cause), "EADDRINUSE")
      assert.deepStrictEqual(
        yield* Effect.forEach(here(50), () => ask(port), { concurrency: "unbounded" }),
        here(50)
      )
    })
  )

  it.live("are all gone when the server has stopped", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const port = portOf(yield* Layer.buildWithScope(serve(0), scope))
      assert.strictEqual(yield* ask(port), "here")
      yield* Scope.close(scope, Exit.void)
      for (const _ of here(40)) assert.include(String(yield* Effect.flip(ask(port))), "ECONNREFUSED")
      yield* Effect.callback<void, Error>((resume) => {
        const alone = createServer().once("error", (error) => resume(Effect.fail(error)))
        alone.listen({ port, host: "127.0.0.1" }, () => alone.close(() => resume(Effect.void)))
      })
    })
  )
})
