/** A client that sends the bytes it is told, packet by packet, and reads answers with a Content-Length. */
import { Effect } from "effect"
import { connect, type Socket } from "node:net"

export interface RawAnswer {
  readonly status: number
  /** Names in lower case; without `date`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const take = (text: string): { readonly answer: RawAnswer; readonly rest: string } | undefined => {
  const end = text.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const [head = "", ...lines] = text.slice(0, end).split("\r\n")
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  delete headers["date"]
  const total = end + 4 + Number(headers["content-length"] ?? 0)
  if (text.length < total) return undefined
  return {
    answer: { status: Number(head.split(" ")[1]), headers, body: text.slice(end + 4, total) },
    rest: text.slice(total)
  }
}

export interface RawClient {
  readonly socket: Socket
  readonly send: (packet: string) => void
  /** The next answer; fails where the connection ends before it. */
  readonly answer: Effect.Effect<RawAnswer, Error>
  /** When the server has ended the connection. */
  readonly ended: Effect.Effect<void>
}

/** One connection to a port of this machine, for as long as the scope. */
export const make = Effect.fnUntraced(function* (port: number) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const made = connect({ host: "127.0.0.1", port, noDelay: true }, () => resume(Effect.succeed(made)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let text = ""
  let over = false
  const waiting = new Set<() => void>()
  const tell = () => {
    for (const look of waiting) look()
  }
  const end = () => {
    over = true
    tell()
  }
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1")
    tell()
  })
  socket.on("close", end).on("end", end).on("error", end)
  const until = <A, E>(look: () => Effect.Effect<A, E> | undefined) =>
    Effect.callback<A, E>((resume) => {
      const attempt = () => {
        const found = look()
        if (found === undefined) return
        waiting.delete(attempt)
        resume(found)
      }
      waiting.add(attempt)
      attempt()
      return Effect.sync(() => waiting.delete(attempt))
    })
  const client: RawClient = {
    socket,
    send: (packet) => socket.write(packet),
    answer: until(() => {
      const found = take(text)
      if (found === undefined) return over ? Effect.fail(new Error("the connection ended")) : undefined
      text = found.rest
      return Effect.succeed(found.answer)
    }),
    ended: until(() => (over ? Effect.void : undefined))
  }
  return client
})
