/** Takes every mail and keeps none. */
import { Effect } from "effect"
import { SMTPServer } from "smtp-server"

/** Connections that a few notification runners make. */
const maxClients = 100

/** Its address and the mails so far. */
export const make = Effect.gen(function* () {
  const counts = { mails: 0 }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    maxClients,
    onData: (stream, _session, done) => {
      stream.on("data", () => {})
      stream.on("end", () => {
        counts.mails++
        done()
      })
    }
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      const listening = server.listen(0, "127.0.0.1", () => {
        const address = listening.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
      // A connection that breaks is tried again by whoever made it.
      server.on("error", () => {})
    }),
    () => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  )
  return { url: `smtp://127.0.0.1:${port}`, counts }
})
