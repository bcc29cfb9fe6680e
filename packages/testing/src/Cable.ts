/**
 * A cable to a TCP server that can be cut: what goes through it is passed on, until it is cut. Then every
 * connection is gone at once and no new one is made, which is all that a server sees of a client that was killed.
 */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface Cable {
  /** On 127.0.0.1: who connects to it is connected to the server. */
  readonly port: number
  /** For ever, and before this returns. */
  readonly cut: () => void
}

/** Laid until the scope ends. */
export const lay = (to: {
  readonly host: string
  readonly port: number
}): Effect.Effect<Cable, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let isCut = false
    const server = createServer({ noDelay: true }, (near) => {
      if (isCut) {
        near.destroy()
        return
      }
      const far = connect({ ...to, noDelay: true })
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far)
      far.pipe(near)
    })
    const cut = () => {
      isCut = true
      server.close()
      for (const socket of sockets) socket.destroy()
    }
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () => Effect.sync(cut)
    )
    return { port, cut }
  })
