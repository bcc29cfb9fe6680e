/**
 * The sockets between the processes of a cluster. They refuse what is written to a connection that has ended.
 *
 * The library's wait for room in its buffer, and a connection that is gone never tells of any. A process that was
 * frozen answers those who have left: each such answer would wait for ever, and so would the stop of the process.
 */
import { NodeClusterSocket, NodeSocket } from "@effect/platform-node"
import { Context, type Duration, Effect, Layer, type Scope } from "effect"
import type { ShardingConfig } from "effect/cluster"
import { Socket, SocketServer } from "effect/socket"
import * as Net from "node:net"

const ended = Effect.fail(
  new Socket.SocketError({
    reason: new Socket.SocketWriteError({ cause: new Error("the connection has ended") })
  })
)

/** `connection`: the one that is written to now; undefined where there is none yet, which is waited for. */
const refusing = (socket: Socket.Socket, connection: () => Net.Socket | undefined): Socket.Socket => {
  const orEnded = <A>(write: Effect.Effect<A, Socket.SocketError>) =>
    Effect.suspend(() => (connection()?.writable === false ? ended : write))
  return Socket.make({
    reader: socket.reader,
    writer: Effect.map(socket.writer, ({ write, writeAll }) => ({
      write: (chunk) => orEnded(write(chunk)),
      writeAll: (chunks) => orEnded(writeAll(chunks))
    }))
  })
}

export interface Address {
  readonly host: string
  readonly port: number
  readonly openTimeout: Duration.Input
}

/** Connects whenever it is read, as `NodeSocket.makeNet` does. */
export const dial = ({ host, openTimeout, port }: Address): Effect.Effect<Socket.Socket> =>
  Effect.suspend(() => {
    let current: Net.Socket | undefined
    const connect = Effect.acquireRelease(
      Effect.sync(() => Net.createConnection({ host, port, noDelay: true })),
      (connection) =>
        Effect.sync(() => {
          current = undefined
          // What was written is sent, unless nobody was reached.
          if (connection.connecting) connection.destroy()
          else connection.destroySoon()
        })
    )
    const connected = Effect.flatMap(connect, (connection) =>
      Effect.callback<Net.Socket, Socket.SocketError>((resume) => {
        connection.once("connect", () => {
          current = connection
          resume(Effect.succeed(connection))
        })
        // It stays: an error that nobody listens to would end the process.
        connection.on("error", (cause) => {
          const reason = new Socket.SocketOpenError({ kind: "Unknown", cause })
          resume(Effect.fail(new Socket.SocketError({ reason })))
        })
      })
    )
    return Effect.map(NodeSocket.fromDuplex<Scope.Scope>(connected, { openTimeout }), (socket) =>
      refusing(socket, () => current)
    )
  })

/** Listens where the configuration of the cluster says. */
export const layerServer: Layer.Layer<
  SocketServer.SocketServer,
  SocketServer.SocketServerError,
  ShardingConfig.ShardingConfig
> = Layer.effect(
  SocketServer.SocketServer,
  Effect.map(SocketServer.SocketServer, (server) =>
    SocketServer.SocketServer.of({
      address: server.address,
      run: (handler) =>
        server.run((socket) =>
          Effect.contextWith((context: Context.Context<never>) =>
            // The library provides it with each connection, which its type does not say.
            handler(refusing(socket, () => Context.getUnsafe(context, NodeSocket.NetSocket)))
          )
        )
    })
  )
).pipe(Layer.provide(NodeClusterSocket.layerSocketServer))
