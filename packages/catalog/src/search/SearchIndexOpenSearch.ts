/**
 * Search by OpenSearch (or Elasticsearch), over plain HTTP: five calls need no client of 10 MB.
 *
 * Text goes there folded by ourselves, so that a word is the same word in every index, and is only divided at spaces
 * there. One shard: a million events need no more, and scores of several shards cannot be compared exactly.
 */
import { EventId } from "@onsale/contracts/Ids"
import { Cache, Duration, Effect, Exit, Layer, Redacted, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { queryWords } from "./Folding.ts"
import { partsOf, type SearchDocument, weights } from "./SearchDocument.ts"
import { maxResults, maxWords, SearchIndex, type SearchRequest, SearchUnavailable } from "./SearchIndex.ts"
import { splits } from "./Spelling.ts"

/** The number goes up with the mapping: a new one is filled beside the old. */
const defaultIndex = "onsale-events-1"
const callLimit = Duration.seconds(5)
const maxAnswerBytes = 4 * 1024 * 1024
const retryAfterMs = 1_000
const firstId = "00000000-0000-0000-0000-000000000000"

const text = { type: "text", analyzer: "whitespace" }
const mapping = {
  settings: { number_of_shards: 1, "analysis.analyzer.default.type": "whitespace" },
  mappings: {
    dynamic: false,
    properties: {
      eventId: { type: "keyword" },
      name: text,
      performers: text,
      place: text,
      description: text,
      city: { type: "keyword" },
      startsAt: { type: "date", format: "epoch_millis" },
      currency: { type: "keyword" },
      priceFrom: { type: "long" },
      priceTo: { type: "long" }
    }
  }
}

const fields = [
  `name^${weights.A}`,
  `performers^${weights.B}`,
  `place^${weights.C}`,
  `description^${weights.D}`
]

const Hits = Schema.fromJsonString(
  Schema.Struct({
    hits: Schema.Struct({
      total: Schema.optionalKey(
        Schema.Struct({ value: Schema.Int, relation: Schema.Literals(["eq", "gte"]) })
      ),
      hits: Schema.Array(Schema.Struct({ _id: EventId }))
    })
  })
)
const Bulk = Schema.fromJsonString(Schema.Struct({ errors: Schema.Boolean }))
const Count = Schema.fromJsonString(Schema.Struct({ count: Schema.Int }))

const bodyOf = (document: SearchDocument) => {
  const parts = partsOf(document)
  return {
    eventId: document.eventId,
    name: parts.A.join(" "),
    performers: parts.B.join(" "),
    place: parts.C.join(" "),
    description: parts.D.join(" "),
    city: [...new Set(queryWords(document.location))],
    startsAt: document.startsAtMs,
    currency: document.currency,
    priceFrom: document.priceFrom,
    priceTo: document.priceTo
  }
}

/** One word, as it is, with a slip or two, unfinished, or as two whose space was forgotten. */
const wordQuery = (word: string, unfinished: boolean) => ({
  dis_max: {
    queries: [
      { multi_match: { query: word, fields, boost: 3 } },
      {
        multi_match: {
          query: word,
          fields,
          fuzziness: "AUTO:4,8",
          max_expansions: 20,
          // By the letters that are right, as beginnings score: a slip is no better for being a rare word.
          fuzzy_rewrite: "top_terms_boost_20"
        }
      },
      ...(unfinished && word.length > 1
        ? [{ multi_match: { query: word, fields, type: "bool_prefix", max_expansions: 20, boost: 1.5 } }]
        : []),
      ...splits(word).map(([one, two]) => ({
        multi_match: { query: `${one} ${two}`, fields, operator: "and", boost: 1 }
      }))
    ]
  }
})

const queryOf = (request: SearchRequest, words: ReadonlyArray<string>, atLeast: number) => {
  const unfinished = /[\p{L}\p{N}\p{M}]$/u.test(request.text)
  const price = request.price
  const city = queryWords(request.city ?? "")
  return {
    bool: {
      should: words.map((word, i) => wordQuery(word, unfinished && i === words.length - 1)),
      minimum_should_match: atLeast,
      filter: [
        { range: { startsAt: { gte: Math.max(request.nowMs, request.fromMs ?? 0) } } },
        ...(request.toMs === null ? [] : [{ range: { startsAt: { lt: request.toMs } } }]),
        ...city.map((word) => ({ term: { city: word } })),
        ...(price === null
          ? []
          : [
              { term: { currency: price.currency } },
              { range: { priceTo: { gte: price.min ?? 0 } } },
              { range: { priceFrom: { lte: price.max ?? Number.MAX_SAFE_INTEGER } } }
            ])
      ]
    }
  }
}

export interface OpenSearchOptions {
  /** Such as `https://user:password@search.example:9200`. */
  readonly url: Redacted.Redacted<string>
  /** The index's name; for tests. */
  readonly index?: string
}

const make = Effect.fnUntraced(function* (options: OpenSearchOptions) {
  const client = yield* HttpClient.HttpClient
  const base = new URL(Redacted.value(options.url))
  const credentials =
    base.username === ""
      ? null
      : ([decodeURIComponent(base.username), decodeURIComponent(base.password)] as const)
  base.username = ""
  base.password = ""
  const index = options.index ?? defaultIndex
  const origin = base.href.replace(/\/$/, "")

  const failed = (cause: unknown) => new SearchUnavailable({ retryAfterMs, cause })

  const call = Effect.fnUntraced(function* (
    method: "GET" | "PUT" | "POST",
    path: string,
    body: string | null,
    accepted: ReadonlyArray<number> = [200]
  ) {
    const bare = HttpClientRequest.make(method)(`${origin}/${path}`)
    const named = credentials === null ? bare : HttpClientRequest.basicAuth(bare, ...credentials)
    const request =
      body === null
        ? named
        : HttpClientRequest.bodyText(
            named,
            body,
            path.includes("_bulk") ? "application/x-ndjson" : "application/json"
          )
    return yield* client.execute(request).pipe(
      Effect.flatMap((response) => {
        let bytes = 0
        return response.stream.pipe(
          Stream.takeWhile((chunk) => (bytes += chunk.length) <= maxAnswerBytes),
          Stream.decodeText(),
          Stream.mkString,
          Effect.flatMap((answer) =>
            accepted.includes(response.status)
              ? Effect.succeed(answer)
              : Effect.fail(
                  failed(new Error(`${method} ${path}: ${response.status} ${answer.slice(0, 500)}`))
                )
          )
        )
      }),
      Effect.timeout(callLimit),
      Effect.mapError((cause) => (cause instanceof SearchUnavailable ? cause : failed(cause)))
    )
  })
  const decoded = <A>(schema: Schema.Codec<A, string>, answer: string) =>
    Effect.mapError(Schema.decodeUnknownEffect(schema)(answer), failed)

  /** Made at the first use, and not again; 400 where it is there already. */
  const made = yield* Cache.makeWith(
    (_: "index") => call("PUT", index, JSON.stringify(mapping), [200, 400]),
    { capacity: 1, timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.minutes(1) : Duration.zero) }
  )
  const ensured = Cache.get(made, "index")

  const searchOnce = Effect.fnUntraced(function* (
    request: SearchRequest,
    words: ReadonlyArray<string>,
    atLeast: number
  ) {
    const from = Math.min(request.offset, maxResults)
    const answer = yield* call(
      "POST",
      `${index}/_search`,
      JSON.stringify({
        query: queryOf(request, words, atLeast),
        from,
        size: Math.min(request.limit, maxResults - from),
        track_total_hits: maxResults + 1,
        sort: [{ _score: "desc" }, { startsAt: "asc" }, { eventId: "asc" }],
        _source: false
      })
    )
    const { hits } = yield* decoded(Hits, answer)
    const total = hits.total?.value ?? 0
    return {
      events: hits.hits.map(({ _id }) => _id),
      total: Math.min(total, maxResults),
      exact: total <= maxResults
    }
  })

  const search = Effect.fn("SearchIndex.search")(function* (request: SearchRequest) {
    const words = [...new Set(queryWords(request.text))].slice(0, maxWords)
    if (words.length === 0) return { events: [], total: 0, exact: true }
    yield* ensured
    // All words; where nothing has them all, all but one, and so on.
    for (let atLeast = words.length; ; atLeast--) {
      const found = yield* searchOnce(request, words, atLeast)
      if (found.total > 0 || atLeast === 1 || words.length - atLeast >= 4) return found
    }
  })

  return SearchIndex.of({
    search,
    searchListed: (request) => Effect.map(search(request), (found) => ({ ...found, listed: [] })),
    apply: Effect.fn("SearchIndex.apply")(function* ({ put, remove }) {
      if (put.length + remove.length === 0) return
      yield* ensured
      const lines = [
        ...put.flatMap((document) => [
          JSON.stringify({ index: { _id: document.eventId } }),
          JSON.stringify(bodyOf(document))
        ]),
        ...remove.map((id) => JSON.stringify({ delete: { _id: id } }))
      ]
      const { errors } = yield* decoded(
        Bulk,
        yield* call("POST", `${index}/_bulk?refresh=true&filter_path=errors`, `${lines.join("\n")}\n`)
      )
      if (errors) return yield* failed(new Error("some events were not taken into the index"))
    }),
    eventsAfter: Effect.fn("SearchIndex.eventsAfter")(function* (after, limit) {
      yield* ensured
      const body = {
        size: limit,
        _source: false,
        sort: [{ eventId: "asc" }],
        search_after: [after || firstId]
      }
      const { hits } = yield* decoded(Hits, yield* call("POST", `${index}/_search`, JSON.stringify(body)))
      return hits.hits.map(({ _id }) => _id)
    }),
    count: Effect.gen(function* () {
      yield* ensured
      return (yield* decoded(Count, yield* call("GET", `${index}/_count`, null))).count
    }),
    sweep: Effect.fn("SearchIndex.sweep")(function* (beforeMs) {
      yield* ensured
      const query = { query: { range: { startsAt: { lt: beforeMs } } } }
      yield* call("POST", `${index}/_delete_by_query?refresh=true&conflicts=proceed`, JSON.stringify(query))
    })
  })
})

/** Over an `HttpClient`. */
export const layer = (options: OpenSearchOptions) => Layer.effect(SearchIndex, make(options))
