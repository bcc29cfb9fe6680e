/**
 * People who search over HTTP: so many at a time, each with the next query as soon as it has its answer. No query comes
 * twice, so that nothing that remembers whole answers could look fast.
 */
import type { SearchRequest } from "@onsale/catalog/search/SearchIndex"
import { Effect, Schema } from "effect"
import { Agent, request } from "node:http"
import type { LargeCatalogue } from "./LargeCatalogue.ts"
import * as QueryMix from "./QueryMix.ts"
import { randomOf } from "./Random.ts"

const Answer = Schema.fromJsonString(
  Schema.Struct({ total: Schema.Int, events: Schema.Array(Schema.Unknown) })
)
const decode = Schema.decodeUnknownSync(Answer)
const answerLimitMs = 30_000

const pathOf = ({ city, fromMs, limit, offset, price, text, toMs }: SearchRequest): string => {
  const query = new URLSearchParams({ q: text })
  if (fromMs !== null) query.set("from", new Date(fromMs).toISOString())
  if (toMs !== null) query.set("to", new Date(toMs).toISOString())
  if (city !== null) query.set("city", city)
  if (price !== null) {
    query.set("currency", price.currency)
    if (price.max !== null) query.set("maxPrice", String(price.max))
  }
  if (offset > 0) query.set("page", String(1 + offset / limit))
  return `/api/v1/search/events?${query}`
}

const get = (agent: Agent, url: string): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { agent, timeout: answerLimitMs }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
      )
      response.on("error", reject)
    })
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${answerLimitMs} ms`)))
    sent.on("error", reject)
    sent.end()
  })

/** Queries of one kind: how long they took, ascending, in milliseconds. */
export interface Taken {
  readonly kind: QueryMix.Kind | "all"
  readonly ms: ReadonlyArray<number>
}

export interface Load {
  readonly taken: ReadonlyArray<Taken>
  /** Answers with a status other than 200, by status. */
  readonly refused: Readonly<Record<number, number>>
  /** Answers without any event. */
  readonly empty: number
}

/**
 * Searches at `url` for a while, with queries that no other run of the same `seen` has asked. Answers of another form
 * than a page of events are defects.
 */
export const run = (options: {
  readonly url: string
  readonly catalogue: LargeCatalogue
  readonly clients: number
  readonly seconds: number
  readonly seed: number
  readonly nowMs: number
  readonly seen: Set<string>
}): Effect.Effect<Load> =>
  Effect.promise(async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: options.clients })
    const byKind = new Map<QueryMix.Kind, Array<number>>(QueryMix.kinds.map((kind) => [kind, []]))
    const refused: Record<number, number> = {}
    let empty = 0
    const untilMs = performance.now() + options.seconds * 1_000
    const client = async (n: number) => {
      const random = randomOf(options.seed * 1_000 + n)
      while (performance.now() < untilMs) {
        const { kind, request } = QueryMix.next(options.catalogue, random, options.nowMs)
        const path = pathOf(request)
        if (options.seen.has(path)) continue
        options.seen.add(path)
        const from = performance.now()
        const { body, status } = await get(agent, options.url + path)
        byKind.get(kind)?.push(performance.now() - from)
        if (status !== 200) refused[status] = (refused[status] ?? 0) + 1
        else if (decode(body).events.length === 0) empty++
      }
    }
    await Promise.all(Array.from({ length: options.clients }, (_, n) => client(n)))
    agent.destroy()
    const sorted = (kind: Taken["kind"], ms: ReadonlyArray<number>): Taken => ({
      kind,
      ms: [...ms].sort((a, b) => a - b)
    })
    const taken = [...byKind].map(([kind, ms]) => sorted(kind, ms))
    return { taken: [...taken, sorted("all", [...byKind.values()].flat())], refused, empty }
  })
