/** A mail server that takes, defers, refuses, hangs, breaks off or forgets, on command. */
import { Clock, Context, Effect, Layer } from "effect"
import { SMTPServer, type SMTPServerSession } from "smtp-server"

export interface Received {
  readonly messageId: string
  readonly to: string
  readonly raw: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** When the sender was told that we have it, milliseconds since 1970; null where it was not. */
  answeredMs: number | null
}

export type Behaviour =
  /** Says no with that code, after all of the mail or already to its recipient. */
  | { readonly code: number; readonly at?: "data" | "recipient" }
  /** Takes the mail, and breaks off before it says so. */
  | "vanish"
  /** Takes the mail, and never says so. */
  | "silence"
  /** Breaks off before it has the mail. */
  | "cut"
  /** Says nothing to its first word. */
  | "hang"
  | "take"

export interface SmtpServer {
  readonly url: string
  readonly port: number
  readonly received: ReadonlyArray<Received>
  /** What it does with the next mails, one each. */
  readonly next: Array<Behaviour>
  /** What it does with the others; it takes them when nothing is set. */
  otherwise: () => Behaviour
  /** Ends all connections, and no one gets through until it is up again. */
  readonly down: Effect.Effect<void>
  readonly up: Effect.Effect<void>
}

export interface SmtpOptions {
  /** A free one when left out. */
  readonly port?: number
  /** Whole mails are kept; else only who got what. */
  readonly keepsRaw?: boolean
  /** Milliseconds before it says that it has a mail. */
  readonly answerAfterMs?: () => number
  /** Who may log in; anybody without when left out. */
  readonly account?: { readonly user: string; readonly password: string }
}

/** Ends with the scope. */
export const make = Effect.fnUntraced(function* (options: SmtpOptions = {}) {
  const clock = yield* Clock.Clock
  const received: Array<Received> = []
  const next: Array<Behaviour> = []
  const planned = new WeakMap<SMTPServerSession, Behaviour>()
  const cut = (session: SMTPServerSession) => {
    for (const connection of server.connections) if (connection.session === session) connection.close()
  }
  const refusal = (code: number) => Object.assign(new Error(`no, with ${code}`), { responseCode: code })
  const { account } = options

  let port = options.port ?? 0
  let server: SMTPServer
  const open = () => {
    server = new SMTPServer({
      disabledCommands: [...(account === undefined ? ["AUTH"] : []), "STARTTLS"],
      ...(account === undefined ? {} : { allowInsecureAuth: true }),
      onAuth: ({ password, username }, _session, done) =>
        username === account?.user && password === account?.password
          ? done(null, { user: username })
          : done(refusal(535)),
      disableReverseLookup: true,
      closeTimeout: 100,
      onMailFrom: (_address, session, done) => {
        const behaviour = next.shift() ?? smtp.otherwise()
        planned.set(session, behaviour)
        if (behaviour !== "hang") done()
      },
      onRcptTo: (_address, session, done) => {
        const behaviour = planned.get(session)
        if (typeof behaviour === "object" && behaviour.at === "recipient")
          return done(refusal(behaviour.code))
        done()
      },
      onData: (stream, session, done) => {
        const behaviour = planned.get(session) ?? "take"
        if (behaviour === "cut") {
          cut(session)
          return stream.resume()
        }
        const chunks: Array<Buffer> = []
        stream.on("data", (chunk: Buffer) => chunks.push(chunk))
        stream.on("end", () => {
          if (typeof behaviour === "object") return done(refusal(behaviour.code))
          const raw = Buffer.concat(chunks).toString("utf8")
          const mail: Received = {
            messageId: /^Message-ID:\s+(\S+)/m.exec(raw)?.[1] ?? "",
            to: session.envelope.rcptTo.map(({ address }) => address).join(","),
            raw: options.keepsRaw === false ? "" : raw,
            atMs: clock.currentTimeMillisUnsafe(),
            answeredMs: null
          }
          received.push(mail)
          if (behaviour === "silence") return
          if (behaviour === "vanish") return cut(session)
          const answer = () => {
            mail.answeredMs = clock.currentTimeMillisUnsafe()
            done()
          }
          const afterMs = options.answerAfterMs?.() ?? 0
          if (afterMs > 0) setTimeout(answer, afterMs)
          else answer()
        })
      }
    })
    server.on("error", () => undefined)
    return Effect.callback<number>((resume) => {
      const listener = server.listen(port, "127.0.0.1", () => {
        const address = listener.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
  }
  const close = Effect.callback<void>((resume) => {
    for (const connection of server.connections) connection.close()
    server.close(() => resume(Effect.void))
  })

  port = yield* Effect.acquireRelease(Effect.suspend(open), () => close)
  const login = account === undefined ? "" : `${account.user}:${encodeURIComponent(account.password)}@`
  const smtp: SmtpServer = {
    url: `smtp://${login}127.0.0.1:${port}`,
    port,
    received,
    next,
    otherwise: () => "take",
    down: close,
    up: Effect.asVoid(Effect.suspend(open))
  }
  return smtp
})

export class SmtpFixture extends Context.Service<SmtpFixture, SmtpServer>()("@onsale/testing/SmtpFixture") {
  static readonly layer = Layer.effect(SmtpFixture, make())
}
