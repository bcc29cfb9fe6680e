/**
 * Tells what keeps copies of the catalog, such as the search and the caches, that events are not as they were:
 * whoever changed them, also by SQL past this service.
 *
 * It says which events, never what changed: a handler reads them anew from the catalog's tables, and what it finds
 * missing there leaves its copy. So it may be told the same again, late, and at the same time as others.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Cause, Context, Effect, Exit, Layer, Schema, type Scope } from "effect"

export type CatalogChanges =
  /** These events, or their venues, performers, tiers. Distinct, {@link maxEvents} at the most. */
  | { readonly _tag: "Events"; readonly eventIds: ReadonlyArray<EventId> }
  /**
   * Nobody knows which: all copies have to be compared with the catalog, and what is not there any more leaves. What is
   * told again after a crash has the same `scan`: who has done a part of it may go on from there.
   */
  | { readonly _tag: "Everything"; readonly scan?: string }

export const everything: CatalogChanges = { _tag: "Everything" }

/** Some handlers have failed; the others are done. To be told again, to all of them. */
export class CatalogTouchedError extends Schema.TaggedError<CatalogTouchedError>()("CatalogTouchedError", {
  handlers: Schema.Array(Schema.String),
  cause: Schema.Defect()
}) {
  override get message() {
    return `not taken over by ${this.handlers.join(", ")}`
  }
}

/** Events in one call of a handler: one statement and one command of Redis take as many easily. */
export const maxEvents = 500

type Run = (changes: CatalogChanges) => Effect.Effect<void, unknown>

/** First what is read instead of the tables is made anew, then what was copied from there is forgotten. */
const stages = ["rows", "copies"] as const
type Stage = (typeof stages)[number]

interface Registered {
  readonly name: string
  readonly stage: Stage
  readonly run: Run
}

const make = Effect.sync(() => {
  const registered = new Set<Registered>()
  let feeds = 0

  const tell = Effect.fnUntraced(function* (changes: CatalogChanges) {
    const failed: Array<{ readonly name: string; readonly cause: Cause.Cause<unknown> }> = []
    for (const stage of stages) {
      const handlers = [...registered].filter((handler) => handler.stage === stage)
      // As many as there are kinds of copies.
      const exits = yield* Effect.forEach(handlers, ({ run }) => Effect.exit(run(changes)), {
        concurrency: "unbounded"
      })
      for (const [index, exit] of exits.entries()) {
        if (Exit.isFailure(exit)) failed.push({ name: handlers[index]?.name ?? "", cause: exit.cause })
      }
    }
    const first = failed[0]
    if (first === undefined) return
    return yield* new CatalogTouchedError({
      handlers: failed.map(({ name }) => name),
      cause: Cause.squash(first.cause)
    })
  })

  const touch = Effect.fn("CatalogTouched.touch")(function* (changes: CatalogChanges) {
    if (changes._tag === "Everything") return yield* tell(changes)
    const eventIds = [...new Set(changes.eventIds)]
    for (let from = 0; from < eventIds.length; from += maxEvents) {
      yield* tell({ _tag: "Events", eventIds: eventIds.slice(from, from + maxEvents) })
    }
  })

  return CatalogTouched.of({
    touch,
    wanted: Effect.sync(() => registered.size > 0),
    feeds: Effect.acquireRelease(
      Effect.sync(() => {
        feeds++
      }),
      () =>
        Effect.sync(() => {
          feeds--
        })
    ),
    onTouched: Effect.fnUntraced(function* <E, R>(
      name: string,
      handler: (changes: CatalogChanges) => Effect.Effect<void, E, R>,
      stage: Stage = "rows"
    ) {
      const context = yield* Effect.context<R>()
      if (feeds > 0) {
        return yield* Effect.die(
          new Error(
            `${name} asks to be told of the catalog's changes when they are told already: it has missed some`
          )
        )
      }
      const entry: Registered = {
        name,
        stage,
        run: (changes) => Effect.provideContext(handler(changes), context)
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => registered.add(entry)),
        () => Effect.sync(() => registered.delete(entry))
      )
    })
  })
})

export class CatalogTouched extends Context.Service<
  CatalogTouched,
  {
    /**
     * Tells every handler of this process, of many events {@link maxEvents} at a time. Succeeds only when all of
     * them have; repeat it where it fails.
     */
    readonly touch: (changes: CatalogChanges) => Effect.Effect<void, CatalogTouchedError>
    /** Whether there is a handler: else nobody needs to find out what changes. */
    readonly wanted: Effect.Effect<boolean>
    /**
     * Until the scope closes changes are told that are not told again: who has a copy has to be there. Whoever asks
     * to be told later is a mistake of the program, and dies.
     */
    readonly feeds: Effect.Effect<void, never, Scope.Scope>
    /**
     * Has the handler told of changes until the scope closes; the name is for who reads the log. Before anything
     * `feeds`: provide the layer that registers to the one that feeds. In the stage `copies` it is told when those of
     * `rows` (when left out) are done, or have failed.
     */
    readonly onTouched: <E, R>(
      name: string,
      handler: (changes: CatalogChanges) => Effect.Effect<void, E, R>,
      stage?: Stage
    ) => Effect.Effect<void, never, R | Scope.Scope>
  }
>()("@onsale/catalog/CatalogTouched") {
  /** One for the process, that who changes and who copies share. */
  static readonly layer = Layer.effect(CatalogTouched, make)
}
