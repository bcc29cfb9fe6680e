/** What is written to a connection of the cluster that has ended is refused, and nobody waits for it. */
import { assert, describe, it } from "@effect/vitest"
import * as ClusterSocket from "@onsale/platform/ClusterSocket"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, Layer, Option } from "effect"
import { RunnerAddress, ShardingConfig } from "effect/cluster"
import { type Socket, SocketServer } from "effect/socket"
import * as Net from "node:net"

const patient = { deadline: "20 seconds" } as const
const refused = (error: Socket.SocketError) => assert.strictEqual(error.reason._tag, "SocketWriteError")

const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))

/** Writes until that is refused, as the connection has ended, and once more when it has told that it has. */
const writeOn = (writer: Socket.Writer) =>
  Effect.flip(Effect.forever(Effect.andThen(writer.write("x".repeat(100_000)), turn))).pipe(
    Effect.andThen(turn),
    Effect.andThen(turn),
    Effect.andThen(Effect.flip(writer.write("late"))),
    Effect.timeout("20 seconds"),
    Effect.orDie
  )

const server = ClusterSocket.layerServer.pipe(
  Layer.provide(
    ShardingConfig.layer({
      runnerListenAddress: Option.some(RunnerAddress.RunnerAddress.make({ host: "127.0.0.1", port: 0 }))
    })
  )
)

describe("ClusterSocket", () => {
  it.live("an answer to who has left is refused", () =>
    Effect.gen(function* () {
      const { address, run } = yield* SocketServer.SocketServer
      const seen = yield* Deferred.make<Socket.SocketError>()
      yield* Effect.forkScoped(
        run((socket) =>
          Effect.gen(function* () {
            const writer = yield* socket.writer
            const { pull } = yield* socket.reader
            yield* pull
            // Answers as one who was frozen does: without having read that the other has left.
            yield* Deferred.succeed(seen, yield* writeOn(writer))
          }).pipe(Effect.scoped)
        )
      )
      const port = address._tag !== "UnixPathAddress" ? address.port : 0
      const buyer = Net.createConnection(port, "127.0.0.1")
      buyer.on("error", () => {})
      buyer.write("hello", () => buyer.resetAndDestroy())
      refused(yield* Effect.timeout(Deferred.await(seen), "20 seconds"))
    }).pipe(Effect.provide(server), Effect.scoped)
  )

  it.live("a question to who has left is refused, and the next connection takes questions again", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const connections: Array<Net.Socket> = []
      const listener = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const made = Net.createServer((connection) => {
            connections.push(connection)
            connection.on("data", (data) => void heard.push(data.toString()))
            connection.on("error", () => {})
          })
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => void made.close())
      )
      const { port } = listener.address() as Net.AddressInfo
      const socket = yield* ClusterSocket.dial({ host: "127.0.0.1", port, openTimeout: "5 seconds" })
      const writer = yield* socket.writer
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* socket.reader
          yield* pollUntil(
            Effect.sync(() => connections.length),
            (count) => count === 1,
            patient
          )
          connections[0]!.resetAndDestroy()
          refused(yield* writeOn(writer))
        })
      )
      yield* socket.reader
      yield* writer.write("again")
      yield* pollUntil(
        Effect.sync(() => heard.includes("again")),
        (is) => is,
        patient
      )
      for (const connection of connections) connection.destroy()
    }).pipe(Effect.scoped)
  )

  it.live("who cannot be reached is told so", () =>
    Effect.gen(function* () {
      const socket = yield* ClusterSocket.dial({ host: "127.0.0.1", port: 1, openTimeout: "5 seconds" })
      const error = yield* Effect.flip(Effect.scoped(socket.reader))
      assert.strictEqual(error.reason._tag, "SocketOpenError")
    })
  )
})
