/** A mail server that takes, defers, refuses or forgets, on command. */
import { Context, Effect, Layer } from "effect"
import { SMTPServer } from "smtp-server"

export interface Received {
  readonly messageId: string
  readonly to: string
  readonly raw: string
}

/** What the server does with the next mails, one each; when there is no more, it takes them. */
export type Behaviour =
  | { readonly code: number }
  /** Takes the mail, and breaks off before it says so. */
  | "vanish"
  /** Takes the mail, and never says so. */
  | "silence"

export class SmtpFixture extends Context.Service<
  SmtpFixture,
  {
    readonly url: string
    readonly received: ReadonlyArray<Received>
    readonly next: Array<Behaviour>
  }
>()("@onsale/notifications/test/SmtpFixture") {
  static readonly layer = Layer.effect(
    SmtpFixture,
    Effect.gen(function* () {
      const received: Array<Received> = []
      const next: Array<Behaviour> = []
      const server = new SMTPServer({
        disabledCommands: ["AUTH", "STARTTLS"],
        disableReverseLookup: true,
        closeTimeout: 100,
        onData: (stream, session, done) => {
          const chunks: Array<Buffer> = []
          stream.on("data", (chunk: Buffer) => chunks.push(chunk))
          stream.on("end", () => {
            const behaviour = next.shift()
            if (typeof behaviour === "object") {
              return done(
                Object.assign(new Error(`no, with ${behaviour.code}`), { responseCode: behaviour.code })
              )
            }
            const raw = Buffer.concat(chunks).toString("utf8")
            received.push({
              messageId: /^Message-ID: (.*)\r$/m.exec(raw)?.[1] ?? "",
              to: session.envelope.rcptTo.map(({ address }) => address).join(","),
              raw
            })
            if (behaviour === "silence") return
            if (behaviour === "vanish") return server.connections.forEach((connection) => connection.close())
            done()
          })
        }
      })
      server.on("error", () => undefined)
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          const listener = server.listen(0, "127.0.0.1", () => {
            const address = listener.address()
            resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
          })
        }),
        () => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
      )
      return SmtpFixture.of({ url: `smtp://127.0.0.1:${port}`, received, next })
    })
  )
}
