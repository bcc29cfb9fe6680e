import { assert, describe, it } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { AdmissionControl } from "../src/AdmissionControl.ts"
import * as AdmissionFront from "../src/AdmissionFront.ts"
import type { RequestClass } from "../src/RequestClass.ts"
import * as RawClient from "./RawClient.ts"

const ready: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
  response.writeHead(200, { "content-length": "0" }).end()

/** A control that is told what to do, in front of a lean path that knows `/lean` and routes that answer the rest. */
const serve = Effect.gen(function* () {
  const told = {
    refuse: new Set<RequestClass>(),
    wait: false,
    /** Seconds that classes are turned away for before they come in; 0 where they are not. */
    turnsAway: 0,
    turned: [] as Array<RequestClass>,
    untils: [] as Array<number | undefined>,
    inside: 0,
    waiting: [] as Array<() => void>
  }
  const control = AdmissionControl.of({
    lost: () => {},
    refuses: () => told.turnsAway > 0,
    turnedAway: (name) => {
      told.turned.push(name)
      return told.turnsAway
    },
    enter: (name, untilMs, go, refuse) => {
      told.untils.push(untilMs)
      if (told.refuse.has(name)) {
        refuse(7)
        return () => {}
      }
      told.inside++
      if (told.wait) told.waiting.push(go)
      else go()
      return () => {
        told.inside--
      }
    }
  })
  const front = yield* AdmissionFront.before((request, response, next) =>
    request.url === "/lean" ? ready(request, response) : next()
  ).pipe(Effect.provideService(AdmissionControl, control))
  const server = createServer((request, response) => front(request, response, () => ready(request, response)))
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const client = yield* RawClient.make(port)
  const ask = (line: string, headers = "", body = "") => {
    client.send(
      `${line} HTTP/1.1\r\nhost: localhost\r\nx-correlation-id: mine\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`
    )
    return client.answer
  }
  return { told, client, ask, port }
})

describe("requests in front of the routes", () => {
  it.live("are refused as a problem that says when to come again, and their connection goes on", () =>
    Effect.gen(function* () {
      const { ask, told } = yield* serve
      told.refuse.add("cold")
      const { body, headers, status } = yield* ask("GET /api/v1/search/events?q=a")
      assert.strictEqual(status, 503)
      assert.deepInclude(headers, {
        "content-type": "application/problem+json",
        "retry-after": "7",
        "x-correlation-id": "mine"
      })
      assert.strictEqual(JSON.parse(body).type, "urn:onsale:problem:overloaded")
      told.refuse.add("orders")
      assert.strictEqual((yield* ask("POST /api/v1/orders", "", "x".repeat(20_000))).status, 503)
      assert.strictEqual((yield* ask("GET /api/v1/events/1")).status, 200)
      assert.strictEqual(told.inside, 0)
    })
  )

  it.live("of memory and for holds are turned away before they cost anything, health never is", () =>
    Effect.gen(function* () {
      const { ask, told } = yield* serve
      assert.strictEqual((yield* ask("GET /lean")).status, 200)
      assert.lengthOf(told.untils, 0)
      told.turnsAway = 2
      for (const line of [
        "GET /lean",
        "GET /api/v1/events/1",
        "GET /api/v1/search/events?q=a",
        "POST /api/v1/events/1/holds"
      ]) {
        const { headers, status } = yield* ask(line)
        assert.deepStrictEqual([status, headers["retry-after"]], [503, "2"], line)
      }
      assert.deepStrictEqual(told.turned, ["cold", "reads", "cold", "holds"])
      for (const line of [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "POST /api/v1/checkins",
        "POST /api/v1/orders"
      ]) {
        assert.strictEqual((yield* ask(line)).status, 200, line)
      }
      // Who is never refused is not counted among those that are.
      assert.lengthOf(told.turned, 4)
    })
  )

  it.live("give their place back when their connection ends, also those that came behind another on it", () =>
    Effect.gen(function* () {
      const { client, told } = yield* serve
      told.wait = true
      client.send("POST /api/v1/orders HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".repeat(3))
      yield* pollUntil(
        Effect.sync(() => told.inside),
        (inside) => inside === 3
      )
      client.socket.destroy()
      yield* pollUntil(
        Effect.sync(() => told.inside),
        (inside) => inside === 0
      )
    })
  )

  it.live("stand in line when their body is there, and not before", () =>
    Effect.gen(function* () {
      const { client, port, told } = yield* serve
      const head = "POST /api/v1/orders HTTP/1.1\r\nhost: localhost\r\n"
      const pieces = [
        [`${head}content-length: 5\r\n\r\n{`, `    `],
        [`${head}transfer-encoding: chunked\r\n\r\n3\r\n{  \r\n`, `1\r\n}\r\n0\r\n\r\n`],
        [`${head}content-length: 60000\r\n\r\n${"x".repeat(30_000)}`, "x".repeat(30_000)]
      ] as const
      for (const [i, [first, rest]] of pieces.entries()) {
        client.send(first)
        // Another connection's request has been through since.
        const other = yield* RawClient.make(port)
        other.send("GET /lean HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert.strictEqual((yield* other.answer).status, 200)
        assert.lengthOf(told.untils, i)
        client.send(rest)
        assert.strictEqual((yield* client.answer).status, 200)
        assert.lengthOf(told.untils, i + 1)
      }
      // Longer than anything that is taken: the routes say so by its length.
      client.send(`${head}content-length: 200000\r\n\r\n`)
      assert.strictEqual((yield* client.answer).status, 200)
    })
  )

  it.live("give their place back when they are answered, and when their client goes while they wait", () =>
    Effect.gen(function* () {
      const { ask, client, told } = yield* serve
      assert.strictEqual((yield* ask("POST /api/v1/orders")).status, 200)
      yield* pollUntil(
        Effect.sync(() => told.inside),
        (inside) => inside === 0
      )
      told.wait = true
      yield* Effect.forkChild(ask("POST /api/v1/orders", "prefer: wait=10\r\n"))
      yield* pollUntil(
        Effect.sync(() => told.inside),
        (inside) => inside === 1
      )
      client.socket.destroy()
      yield* pollUntil(
        Effect.sync(() => told.inside),
        (inside) => inside === 0
      )
      const [silent, patient] = told.untils
      assert.isUndefined(silent)
      assert.isNumber(patient)
    })
  )
})
