import { assert, describe, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import * as HttpServer from "@onsale/platform/HttpServer"
import * as RequestFront from "@onsale/platform/RequestFront"
import { pollUntil } from "@onsale/testing/Poll"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { HttpServer as Server } from "effect/http"
import { isStream, before, ViewersPerClient } from "../src/ViewersPerClient.ts"
import * as EventStreamClient from "./EventStreamClient.ts"

const path = `/api/v1/events/${makeEventId(1)}/availability/stream`

/** Answers every stream with a head, and leaves it open; all else with what it is. */
const serve = Effect.fnUntraced(function* (env: Record<string, string>) {
  const front: RequestFront.RequestFront = (request, response) => {
    if (!isStream(request.url ?? "")) return void response.end("else")
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.flushHeaders()
  }
  const routes = Layer.effectDiscard(Effect.flatMap(before(front), RequestFront.install)).pipe(
    Layer.provide(ViewersPerClient.layer)
  )
  const context = yield* Layer.build(HttpServer.serve(routes, { port: 0, host: "127.0.0.1" })).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
  )
  const { address } = Context.get(context, Server.HttpServer)
  const port = address._tag === "UnixPathAddress" ? 0 : address.port
  const watch = Effect.fnUntraced(function* (at = path) {
    const viewer = yield* EventStreamClient.make(port, at)
    yield* pollUntil(Effect.sync(viewer.status), (status) => status !== 0, { deadline: "30 seconds" })
    return viewer
  })
  return { watch }
})

describe("Streams of one client", () => {
  it.live("are as many as it may have open, and one more when one has gone", () =>
    Effect.gen(function* () {
      const { watch } = yield* serve({
        ONSALE_VIEWERS_PER_CLIENT: "3",
        ONSALE_RATE_LIMIT_LOOPBACK: "limited"
      })
      const open = [yield* watch(), yield* watch(`${path}?`), yield* watch(path.toUpperCase())]
      assert.deepStrictEqual(
        open.map((viewer) => viewer.status()),
        [200, 200, 200]
      )
      const refused = yield* watch()
      assert.strictEqual(refused.status(), 429)
      assert.include(refused.headers(), {
        "content-type": "application/problem+json",
        "retry-after": "10",
        ratelimit: '"viewers";r=0;t=10'
      })
      yield* pollUntil(Effect.sync(refused.body), (body) => body.includes("too-many-requests"))
      assert.strictEqual((yield* watch(path.replace("/stream", ""))).status(), 200)

      open[1]!.socket.destroy()
      yield* pollUntil(
        Effect.map(watch(), (viewer) => viewer.status()),
        (status) => status === 200,
        {
          deadline: "30 seconds"
        }
      )
      assert.strictEqual((yield* watch()).status(), 429)
    }).pipe(Effect.scoped)
  )

  it.live("of this machine have no limit unless it is said, nor have any by 0", () =>
    Effect.gen(function* () {
      for (const env of [
        { ONSALE_VIEWERS_PER_CLIENT: "1" },
        { ONSALE_VIEWERS_PER_CLIENT: "0", ONSALE_RATE_LIMIT_LOOPBACK: "limited" }
      ]) {
        const { watch } = yield* serve(env)
        for (let viewer = 0; viewer < 5; viewer++) assert.strictEqual((yield* watch()).status(), 200)
      }
    }).pipe(Effect.scoped)
  )

  it("are known in every form that the routes take", () => {
    for (const url of [
      path,
      `${path}?x=1`,
      `/${path}/`,
      path.replace("/stream", "//STREAM"),
      path.replace("stream", "%73tream"),
      path.replace("availability", "a%76ailability"),
      `${path};x`
    ])
      assert.isTrue(isStream(url), url)
    for (const url of [
      path.replace("/stream", ""),
      "/?/availability/stream",
      `${path}/more`,
      "/%",
      "/stream"
    ])
      assert.isFalse(isStream(url), url)
  })
})
