/**
 * Keeps the search's index: follows the catalog's journal, is told of events that were changed past it, forgets what
 * has taken place, and makes the index anew where it was lost. Any number of processes may run it.
 */
import { EventId } from "@onsale/contracts/Ids"
import { rowsAtATime } from "@onsale/contracts/catalog/CatalogEvent"
import * as Projection from "@onsale/platform/Projection"
import { Cause, Clock, Duration, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { CatalogJournal } from "../CatalogJournal.ts"
import { instant, settled } from "../CatalogSql.ts"
import { CatalogTouched } from "../CatalogTouched.ts"
import * as ConfiguredSearchIndex from "./ConfiguredSearchIndex.ts"
import { SearchIndex } from "./SearchIndex.ts"
import { SearchRefresh } from "./SearchRefresh.ts"
import * as SearchState from "./SearchState.ts"

/** An index that is empty, or not whole, is noticed after that. */
const lookEvery = Duration.seconds(5)
/** What has started is not found anyway; now and then it leaves, and the counts are compared. */
const compareEvery = Duration.minutes(30)
const firstId = "00000000-0000-0000-0000-000000000000"

const size = Metric.gauge("onsale_search_events", { description: "Events in the search's index" })

const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ count: Schema.Number })]))

const followed = Layer.unwrap(
  Effect.gen(function* () {
    const refresh = yield* SearchRefresh
    return Projection.layer({
      schema: "catalog",
      name: "search",
      journal: yield* CatalogJournal,
      batch: rowsAtATime,
      // Only which events: what they are now is read from their tables.
      handle: (rows) => refresh.refresh(rows.map(({ stream }) => EventId.make(stream)))
    })
  })
)

const touched = Layer.effectDiscard(
  Effect.gen(function* () {
    const refresh = yield* SearchRefresh
    const { onTouched } = yield* CatalogTouched
    yield* onTouched("search", (changes) =>
      changes._tag === "Events" ? refresh.refresh(changes.eventIds) : Effect.asVoid(refresh.everything())
    )
  })
)

const supervised = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const index = yield* SearchIndex
    const refresh = yield* SearchRefresh

    const published = Effect.gen(function* () {
      const nowMs = yield* Clock.currentTimeMillis
      const [{ count }] = yield* decodeCount(
        yield* sql`SELECT count(*)::float8 AS count FROM catalog.events
          WHERE state = 'published' AND starts_at > ${instant(sql, nowMs)}`
      )
      return count
    }).pipe(settled)

    const makeAnew = Effect.gen(function* () {
      yield* Effect.logInfo("the search's index is not like the catalog: it is made anew")
      const count = yield* refresh.everything()
      yield* Effect.logInfo(`the search's index has ${count} events`)
    })

    const compare = Effect.gen(function* () {
      yield* index.sweep(yield* Clock.currentTimeMillis)
      const count = yield* index.count
      yield* Metric.update(size, count)
      // A few may be on their way, or start in this moment.
      if (Math.abs(count - (yield* published)) > count / 1_000) yield* makeAnew
    })

    const look = Effect.gen(function* () {
      const some = yield* index.eventsAfter(firstId, 1)
      const { whole } = yield* settled(SearchState.read(sql))
      if (!whole || (some.length === 0 && (yield* published) > 0)) yield* makeAnew
    })

    const forever = <E>(step: Effect.Effect<void, E>, every: Duration.Duration) =>
      Effect.forkScoped(
        Effect.andThen(step, Effect.sleep(every)).pipe(
          Effect.forever,
          Effect.sandbox,
          Effect.tapError((cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.void
              : Effect.logError("looking after the search's index failed", cause)
          ),
          Effect.retry(
            Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")]).pipe(
              Schedule.jittered
            )
          )
        )
      )
    yield* forever(compare, compareEvery)
    yield* forever(look, lookEvery)
  })
)

/** Over the database, and `ONSALE_SEARCH`. */
export const layer = Layer.mergeAll(followed, touched, supervised).pipe(
  Layer.provide(SearchRefresh.layer.pipe(Layer.provideMerge(ConfiguredSearchIndex.layer))),
  Layer.provide([CatalogJournal.layer, CatalogTouched.layer])
)
