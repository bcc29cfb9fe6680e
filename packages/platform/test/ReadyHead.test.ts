import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connect } from "node:net"
import * as ReadyHead from "../src/ReadyHead.ts"

const head = 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\nvary: accept-encoding\r\n'
const headers = ["etag", '"a"', "vary", "accept-encoding"]

/** A server that answers `/ready` with a ready head where it can, and the rest as Node does; `/slow` when it is told to. */
const serve = Effect.gen(function* () {
  const ready = ReadyHead.make(yield* Clock.Clock)
  const world = { ready: 0, finish: () => {} }
  const server = createServer(
    { keepAliveTimeout: ReadyHead.keepAliveMs, optimizeEmptyRequests: true },
    (request, response) => {
      const usual = () => response.writeHead(304, headers).end()
      if (request.url === "/slow") {
        world.finish = usual
      } else if (request.url !== "/ready") {
        usual()
      } else if (ready.write(request, response, head)) {
        world.ready++
      } else {
        usual()
      }
    }
  )
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => server.closeAllConnections()).pipe(Effect.andThen(Effect.sync(() => server.close())))
  )
  return { world, server, port: (server.address() as AddressInfo).port }
})

/** Sends it, and reads until there are so many heads, or the end. Without dates. */
const talk = (port: number, packet: string, heads: number, then?: () => void) =>
  Effect.callback<{ readonly text: string; readonly ended: boolean }>((resume) => {
    let [text, answered] = ["", false]
    const socket = connect(port, "127.0.0.1", () => socket.write(packet))
    const answer = (ended: boolean) => {
      if (answered) return
      answered = true
      socket.destroy()
      resume(Effect.succeed({ text: text.replace(/^Date: .* GMT\r$/gm, "Date: now\r"), ended }))
    }
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
      // Those that are to end are given the time for it.
      if (text.split("\r\n\r\n").length > heads && !/connection: close/i.test(text)) answer(false)
    })
    socket.on("end", () => answer(true)).on("error", () => answer(true))
    then?.()
  })

const get = (path: string, version = "1.1", more = "") =>
  `GET ${path} HTTP/${version}\r\nhost: x\r\n${more}\r\n`

describe("ReadyHead", () => {
  for (const [name, ready, version, more] of [
    ["HTTP/1.1", 1, "1.1", ""],
    ["who wants no more", 0, "1.1", "connection: close\r\n"],
    ["HTTP/1.0", 0, "1.0", ""],
    ["HTTP/1.0 that is to stay", 0, "1.0", "connection: keep-alive\r\n"]
  ] as const) {
    it.live(`writes the bytes that Node writes, for ${name}`, () =>
      Effect.gen(function* () {
        const { port, world } = yield* serve
        const told = yield* talk(port, get("/ready", version, more), 1)
        assert.strictEqual(world.ready, ready)
        assert.deepStrictEqual(told, yield* talk(port, get("/usual", version, more), 1))
        assert.include(told.text, "304 Not Modified")
      })
    )
  }

  it.live("keeps the order of requests that come in one packet, and waits for those before it", () =>
    Effect.gen(function* () {
      const { port, world } = yield* serve
      const usual = yield* talk(port, get("/usual").repeat(4), 4)
      const paths = ["/ready", "/usual", "/ready", "/ready"]
      assert.deepStrictEqual(yield* talk(port, paths.map((path) => get(path)).join(""), 4), usual)
      assert.strictEqual(
        world.ready,
        1,
        "Node writes an answer a little later, and what is behind it after it"
      )
      assert.deepStrictEqual(yield* talk(port, get("/ready").repeat(4), 4), usual)
      assert.strictEqual(world.ready, 5)
      const finish = setInterval(() => world.finish(), 5)
      const behind = yield* talk(port, get("/slow") + get("/ready").repeat(3), 4)
      clearInterval(finish)
      assert.deepStrictEqual(behind, usual)
      assert.strictEqual(world.ready, 5, "what waits is Node's to write")
    })
  )

  it.live("leaves a connection as Node does: many more come on it, and a server that closes ends it", () =>
    Effect.gen(function* () {
      const { port, server, world } = yield* serve
      const packet = get("/ready").repeat(50)
      const ended = yield* Effect.callback<boolean>((resume) => {
        let heads = 0
        const socket = connect(port, "127.0.0.1", () => socket.write(packet))
        socket.on("data", (chunk) => {
          heads += chunk.toString("latin1").split("\r\n\r\n").length - 1
          if (heads === 5_000) server.close()
          else if (heads % 50 === 0) socket.write(packet)
        })
        socket.on("close", () => resume(Effect.succeed(heads === 5_000)))
      })
      assert.isTrue(ended)
      assert.strictEqual(world.ready, 5_000)
    })
  )
})
