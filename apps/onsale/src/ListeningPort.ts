/** The port that we are going to listen on, for those who have to be told before we do. */
import { Effect, Schema } from "effect"
import { createServer } from "node:net"

export class NoFreePort extends Schema.TaggedError<NoFreePort>()("NoFreePort", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** Port 0 is whichever is free on the host; every address of the machine where that is left out. */
export const concretePort = (port: number, host?: string): Effect.Effect<number, NoFreePort> =>
  port !== 0
    ? Effect.succeed(port)
    : Effect.callback((resume) => {
        const probe = createServer()
        const fail = (cause: Error) =>
          resume(
            Effect.fail(
              new NoFreePort({
                message: `no free port could be found${host === undefined ? "" : ` on ${host}`}: ${cause.message}`,
                cause
              })
            )
          )
        probe.on("error", fail)
        probe.listen({ port: 0, host }, () => {
          const address = probe.address()
          probe.close((error) => {
            if (error !== undefined) fail(error)
            else if (typeof address === "object" && address !== null) resume(Effect.succeed(address.port))
            else fail(new Error("the socket has no port"))
          })
        })
        return Effect.sync(() => probe.close())
      })
