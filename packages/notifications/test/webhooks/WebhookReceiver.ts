/** An organiser's service that takes, refuses, hangs and breaks off, on command. */
import { Context, Effect, Layer } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** What it does with the next requests, one each; when there is no more, it answers 200. */
export type Behaviour =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Reads the request, and closes the connection before an answer. */
  | "vanish"
  /** Never answers. */
  | "silence"
  /** Answers 200, and an endless body. */
  | "babble"
  /** Answers so, begins a body, and breaks it off or leaves it at that. */
  | { readonly status: number; readonly rest: "torn" | "stalled" }
  /** Answers 200 then. */
  | { readonly when: Promise<void> }

export interface Received {
  readonly path: string
  readonly body: string
  readonly headers: Record<string, string>
}

export class WebhookReceiver extends Context.Service<
  WebhookReceiver,
  {
    readonly url: string
    readonly received: Array<Received>
    readonly next: Array<Behaviour>
    /** While it is set, everything is answered with it. */
    down: Behaviour | null
    /** Decides by the request, before anything else. */
    judge: ((request: Received) => Behaviour | undefined) | null
  }
>()("@onsale/notifications/test/webhooks/WebhookReceiver") {
  static readonly layer = Layer.effect(
    WebhookReceiver,
    Effect.gen(function* () {
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const headers = Object.fromEntries(
            Object.entries(request.headers).map(([name, value]) => [name, String(value)])
          )
          const got = { path: request.url ?? "", body: Buffer.concat(chunks).toString("utf8"), headers }
          service.received.push(got)
          const behaviour = service.judge?.(got) ?? service.down ?? service.next.shift() ?? { status: 200 }
          if (behaviour === "silence") return
          if (behaviour === "vanish") return request.socket.destroy()
          if (behaviour === "babble") {
            response.writeHead(200)
            const more = () => {
              while (!response.destroyed && response.write("x".repeat(64 * 1024)));
            }
            response.on("drain", more)
            return more()
          }
          if ("when" in behaviour) return void behaviour.when.then(() => response.end())
          if ("rest" in behaviour) {
            response.writeHead(behaviour.status, { "content-length": "100" })
            response.write("so far")
            if (behaviour.rest === "torn") setImmediate(() => request.socket.destroy())
            return
          }
          response.writeHead(behaviour.status, behaviour.headers)
          response.end(behaviour.body ?? "")
        })
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () =>
          Effect.callback<void>((resume) => {
            server.closeAllConnections()
            server.close(() => resume(Effect.void))
          })
      )
      const service: WebhookReceiver["Service"] = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
        received: [],
        next: [],
        down: null,
        judge: null
      }
      return service
    })
  )
}
